//! The conditions of an autoscaler.

use serde_json::{Value, json};

use crate::object::{entries, set, text};

pub(super) const ABLE: &str = "AbleToScale";
pub(super) const ACTIVE: &str = "ScalingActive";
pub(super) const LIMITED: &str = "ScalingLimited";

/// `setConditionInList`: an equal status keeps its transition time; a new condition goes to the end.
pub(super) fn put(status: &mut Value, name: &str, holds: bool, reason: &str, message: &str, today: &str) {
    let word = if holds { "True" } else { "False" };
    let mut list = entries(status, "/conditions").to_vec();
    let known = list.iter().position(|condition| text(condition, "/type") == name);
    let since = known
        .and_then(|at| list.get(at))
        .filter(|known| text(known, "/status") == word)
        .map_or_else(|| json!(today), |known| known["lastTransitionTime"].clone());
    let condition =
        json!({"type": name, "status": word, "reason": reason, "message": message, "lastTransitionTime": since});
    match known.and_then(|at| list.get_mut(at)) {
        Some(known) => *known = condition,
        None => list.push(condition),
    }
    set(status, "/conditions", Value::Array(list));
}
