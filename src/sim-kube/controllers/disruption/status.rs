//! What a budget says of itself (`updatePdbStatus`).

use std::{sync::Arc, time::Duration};

use breakfix_sim::Key;
use serde_json::{Map, Value, json};

use super::{NAME, expected::Expected};
use crate::{
    Cluster, Status,
    api::verbs::Part,
    controllers::{pod_control::actor, pod_state, queue::enqueue},
    kind,
    object::{entries, is_deleting, members, name, namespace, set, text},
};

/// `DeletionTimeout`: an eviction whose deletion has not been seen by then did not come about.
const FORGET_AFTER: Duration = Duration::from_secs(120);

pub(super) fn write(
    cluster: &mut Cluster,
    key: &Key,
    budget: &Value,
    pods: &[Arc<Value>],
    expected: &Expected,
) -> Result<(), Status> {
    let (evicted, recheck) = evicted(cluster, budget, pods);
    let is_healthy =
        |pod: &&Arc<Value>| !is_deleting(pod) && !evicted.contains_key(name(pod)) && pod_state::is_ready(pod);
    let healthy = i64::try_from(pods.iter().filter(is_healthy).count()).unwrap_or(0);
    let allowed = if expected.pods > 0 { (healthy - expected.healthy).max(0) } else { 0 };
    let reason = if allowed > 0 { "SufficientPods" } else { "InsufficientPods" };
    let mut status = json!({
        "currentHealthy": healthy,
        "desiredHealthy": expected.healthy,
        "disruptionsAllowed": allowed,
        "expectedPods": expected.pods,
        "observedGeneration": budget["metadata"]["generation"],
        "conditions": conditions(cluster, budget, allowed > 0, reason, ""),
    });
    if !evicted.is_empty() {
        status["disruptedPods"] = Value::Object(evicted);
    }
    put(cluster, budget, status)?;
    if let Some(recheck) = recheck {
        enqueue(cluster, NAME, key, recheck);
    }
    Ok(())
}

/// Nothing may be evicted while nobody can count (`failSafe`).
pub(super) fn fail(cluster: &mut Cluster, budget: &Value, why: &str) -> Result<(), Status> {
    let mut status = budget.get("status").filter(|status| status.is_object()).cloned().unwrap_or_else(|| json!({}));
    for field in ["currentHealthy", "desiredHealthy", "expectedPods"] {
        if status.get(field).is_none() {
            set(&mut status, &format!("/{field}"), json!(0));
        }
    }
    set(&mut status, "/disruptionsAllowed", json!(0));
    let conditions = conditions(cluster, budget, false, "SyncFailed", why);
    set(&mut status, "/conditions", conditions);
    put(cluster, budget, status)
}

/// Pods whose eviction was allowed and that are still there; when to look again at the oldest.
fn evicted(cluster: &Cluster, budget: &Value, pods: &[Arc<Value>]) -> (Map<String, Value>, Option<Duration>) {
    let today = cluster.clock.today();
    let mut kept = Map::new();
    let mut recheck: Option<Duration> = None;
    for (pod, since) in members(budget, "/status/disruptedPods") {
        let there = pods.iter().any(|known| name(known) == pod && !is_deleting(known));
        let age = crate::date::since(since.as_str().unwrap_or(""), today);
        let age = age.and_then(|age| Duration::try_from(age).ok()).unwrap_or_default();
        let left = FORGET_AFTER.saturating_sub(age);
        if there && !left.is_zero() {
            kept.insert(pod.clone(), since.clone());
            recheck = Some(recheck.map_or(left, |recheck| recheck.min(left)));
        }
    }
    (kept, recheck)
}

fn conditions(cluster: &Cluster, budget: &Value, holds: bool, reason: &str, message: &str) -> Value {
    let word = if holds { "True" } else { "False" };
    let mut list = entries(budget, "/status/conditions").to_vec();
    let known = list.iter().position(|condition| text(condition, "/type") == "DisruptionAllowed");
    let since = known
        .and_then(|at| list.get(at))
        .filter(|known| text(known, "/status") == word)
        .map_or_else(|| json!(cluster.today()), |known| known["lastTransitionTime"].clone());
    let condition = json!({
        "type": "DisruptionAllowed",
        "status": word,
        "reason": reason,
        "message": message,
        "observedGeneration": budget["metadata"]["generation"],
        "lastTransitionTime": since,
    });
    match known.and_then(|at| list.get_mut(at)) {
        Some(known) => *known = condition,
        None => list.push(condition),
    }
    Value::Array(list)
}

fn put(cluster: &mut Cluster, budget: &Value, status: Value) -> Result<(), Status> {
    if budget.get("status") == Some(&status) {
        return Ok(());
    }
    let by = actor("disruption-controller");
    cluster.update(&kind::POD_DISRUPTION_BUDGET, namespace(budget), name(budget), Part::Status, &by, |budget| {
        set(budget, "/status", status);
    })?;
    Ok(())
}
