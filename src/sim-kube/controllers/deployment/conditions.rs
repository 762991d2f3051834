//! The conditions of a Deployment, and those that are written outside a full status.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{COMPONENT, actor, annotations};
use crate::{
    Cluster, Status,
    api::verbs::Part,
    controllers::events::{self, Note},
    kind,
    object::{entries, name, namespace, number, set, text, truth},
};

pub(super) const AVAILABLE: &str = "Available";
pub(super) const PROGRESSING: &str = "Progressing";
pub(super) const REPLICA_FAILURE: &str = "ReplicaFailure";

/// A condition to be set.
#[derive(Clone, Debug)]
pub(super) struct Condition<'a> {
    pub(super) name: &'a str,
    pub(super) holds: bool,
    pub(super) reason: &'a str,
    pub(super) message: String,
}

/// The new set was found or made.
pub(super) struct Found<'a> {
    pub(super) set: &'a str,
    pub(super) revision: &'a str,
    pub(super) created: bool,
}

/// A condition of this status (not of the whole object).
pub(super) fn get<'a>(status: &'a Value, name: &str) -> Option<&'a Value> {
    entries(status, "/conditions").iter().find(|condition| text(condition, "/type") == name)
}

/// `SetDeploymentCondition`: an equal status and reason changes nothing; an equal status keeps its transition time.
pub(super) fn put(status: &mut Value, condition: &Condition, today: &str) {
    let word = if condition.holds { "True" } else { "False" };
    let mut since = today.to_owned();
    if let Some(current) = get(status, condition.name) {
        if text(current, "/status") == word && text(current, "/reason") == condition.reason {
            return;
        }
        if text(current, "/status") == word {
            since = text(current, "/lastTransitionTime").to_owned();
        }
    }
    remove(status, condition.name);
    let mut conditions = entries(status, "/conditions").to_vec();
    conditions.push(json!({
        "type": condition.name,
        "status": word,
        "reason": condition.reason,
        "message": condition.message,
        "lastUpdateTime": today,
        "lastTransitionTime": since,
    }));
    set(status, "/conditions", Value::Array(conditions));
}

pub(super) fn remove(status: &mut Value, name: &str) {
    if let Some(conditions) = status.get_mut("conditions").and_then(Value::as_array_mut) {
        conditions.retain(|condition| text(condition, "/type") != name);
    }
}

/// Whether the Deployment has a deadline for progress (`math.MaxInt32` means none).
pub(super) fn has_deadline(deployment: &Value) -> bool {
    number(deployment, "/spec/progressDeadlineSeconds").is_some_and(|seconds| seconds != i64::from(i32::MAX))
}

fn write(cluster: &mut Cluster, deployment: &Value, condition: &Condition) -> Result<Value, Status> {
    let today = cluster.today();
    let space = namespace(deployment).to_owned();
    cluster.update(&kind::DEPLOYMENT, &space, name(deployment), Part::Status, &actor(), |deployment| {
        let mut status = deployment.get("status").cloned().unwrap_or_else(|| json!({}));
        put(&mut status, condition, &today);
        set(deployment, "/status", status);
    })
}

/// The Deployment takes its new set's revision, and says that it found or made it: one write of the status.
pub(super) fn note_found(cluster: &mut Cluster, deployment: &Value, found: &Found) -> Result<(), Status> {
    let is_told = get(&deployment["status"], PROGRESSING).is_some();
    let condition = match (has_deadline(deployment), found.created, is_told) {
        (true, true, _) => Some(("NewReplicaSetCreated", format!("Created new replica set \"{}\"", found.set))),
        (true, false, false) => Some(("FoundNewReplicaSet", format!("Found new replica set \"{}\"", found.set))),
        _ => None,
    };
    let today = cluster.today();
    let space = namespace(deployment).to_owned();
    cluster.update(&kind::DEPLOYMENT, &space, name(deployment), Part::Status, &actor(), |deployment| {
        annotations::note_revision(deployment, found.revision);
        if let Some((reason, message)) = condition {
            let mut status = deployment.get("status").cloned().unwrap_or_else(|| json!({}));
            put(&mut status, &Condition { name: PROGRESSING, holds: true, reason, message }, &today);
            set(deployment, "/status", status);
        }
    })?;
    Ok(())
}

/// The new set could not be made.
pub(super) fn note_failed_creation(cluster: &mut Cluster, deployment: &Value, why: &Status) -> Result<(), Status> {
    let message = format!("Failed to create new replica set \"{}\": {why}", name(deployment));
    events::record(cluster, COMPONENT, deployment, Note::warning("ReplicaSetCreateError", &message));
    if !has_deadline(deployment) {
        return Ok(());
    }
    let condition = Condition { name: PROGRESSING, holds: false, reason: "ReplicaSetCreateError", message };
    write(cluster, deployment, &condition).map(drop)
}

/// `checkPausedConditions`: a pause stops the clock of the deadline, and says so.
pub(super) fn note_pause(cluster: &mut Cluster, deployment: &mut Arc<Value>) -> Result<(), Status> {
    if !has_deadline(deployment) {
        return Ok(());
    }
    let current = get(&deployment["status"], PROGRESSING);
    let reason = current.map_or("", |condition| text(condition, "/reason"));
    if reason == "ProgressDeadlineExceeded" {
        return Ok(());
    }
    let paused = truth(deployment, "/spec/paused");
    let was_paused = reason == "DeploymentPaused";
    let (reason, message) = match (paused, was_paused) {
        (true, false) => ("DeploymentPaused", "Deployment is paused"),
        (false, true) => ("DeploymentResumed", "Deployment is resumed"),
        _ => return Ok(()),
    };
    // The real controller sets Unknown; the reason is what everybody reads.
    let today = cluster.today();
    let space = namespace(deployment).to_owned();
    let written =
        cluster.update(&kind::DEPLOYMENT, &space, name(deployment), Part::Status, &actor(), |deployment| {
            let mut status = deployment.get("status").cloned().unwrap_or_else(|| json!({}));
            let condition = Condition { name: PROGRESSING, holds: true, reason, message: message.to_owned() };
            remove(&mut status, PROGRESSING);
            put(&mut status, &condition, &today);
            if let Some(condition) = status["conditions"].as_array_mut().and_then(|conditions| conditions.last_mut()) {
                condition["status"] = json!("Unknown");
            }
            set(deployment, "/status", status);
        })?;
    *deployment = Arc::new(written);
    Ok(())
}
