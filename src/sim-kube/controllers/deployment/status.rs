//! What a Deployment says of itself: counts, Available, Progressing, ReplicaFailure (`progress.go`, `sync.go`).

use std::{sync::Arc, time::Duration};

use breakfix_sim::Key;
use serde_json::{Map, Value, json};

use super::{
    NAME, actor, amounts,
    conditions::{self, AVAILABLE, Condition, PROGRESSING, REPLICA_FAILURE},
    sets,
};
use crate::{
    Cluster, Status,
    api::verbs::Part,
    controllers::{pod_state, queue::enqueue},
    kind,
    object::{name, namespace, number, set, text},
};

/// Writes the status without judging progress (`syncDeploymentStatus`): when paused, scaling, or being deleted.
pub(super) fn sync(
    cluster: &mut Cluster,
    key: &Key,
    new: Option<&Arc<Value>>,
    old: &[Arc<Value>],
) -> Result<(), Status> {
    let Some(deployment) = cluster.store.get(key).cloned() else { return Ok(()) };
    let today = cluster.today();
    let status = counted(&deployment, new, old, &today);
    write(cluster, &deployment, status)
}

/// Writes the status and judges progress (`syncRolloutStatus`).
pub(super) fn sync_roll_out(
    cluster: &mut Cluster,
    key: &Key,
    new: Option<&Arc<Value>>,
    old: &[Arc<Value>],
) -> Result<(), Status> {
    let Some(deployment) = cluster.store.get(key).cloned() else { return Ok(()) };
    let today = cluster.today();
    let mut status = counted(&deployment, new, old, &today);
    if conditions::has_deadline(&deployment) {
        judge_progress(cluster, &deployment, &mut status, new, &today);
    } else {
        conditions::remove(&mut status, PROGRESSING);
    }
    match replica_failure(new, old) {
        Some(failure) => conditions::put(&mut status, &failure, &today),
        None => conditions::remove(&mut status, REPLICA_FAILURE),
    }
    if deployment.get("status") == Some(&status) {
        wait_for_deadline(cluster, key, &deployment, &status);
        return Ok(());
    }
    write(cluster, &deployment, status)
}

fn write(cluster: &mut Cluster, deployment: &Value, status: Value) -> Result<(), Status> {
    let space = namespace(deployment).to_owned();
    cluster.update(&kind::DEPLOYMENT, &space, name(deployment), Part::Status, &actor(), |deployment| {
        set(deployment, "/status", status);
    })?;
    Ok(())
}

/// `calculateStatus`: numbers that are zero are left out, as Go leaves them out, but for the terminating ones.
fn counted(deployment: &Value, new: Option<&Arc<Value>>, old: &[Arc<Value>], today: &str) -> Value {
    let all = sets::all(new, old);
    let available = amounts::total(&all, "availableReplicas");
    let wanted = amounts::wanted(&all);
    let mut counts = Map::new();
    let mut count = |field: &str, number: i64| {
        if number != 0 {
            counts.insert(field.to_owned(), json!(number));
        }
    };
    count("observedGeneration", number(deployment, "/metadata/generation").unwrap_or(0));
    count("replicas", amounts::total(&all, "replicas"));
    count("updatedReplicas", new.map_or(0, |new| amounts::status(new, "replicas")));
    count("readyReplicas", amounts::total(&all, "readyReplicas"));
    count("availableReplicas", available);
    count("unavailableReplicas", (wanted - available).max(0));
    counts.insert("terminatingReplicas".to_owned(), json!(amounts::total(&all, "terminatingReplicas")));
    for kept in ["conditions", "collisionCount"] {
        if let Some(value) = deployment["status"].get(kept) {
            counts.insert(kept.to_owned(), value.clone());
        }
    }
    let mut status = Value::Object(counts);
    let enough = available >= amounts::replicas(deployment) - amounts::unavailable_max(deployment);
    let (reason, message) = if enough {
        ("MinimumReplicasAvailable", "Deployment has minimum availability.")
    } else {
        ("MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    };
    let condition = Condition { name: AVAILABLE, holds: enough, reason, message: message.to_owned() };
    conditions::put(&mut status, &condition, today);
    status
}

fn count(status: &Value, field: &str) -> i64 {
    status[field].as_i64().unwrap_or(0)
}

/// `DeploymentComplete`: every wanted pod is new and available, and nothing else runs.
pub(super) fn is_complete(deployment: &Value, status: &Value) -> bool {
    let wanted = amounts::replicas(deployment);
    ["updatedReplicas", "replicas", "availableReplicas"].into_iter().all(|field| count(status, field) == wanted)
        && count(status, "observedGeneration") >= number(deployment, "/metadata/generation").unwrap_or(0)
}

/// `DeploymentProgressing`: more new pods, fewer old ones, or more ready or available ones than before.
fn has_progressed(before: &Value, status: &Value) -> bool {
    let old = |status: &Value| count(status, "replicas") - count(status, "updatedReplicas");
    count(status, "updatedReplicas") > count(before, "updatedReplicas")
        || old(status) < old(before)
        || count(status, "readyReplicas") > count(before, "readyReplicas")
        || count(status, "availableReplicas") > count(before, "availableReplicas")
}

fn judge_progress(cluster: &Cluster, deployment: &Value, status: &mut Value, new: Option<&Arc<Value>>, today: &str) {
    let before = &deployment["status"];
    let current = conditions::get(before, PROGRESSING).cloned();
    let reason = current.as_ref().map_or("", |condition| text(condition, "/reason"));
    if reason == "NewReplicaSetAvailable" && count(status, "replicas") == count(status, "updatedReplicas") {
        return;
    }
    let subject = match new {
        Some(new) => format!("ReplicaSet \"{}\"", name(new)),
        None => format!("Deployment \"{}\"", name(deployment)),
    };
    let condition = |holds, reason, words: &str| Condition {
        name: PROGRESSING,
        holds,
        reason,
        message: format!("{subject} {words}"),
    };
    if is_complete(deployment, status) {
        let condition = condition(true, "NewReplicaSetAvailable", "has successfully progressed.");
        conditions::put(status, &condition, today);
    } else if has_progressed(before, status) {
        // Every bit of progress renews the time from which the deadline counts.
        let kept = current.filter(|condition| text(condition, "/status") == "True");
        conditions::remove(status, PROGRESSING);
        conditions::put(status, &condition(true, "ReplicaSetUpdated", "is progressing."), today);
        if let (Some(kept), Some(new)) = (kept, status["conditions"].as_array_mut().and_then(|all| all.last_mut())) {
            new["lastTransitionTime"] = kept["lastTransitionTime"].clone();
        }
    } else if current.as_ref().is_some_and(|current| deadline_left(cluster, deployment, current).is_none()) {
        let condition = condition(false, "ProgressDeadlineExceeded", "has timed out progressing.");
        conditions::put(status, &condition, today);
    }
}

/// Time until the deadline; `None` once it is over. A finished roll-out has for ever.
fn deadline_left(cluster: &Cluster, deployment: &Value, progressing: &Value) -> Option<Duration> {
    match text(progressing, "/reason") {
        "NewReplicaSetAvailable" => return Some(Duration::MAX),
        "ProgressDeadlineExceeded" => return None,
        _ => {}
    }
    let seconds = number(deployment, "/spec/progressDeadlineSeconds").and_then(|seconds| u64::try_from(seconds).ok());
    let deadline = Duration::from_secs(seconds.unwrap_or(600));
    let since = crate::date::since(text(progressing, "/lastUpdateTime"), cluster.clock.today())
        .and_then(|since| Duration::try_from(since).ok())
        .unwrap_or_default();
    deadline.checked_sub(since).filter(|left| !left.is_zero())
}

/// `requeueStuckDeployment`: nothing will tell of a deadline that passes, so the next look is queued, a second after it.
fn wait_for_deadline(cluster: &mut Cluster, key: &Key, deployment: &Value, status: &Value) {
    let Some(current) = conditions::get(status, PROGRESSING) else { return };
    if is_complete(deployment, status)
        || matches!(text(current, "/reason"), "ProgressDeadlineExceeded" | "NewReplicaSetAvailable")
    {
        return;
    }
    let left = deadline_left(cluster, deployment, current).unwrap_or_default();
    enqueue(cluster, NAME, key, left + Duration::from_secs(1));
}

/// `getReplicaFailures`: the new set's failure before that of an old one.
fn replica_failure(new: Option<&Arc<Value>>, old: &[Arc<Value>]) -> Option<Condition<'static>> {
    let failed = |set: &Value| pod_state::condition(set, "ReplicaFailure").cloned();
    let condition = new.and_then(|new| failed(new)).or_else(|| old.iter().find_map(|set| failed(set)))?;
    Some(Condition {
        name: REPLICA_FAILURE,
        holds: text(&condition, "/status") == "True",
        reason: match text(&condition, "/reason") {
            "FailedDelete" => "FailedDelete",
            _ => "FailedCreate",
        },
        message: text(&condition, "/message").to_owned(),
    })
}
