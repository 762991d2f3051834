//! What a ReplicaSet says of itself (`calculateStatus` of `replica_set_utils.go`).

use std::{sync::Arc, time::Duration};

use breakfix_sim::Key;
use serde_json::{Map, Value, json};

use super::{Failure, Keeper};
use crate::{
    Cluster, Status,
    api::verbs::Part,
    controllers::pod_state,
    kind,
    object::{entries, members, name, namespace, number, set, text},
};

/// Writes the status as the pods were before this step. Answers when the next pod becomes available by mere waiting.
pub(super) fn write(
    cluster: &mut Cluster,
    key: &Key,
    keeper: &Keeper,
    active: &[Arc<Value>],
    terminating: usize,
    managed: &Result<(), Failure>,
) -> Result<Option<Duration>, Status> {
    let Some(current) = cluster.store.get(key).cloned() else { return Ok(None) };
    let today = cluster.clock.today();
    let min_ready = number(&current, "/spec/minReadySeconds").and_then(|seconds| u64::try_from(seconds).ok());
    let min_ready = Duration::from_secs(min_ready.unwrap_or(0));
    let states: Vec<_> = active.iter().map(|pod| pod_state::available(pod, min_ready, today)).collect();
    let mut counts = Map::new();
    let mut count = |field: &str, number: usize| {
        if number > 0 {
            counts.insert(field.to_owned(), json!(number));
        }
    };
    count("fullyLabeledReplicas", active.iter().filter(|pod| is_fully_labelled(&current, pod)).count());
    count("readyReplicas", active.iter().filter(|pod| pod_state::is_ready(pod)).count());
    count("availableReplicas", states.iter().filter(|state| state.is_ok()).count());
    counts.insert("replicas".to_owned(), json!(active.len()));
    if keeper.kind == &kind::REPLICA_SET {
        counts.insert("terminatingReplicas".to_owned(), json!(terminating));
    }
    if let Some(generation) = current["metadata"].get("generation") {
        counts.insert("observedGeneration".to_owned(), generation.clone());
    }
    let conditions = conditions(&current, managed, &crate::date::seconds(today));
    if !conditions.is_empty() {
        counts.insert("conditions".to_owned(), Value::Array(conditions));
    }
    let status = Value::Object(counts);
    if current.get("status") != Some(&status) {
        cluster.update(
            keeper.kind,
            namespace(&current),
            name(&current),
            Part::Status,
            &keeper.actor(),
            |replica_set| {
                set(replica_set, "/status", status);
            },
        )?;
    }
    Ok(states.into_iter().filter_map(|state| state.err().flatten()).min())
}

/// Whether the pod carries every label of the template.
fn is_fully_labelled(replica_set: &Value, pod: &Value) -> bool {
    members(replica_set, "/spec/template/metadata/labels")
        .all(|(key, value)| pod["metadata"]["labels"].get(key) == Some(value))
}

/// `ReplicaFailure` comes with the first failure and goes with the first success; in between it is left alone.
fn conditions(current: &Value, managed: &Result<(), Failure>, today: &str) -> Vec<Value> {
    let mut conditions = entries(current, "/status/conditions").to_vec();
    let at = conditions.iter().position(|condition| text(condition, "/type") == "ReplicaFailure");
    match (managed, at) {
        (Err(failure), None) => conditions.push(json!({
            "type": "ReplicaFailure",
            "status": "True",
            "reason": failure.reason,
            "message": failure.status.message,
            "lastTransitionTime": today,
        })),
        (Ok(()), Some(at)) => drop(conditions.remove(at)),
        _ => {}
    }
    conditions
}
