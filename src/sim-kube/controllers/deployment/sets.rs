//! The ReplicaSets of a Deployment: which is the new one, which are old, and how a new one is made (`sync.go`).

use std::sync::Arc;

use serde_json::{Value, json};

use super::{COMPONENT, actor, amounts, annotations, conditions};
use crate::{
    Cluster, Status,
    api::verbs::Part,
    controllers::{
        events::{self, Note},
        owner, template_hash,
    },
    kind,
    object::{name, namespace, number, set, text, uid},
};

/// The new set and the old ones.
pub(super) type Sets = (Option<Arc<Value>>, Vec<Arc<Value>>);

/// All of a Deployment's sets, the new one included.
pub(super) fn all(new: Option<&Arc<Value>>, old: &[Arc<Value>]) -> Vec<Arc<Value>> {
    old.iter().chain(new).cloned().collect()
}

/// `getAllReplicaSetsAndSyncRevision`: finds the new set, brings its revision and annotations up to date, makes it where it is
/// missing and `create` says so.
pub(super) fn find(
    cluster: &mut Cluster,
    deployment: &Value,
    sets: &[Arc<Value>],
    create: bool,
) -> Result<Sets, Status> {
    let new = new_set(deployment, sets);
    let old: Vec<Arc<Value>> =
        sets.iter().filter(|set| new.as_ref().is_none_or(|new| uid(new) != uid(set))).cloned().collect();
    let revision = old.iter().map(|set| annotations::revision(set)).max().unwrap_or(0) + 1;
    let new = match new {
        Some(new) => Some(keep_up(cluster, deployment, &new, revision)?),
        None if create => Some(make(cluster, deployment, &old, revision)?),
        None => None,
    };
    Ok((new, old))
}

/// `FindNewReplicaSet`: the oldest with the Deployment's template.
fn new_set(deployment: &Value, sets: &[Arc<Value>]) -> Option<Arc<Value>> {
    sets.iter()
        .filter(|set| template_hash::same(&set["spec"]["template"], &deployment["spec"]["template"]))
        .min_by_key(|set| (text(set, "/metadata/creationTimestamp"), name(set)))
        .cloned()
}

fn keep_up(cluster: &mut Cluster, deployment: &Value, new: &Arc<Value>, revision: i64) -> Result<Arc<Value>, Status> {
    let mut described = Value::clone(new);
    annotations::describe_new_set(deployment, &mut described, revision, true);
    let min_ready = deployment["spec"].get("minReadySeconds").cloned();
    let min_ready_differs = number(deployment, "/spec/minReadySeconds") != number(new, "/spec/minReadySeconds");
    let new = if described != **new || min_ready_differs {
        let written = cluster.update(&kind::REPLICA_SET, namespace(new), name(new), Part::Main, &actor(), |set| {
            set["metadata"]["annotations"] = described["metadata"]["annotations"].clone();
            match &min_ready {
                Some(seconds) => crate::object::set(set, "/spec/minReadySeconds", seconds.clone()),
                None => drop(crate::object::unset(set, "/spec/minReadySeconds")),
            }
        })?;
        Arc::new(written)
    } else {
        Arc::clone(new)
    };
    let found = conditions::Found { set: name(&new), revision: &annotations::revision_text(&new), created: false };
    conditions::note_found(cluster, deployment, &found)?;
    Ok(new)
}

/// Makes the set for the Deployment's template.
fn make(cluster: &mut Cluster, deployment: &Value, old: &[Arc<Value>], revision: i64) -> Result<Arc<Value>, Status> {
    let mut body = blank(deployment);
    let count = amounts::new_set_replicas(deployment, old, 0);
    set(&mut body, "/spec/replicas", json!(count));
    annotations::describe_new_set(deployment, &mut body, revision, false);
    let wanted = amounts::replicas(deployment);
    annotations::note_scale(&mut body, wanted, wanted + amounts::surge_max(deployment));
    let created = match cluster.create(&kind::REPLICA_SET, namespace(deployment), body, &actor()) {
        Ok(created) => created,
        Err(status) if status.reason == "AlreadyExists" => {
            count_collision(cluster, deployment)?;
            return Err(status);
        }
        Err(status) => {
            conditions::note_failed_creation(cluster, deployment, &status)?;
            return Err(status);
        }
    };
    if count > 0 {
        let message = format!("Scaled up replica set {} from 0 to {count}", name(&created));
        events::record(cluster, COMPONENT, deployment, Note::normal("ScalingReplicaSet", &message));
    }
    let found = conditions::Found { set: name(&created), revision: &revision.to_string(), created: true };
    conditions::note_found(cluster, deployment, &found)?;
    Ok(Arc::new(created))
}

fn blank(deployment: &Value) -> Value {
    let collisions = amounts::status(deployment, "collisionCount");
    let hash = template_hash::of(&deployment["spec"]["template"], collisions);
    let mut template = deployment["spec"]["template"].clone();
    set(&mut template, "/metadata/labels/pod-template-hash", json!(hash));
    let mut selector = deployment["spec"]["selector"].clone();
    set(&mut selector, "/matchLabels/pod-template-hash", json!(hash));
    let mut body = json!({
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": format!("{}-{hash}", name(deployment)),
            "namespace": namespace(deployment),
            "labels": template["metadata"]["labels"],
            "ownerReferences": [owner::reference(&kind::DEPLOYMENT, deployment)],
        },
        "spec": {"selector": selector, "template": template},
    });
    if let Some(seconds) = deployment["spec"].get("minReadySeconds") {
        set(&mut body, "/spec/minReadySeconds", seconds.clone());
    }
    body
}

/// Another template has this hash: the next try adds a number to it.
fn count_collision(cluster: &mut Cluster, deployment: &Value) -> Result<(), Status> {
    let count = amounts::status(deployment, "collisionCount") + 1;
    let space = namespace(deployment).to_owned();
    cluster.update(&kind::DEPLOYMENT, &space, name(deployment), Part::Status, &actor(), |deployment| {
        set(deployment, "/status/collisionCount", json!(count));
    })?;
    Ok(())
}

/// `scaleReplicaSetAndRecordEvent`: whether it changed anything.
pub(super) fn scale(
    cluster: &mut Cluster,
    deployment: &Value,
    replica_set: &Value,
    count: i64,
) -> Result<bool, Status> {
    let before = amounts::replicas(replica_set);
    if before == count {
        return Ok(false);
    }
    write_scale(cluster, deployment, replica_set, count)?;
    let direction = if before < count { "up" } else { "down" };
    let message = format!("Scaled {direction} replica set {} from {before} to {count}", name(replica_set));
    events::record(cluster, COMPONENT, deployment, Note::normal("ScalingReplicaSet", &message));
    Ok(true)
}

/// Writes a set's replicas and what they were computed from.
pub(super) fn write_scale(
    cluster: &mut Cluster,
    deployment: &Value,
    replica_set: &Value,
    count: i64,
) -> Result<(), Status> {
    let wanted = amounts::replicas(deployment);
    let max = wanted + amounts::surge_max(deployment);
    let space = namespace(replica_set).to_owned();
    cluster.update(&kind::REPLICA_SET, &space, name(replica_set), Part::Main, &actor(), |replica_set| {
        set(replica_set, "/spec/replicas", json!(count));
        annotations::note_scale(replica_set, wanted, max);
    })?;
    Ok(())
}
