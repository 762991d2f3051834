//! Recreate: all old pods end before the first new one starts (`recreate.go`).

use std::sync::Arc;

use serde_json::Value;

use super::{amounts, cleanup, sets, status};
use crate::{
    Cluster, Status,
    controllers::{owner, pod_state},
    kind,
    object::{name, namespace},
};

pub(super) fn roll(cluster: &mut Cluster, deployment: &Value, all: &[Arc<Value>]) -> Result<(), Status> {
    let key = kind::DEPLOYMENT.key(namespace(deployment), name(deployment));
    let (new, old) = sets::find(cluster, deployment, all, false)?;
    let mut scaled = false;
    for set in old.iter().filter(|set| amounts::replicas(set) > 0) {
        scaled |= sets::scale(cluster, deployment, set, 0)?;
    }
    if scaled || old_pods_run(cluster, &old) {
        return status::sync_roll_out(cluster, &key, new.as_ref(), &old);
    }
    let Some(new) = new else {
        // As in a rolling update: the step ends with the new set.
        return sets::find(cluster, deployment, all, true).map(drop);
    };
    sets::scale(cluster, deployment, &new, amounts::replicas(deployment))?;
    if let Some(current) = cluster.store.get(&key).cloned()
        && status::is_complete(&current, &current["status"])
    {
        cleanup::clean(cluster, &current, &old)?;
    }
    status::sync_roll_out(cluster, &key, Some(&new), &old)
}

/// `oldPodsRunning`: a pod that is still being stopped counts as running.
fn old_pods_run(cluster: &Cluster, old: &[Arc<Value>]) -> bool {
    old.iter().any(|set| {
        cluster
            .store
            .list(kind::POD.collection, Some(namespace(set)))
            .any(|(_, pod)| owner::controls(set, pod) && !pod_state::is_terminal(pod))
    })
}
