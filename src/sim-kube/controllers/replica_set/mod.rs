//! The replica set controller: as many pods as are wanted (`pkg/controller/replicaset`); and its elder, the replication controller, which is
//! the same but for the kind of its objects (`pkg/controller/replication`).

mod status;
mod victims;

use std::{sync::Arc, time::Duration};

use breakfix_sim::{Key, StoreEvent};
use serde_json::Value;

use super::{
    Controller, owner,
    pod_control::{self, Keeper},
    pod_state,
    queue::enqueue,
};
use crate::{
    Cluster, Status, kind,
    object::{is_deleting, number},
};

pub const CONTROLLER: Controller = Controller {
    name: SETS_NAME,
    told: |cluster, event| told(cluster, event, &SETS),
    reconcile: |cluster, key| reconcile(cluster, key, &SETS),
};

pub const REPLICATION: Controller = Controller {
    name: CONTROLLERS_NAME,
    told: |cluster, event| told(cluster, event, &CONTROLLERS),
    reconcile: |cluster, key| reconcile(cluster, key, &CONTROLLERS),
};

const SETS_NAME: &str = "replica-set";
const CONTROLLERS_NAME: &str = "replication-controller";

/// One of the two.
struct Manager {
    name: &'static str,
    keeper: Keeper,
}

static SETS: Manager = Manager {
    name: SETS_NAME,
    keeper: Keeper { kind: &kind::REPLICA_SET, component: "replicaset-controller", account: "replicaset-controller" },
};

static CONTROLLERS: Manager = Manager {
    name: CONTROLLERS_NAME,
    keeper: Keeper {
        kind: &kind::REPLICATION_CONTROLLER,
        component: "replication-controller",
        account: "replication-controller",
    },
};

const LAG: Duration = Duration::from_millis(8);
/// A step reads every pod, so it takes the longer the more there are, and what happens meanwhile waits for the next: with so many pods twice
/// as long as with none.
const CROWD: u64 = 100;
/// `BurstReplicas`: pods made or deleted in one step.
const BURST: usize = 500;

fn told(cluster: &mut Cluster, event: &StoreEvent, manager: &Manager) {
    let kind = manager.keeper.kind;
    match &*event.key.collection {
        collection if collection == kind.collection => enqueue(cluster, manager.name, &event.key, LAG),
        "pods" => {
            for set in pod_control::owners_concerned(cluster, event, kind) {
                let lag = lag(cluster, &set);
                enqueue(cluster, manager.name, &set, lag);
            }
        }
        _ => {}
    }
}

/// How long what happened to a pod waits until its set is looked at.
fn lag(cluster: &Cluster, set: &Key) -> Duration {
    let pods = cluster.store.get(set).and_then(|set| number(set, "/status/replicas")).unwrap_or(0);
    let steps = u64::try_from(pods).unwrap_or(0) / CROWD;
    LAG.saturating_mul(u32::try_from(1 + steps).unwrap_or(u32::MAX))
}

/// `syncReplicaSet`.
fn reconcile(cluster: &mut Cluster, key: &Key, manager: &Manager) -> Result<(), Status> {
    let Some(set) = cluster.store.get(key).cloned() else { return Ok(()) };
    let keeper = &manager.keeper;
    let pods = owner::claim(cluster, keeper.kind, &set, &kind::POD, &keeper.actor(), pod_state::is_active)?;
    let terminating = pods.iter().filter(|pod| pod_state::is_terminating(pod)).count();
    let active: Vec<Arc<Value>> = pods.into_iter().filter(|pod| pod_state::is_active(pod)).collect();
    let managed = if is_deleting(&set) { Ok(()) } else { manage(cluster, &set, &active, keeper) };
    let wake = status::write(cluster, key, keeper, &active, terminating, &managed)?;
    managed.map_err(|failure| *failure.status)?;
    if let Some(wake) = wake {
        enqueue(cluster, manager.name, key, wake);
    }
    Ok(())
}

/// A pod could not be made or deleted.
pub(super) struct Failure {
    pub(super) status: Box<Status>,
    /// `FailedCreate` or `FailedDelete`.
    pub(super) reason: &'static str,
}

/// `manageReplicas`.
fn manage(cluster: &mut Cluster, set: &Value, active: &[Arc<Value>], keeper: &Keeper) -> Result<(), Failure> {
    let wanted = usize::try_from(number(set, "/spec/replicas").unwrap_or(1)).unwrap_or(0);
    if active.len() < wanted {
        let count = (wanted - active.len()).min(BURST);
        let pods = vec![keeper.pod(set, &set["spec"]["template"]); count];
        let (_, made) = keeper.create_all(cluster, set, pods);
        made.map_err(|status| Failure { status: Box::new(status), reason: "FailedCreate" })
    } else {
        delete_pods(cluster, set, active, keeper, (active.len() - wanted).min(BURST))
    }
}

fn delete_pods(
    cluster: &mut Cluster,
    set: &Value,
    active: &[Arc<Value>],
    keeper: &Keeper,
    count: usize,
) -> Result<(), Failure> {
    if count == 0 {
        return Ok(());
    }
    let mut failed = None;
    for pod in victims::choose(cluster, set, keeper.kind, active, count) {
        if let Err(status) = keeper.delete(cluster, set, &pod) {
            failed = Some(Failure { status: Box::new(status), reason: "FailedDelete" });
        }
    }
    failed.map_or(Ok(()), Err)
}
