//! What a StatefulSet says of itself (`updateStatus`, `completeRollingUpdate`).

use std::sync::Arc;

use breakfix_sim::Key;
use serde_json::{Map, Value, json};

use super::{KEEPER, View, identity, is_running_and_ready};
use crate::{
    Cluster, Status,
    api::verbs::Part,
    kind,
    object::{is_deleting, name, namespace, number, set, text},
};

/// How many pods there are of which sort.
pub(super) struct Counts {
    replicas: i64,
    ready: i64,
    available: i64,
    pub(super) current: i64,
    updated: i64,
}

/// Counts the pods as they were before this step.
pub(super) fn count(view: &View<'_>, pods: &[Arc<Value>]) -> Counts {
    let count =
        |wanted: &dyn Fn(&Value) -> bool| i64::try_from(pods.iter().filter(|pod| wanted(pod)).count()).unwrap_or(0);
    let is_of = |pod: &Value, revision: &Value| !is_deleting(pod) && identity::revision(pod) == name(revision);
    Counts {
        replicas: count(&|_| true),
        ready: count(&is_running_and_ready),
        available: count(&|pod| view.is_available(pod)),
        current: count(&|pod| is_of(pod, view.current)),
        updated: count(&|pod| is_of(pod, view.update)),
    }
}

pub(super) fn write(cluster: &mut Cluster, key: &Key, view: &View<'_>, counts: &Counts) -> Result<(), Status> {
    let Some(present) = cluster.store.get(key).cloned() else { return Ok(()) };
    let wanted = number(view.set, "/spec/replicas").unwrap_or(1);
    let is_rolling = text(view.set, "/spec/updateStrategy/type") != "OnDelete";
    // Once every pod is new and Ready, the new revision is the current one.
    let is_complete =
        is_rolling && [counts.updated, counts.ready, counts.replicas].iter().all(|count| *count == wanted);
    let (current, revision) = if is_complete { (counts.updated, view.update) } else { (counts.current, view.current) };
    let mut status = Map::new();
    status.insert("replicas".into(), json!(counts.replicas));
    status.insert("availableReplicas".into(), json!(counts.available));
    for (field, count) in
        [("readyReplicas", counts.ready), ("currentReplicas", current), ("updatedReplicas", counts.updated)]
    {
        if count != 0 {
            status.insert(field.to_owned(), json!(count));
        }
    }
    if let Some(generation) = view.set["metadata"].get("generation") {
        status.insert("observedGeneration".into(), generation.clone());
    }
    status.insert("currentRevision".into(), json!(name(revision)));
    status.insert("updateRevision".into(), json!(name(view.update)));
    status.insert("collisionCount".into(), json!(number(&present, "/status/collisionCount").unwrap_or(0)));
    let status = Value::Object(status);
    if present.get("status") == Some(&status) {
        return Ok(());
    }
    let space = namespace(view.set).to_owned();
    cluster.update(&kind::STATEFUL_SET, &space, name(view.set), Part::Status, &KEEPER.actor(), |object| {
        set(object, "/status", status);
    })?;
    Ok(())
}
