//! What controllers read from a pod's status: active, ready, available.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::object::{entries, is_deleting, text};

/// A condition of any object's status.
pub fn condition<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    entries(object, "/status/conditions").iter().find(|condition| text(condition, "/type") == name)
}

/// Whether a condition is there and True.
pub fn condition_holds(object: &Value, name: &str) -> bool {
    condition(object, name).is_some_and(|condition| text(condition, "/status") == "True")
}

/// Whether the pod has ended for good.
pub fn is_terminal(pod: &Value) -> bool {
    matches!(text(pod, "/status/phase"), "Succeeded" | "Failed")
}

/// Neither ended nor being deleted.
pub fn is_active(pod: &Value) -> bool {
    !is_terminal(pod) && !is_deleting(pod)
}

/// Not ended yet, but being deleted.
pub fn is_terminating(pod: &Value) -> bool {
    !is_terminal(pod) && is_deleting(pod)
}

pub fn is_ready(pod: &Value) -> bool {
    condition_holds(pod, "Ready")
}

/// Since when the pod is ready.
pub fn ready_since(pod: &Value) -> Option<Timestamp> {
    condition(pod, "Ready")
        .filter(|condition| text(condition, "/status") == "True")
        .and_then(|condition| text(condition, "/lastTransitionTime").parse().ok())
}

/// Whether the pod has been ready for `min_ready`; otherwise how long that still takes, if it is ready at all.
pub fn available(pod: &Value, min_ready: Duration, now: Timestamp) -> Result<(), Option<Duration>> {
    if !is_ready(pod) {
        return Err(None);
    }
    if min_ready.is_zero() {
        return Ok(());
    }
    let since = ready_since(pod).unwrap_or(now);
    let millis = u64::try_from(now.as_millisecond() - since.as_millisecond()).unwrap_or(0);
    let left = min_ready.saturating_sub(Duration::from_millis(millis));
    if left.is_zero() { Ok(()) } else { Err(Some(left)) }
}

/// Restarts of all containers together.
pub fn restarts(pod: &Value) -> i64 {
    entries(pod, "/status/containerStatuses").iter().filter_map(|status| status["restartCount"].as_i64()).sum()
}
