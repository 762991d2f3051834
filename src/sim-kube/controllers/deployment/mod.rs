//! The deployment controller: template → ReplicaSets, rolled over within bounds (`pkg/controller/deployment`).
//!
//! `sets` finds and makes ReplicaSets, `rolling` and `recreate` are the two strategies, `scale` the arithmetic of a change in replicas,
//! `status` what the Deployment says of itself, `cleanup` the history's limit.

mod amounts;
mod annotations;
mod cleanup;
mod conditions;
mod recreate;
mod rolling;
mod scale;
mod sets;
mod status;

use std::{sync::Arc, time::Duration};

use breakfix_sim::{Key, StoreEvent, StoreEventKind};
use serde_json::Value;

use super::{
    Controller,
    events::{self, Note},
    owner,
    queue::enqueue,
    selector,
};
use crate::{
    Cluster, Status,
    api::verbs::{Actor, Part},
    kind,
    object::{entries, is_deleting, name, namespace, number, set, text},
};

pub const CONTROLLER: Controller = Controller { name: NAME, told, reconcile };

const NAME: &str = "deployment";
const COMPONENT: &str = "deployment-controller";
/// From a write to the controller's step: informer, queue, API round trips.
const LAG: Duration = Duration::from_millis(18);

fn actor() -> Actor {
    Actor {
        user: "system:serviceaccount:kube-system:deployment-controller".into(),
        manager: "kube-controller-manager".into(),
    }
}

fn told(cluster: &mut Cluster, event: &StoreEvent) {
    match &*event.key.collection {
        "deployments.apps" => enqueue(cluster, NAME, &event.key, LAG),
        "replicasets.apps" => {
            for owner in owner::controllers_concerned(event, &kind::DEPLOYMENT) {
                enqueue(cluster, NAME, &kind::DEPLOYMENT.key(&event.key.namespace, &owner), LAG);
            }
            if event.kind == StoreEventKind::Added && crate::object::controller(&event.object).is_none() {
                told_of_orphan(cluster, event);
            }
        }
        // A Recreate roll-out waits for the last old pod.
        "pods" if event.kind == StoreEventKind::Deleted => {
            let Some(set) = owner::controller_name(&event.object, &kind::REPLICA_SET) else { return };
            let set = cluster.store.get(&kind::REPLICA_SET.key(&event.key.namespace, set)).cloned();
            if let Some(owner) = set.as_deref().and_then(|set| owner::controller_name(set, &kind::DEPLOYMENT)) {
                enqueue(cluster, NAME, &kind::DEPLOYMENT.key(&event.key.namespace, owner), LAG);
            }
        }
        _ => {}
    }
}

/// A ReplicaSet without a controller concerns every Deployment whose selector fits it.
fn told_of_orphan(cluster: &mut Cluster, event: &StoreEvent) {
    let fitting: Vec<Key> = cluster
        .store
        .list(kind::DEPLOYMENT.collection, Some(&event.key.namespace))
        .filter(|(_, deployment)| selector::selects(deployment.pointer("/spec/selector"), &event.object))
        .map(|(key, _)| key.clone())
        .collect();
    for key in fitting {
        enqueue(cluster, NAME, &key, LAG);
    }
}

/// `syncDeployment`.
fn reconcile(cluster: &mut Cluster, key: &Key) -> Result<(), Status> {
    let Some(mut deployment) = cluster.store.get(key).cloned() else { return Ok(()) };
    if selects_everything(&deployment) {
        let note =
            Note::warning("SelectingAll", "This deployment is selecting all pods. A non-empty selector is required.");
        events::record(cluster, COMPONENT, &deployment, note);
        return observe(cluster, &deployment).map(drop);
    }
    let sets = owner::claim(cluster, &kind::DEPLOYMENT, &deployment, &kind::REPLICA_SET, &actor(), |_| true)?;
    if is_deleting(&deployment) {
        let (new, old) = sets::find(cluster, &deployment, &sets, false)?;
        return status::sync(cluster, key, new.as_ref(), &old);
    }
    conditions::note_pause(cluster, &mut deployment)?;
    if crate::object::truth(&deployment, "/spec/paused") || is_scaling(&deployment, &sets) {
        return scale::sync(cluster, &deployment, &sets);
    }
    match text(&deployment, "/spec/strategy/type") {
        "Recreate" => recreate::roll(cluster, &deployment, &sets),
        _ => rolling::roll(cluster, &deployment, &sets),
    }
}

fn selects_everything(deployment: &Value) -> bool {
    let selector = &deployment["spec"]["selector"];
    selector.get("matchLabels").is_none_or(|labels| labels.as_object().is_none_or(serde_json::Map::is_empty))
        && entries(selector, "/matchExpressions").is_empty()
}

fn observe(cluster: &mut Cluster, deployment: &Value) -> Result<Value, Status> {
    let generation = number(deployment, "/metadata/generation").unwrap_or(0);
    cluster.update(&kind::DEPLOYMENT, namespace(deployment), name(deployment), Part::Status, &actor(), |deployment| {
        set(deployment, "/status/observedGeneration", generation.into());
    })
}

/// Whether the wanted number changed since the ReplicaSets were last told of it (`isScalingEvent`).
fn is_scaling(deployment: &Value, sets: &[Arc<Value>]) -> bool {
    sets.iter()
        .filter(|set| amounts::replicas(set) > 0)
        .filter_map(|set| annotations::desired_replicas(set))
        .any(|desired| desired != amounts::replicas(deployment))
}
