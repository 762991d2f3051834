//! The replica set controller: as many pods as are wanted (`pkg/controller/replicaset`).

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
    Cluster, Status,
    api::verbs::Actor,
    kind,
    object::{is_deleting, number},
};

pub const CONTROLLER: Controller = Controller { name: NAME, told, reconcile };

const NAME: &str = "replica-set";
const LAG: Duration = Duration::from_millis(8);
/// `BurstReplicas`: pods made or deleted in one step.
const BURST: usize = 500;

static KEEPER: Keeper =
    Keeper { kind: &kind::REPLICA_SET, component: "replicaset-controller", account: "replicaset-controller" };

fn actor() -> Actor {
    KEEPER.actor()
}

fn told(cluster: &mut Cluster, event: &StoreEvent) {
    match &*event.key.collection {
        "replicasets.apps" => enqueue(cluster, NAME, &event.key, LAG),
        "pods" => {
            for set in pod_control::owners_concerned(cluster, event, &kind::REPLICA_SET) {
                enqueue(cluster, NAME, &set, LAG);
            }
        }
        _ => {}
    }
}

/// `syncReplicaSet`.
fn reconcile(cluster: &mut Cluster, key: &Key) -> Result<(), Status> {
    let Some(set) = cluster.store.get(key).cloned() else { return Ok(()) };
    let pods = owner::claim(cluster, &kind::REPLICA_SET, &set, &kind::POD, &actor(), pod_state::is_active)?;
    let terminating = pods.iter().filter(|pod| pod_state::is_terminating(pod)).count();
    let active: Vec<Arc<Value>> = pods.into_iter().filter(|pod| pod_state::is_active(pod)).collect();
    let managed = if is_deleting(&set) { Ok(()) } else { manage(cluster, &set, &active) };
    let wake = status::write(cluster, key, &active, terminating, &managed)?;
    managed.map_err(|failure| failure.status)?;
    if let Some(wake) = wake {
        enqueue(cluster, NAME, key, wake);
    }
    Ok(())
}

/// A pod could not be made or deleted.
pub(super) struct Failure {
    pub(super) status: Status,
    /// `FailedCreate` or `FailedDelete`.
    pub(super) reason: &'static str,
}

/// `manageReplicas`.
fn manage(cluster: &mut Cluster, set: &Value, active: &[Arc<Value>]) -> Result<(), Failure> {
    let wanted = usize::try_from(number(set, "/spec/replicas").unwrap_or(1)).unwrap_or(0);
    if active.len() < wanted {
        let count = (wanted - active.len()).min(BURST);
        let pods = vec![KEEPER.pod(set, &set["spec"]["template"]); count];
        let (_, made) = KEEPER.create_all(cluster, set, pods);
        made.map_err(|status| Failure { status, reason: "FailedCreate" })
    } else {
        delete_pods(cluster, set, active, (active.len() - wanted).min(BURST))
    }
}

fn delete_pods(cluster: &mut Cluster, set: &Value, active: &[Arc<Value>], count: usize) -> Result<(), Failure> {
    if count == 0 {
        return Ok(());
    }
    let mut failed = None;
    for pod in victims::choose(cluster, set, active, count) {
        if let Err(status) = KEEPER.delete(cluster, set, &pod) {
            failed = Some(Failure { status, reason: "FailedDelete" });
        }
    }
    failed.map_or(Ok(()), Err)
}
