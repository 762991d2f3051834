//! What is in use is not taken away: finalizers on claims that pods use and on volumes that are bound (`pvcprotection`, `pvprotection`).
//!
//! Admission puts them on; here they are taken off.

use std::time::Duration;

use breakfix_sim::{Key, StoreEvent, StoreEventKind};
use serde_json::{Value, json};

use super::claim::uses;
use crate::{
    Cluster, Kind, Status,
    api::verbs::{Actor, Part},
    controllers::{Controller, queue::enqueue},
    kind,
    object::{entries, is_deleting, name, namespace, set, text, unset},
};

pub(super) const CLAIMS: Controller = Controller { name: CLAIM, told: told_of_claim, reconcile: claim };
pub(super) const VOLUMES: Controller = Controller { name: VOLUME, told: told_of_volume, reconcile: volume };

const CLAIM: &str = "claim-protection";
const VOLUME: &str = "volume-protection";
const CLAIM_FINALIZER: &str = "kubernetes.io/pvc-protection";
const VOLUME_FINALIZER: &str = "kubernetes.io/pv-protection";
const LAG: Duration = Duration::from_millis(10);

fn told_of_claim(cluster: &mut Cluster, event: &StoreEvent) {
    match &*event.key.collection {
        "persistentvolumeclaims" if event.kind != StoreEventKind::Deleted && is_deleting(&event.object) => {
            enqueue(cluster, CLAIM, &event.key, LAG);
        }
        "pods" if event.kind == StoreEventKind::Deleted => {
            for volume in entries(&event.object, "/spec/volumes") {
                let claim = text(volume, "/persistentVolumeClaim/claimName");
                if !claim.is_empty() {
                    let key = kind::PERSISTENT_VOLUME_CLAIM.key(&event.key.namespace, claim);
                    enqueue(cluster, CLAIM, &key, LAG);
                }
            }
        }
        _ => {}
    }
}

/// A claim that is being deleted goes once no pod uses it. A pod that has ended uses it still; one without a node does not.
fn claim(cluster: &mut Cluster, key: &Key) -> Result<(), Status> {
    let Some(claim) = cluster.store.get(key).filter(|claim| is_deleting(claim)).cloned() else { return Ok(()) };
    let in_use = cluster
        .store
        .list(kind::POD.collection, Some(namespace(&claim)))
        .any(|(_, pod)| !text(pod, "/spec/nodeName").is_empty() && uses(pod, name(&claim)));
    if in_use {
        Ok(())
    } else {
        let_go(cluster, &kind::PERSISTENT_VOLUME_CLAIM, &claim, CLAIM_FINALIZER, "pvc-protection-controller")
    }
}

fn told_of_volume(cluster: &mut Cluster, event: &StoreEvent) {
    if &*event.key.collection == kind::PERSISTENT_VOLUME.collection
        && event.kind != StoreEventKind::Deleted
        && is_deleting(&event.object)
    {
        enqueue(cluster, VOLUME, &event.key, LAG);
    }
}

/// A volume that is being deleted goes once it is not bound.
fn volume(cluster: &mut Cluster, key: &Key) -> Result<(), Status> {
    let Some(volume) = cluster.store.get(key).filter(|volume| is_deleting(volume)).cloned() else { return Ok(()) };
    if text(&volume, "/status/phase") == "Bound" {
        return Ok(());
    }
    let_go(cluster, &kind::PERSISTENT_VOLUME, &volume, VOLUME_FINALIZER, "pv-protection-controller")
}

fn let_go(
    cluster: &mut Cluster,
    kind: &'static Kind,
    object: &Value,
    finalizer: &str,
    account: &str,
) -> Result<(), Status> {
    let kept: Vec<Value> =
        entries(object, "/metadata/finalizers").iter().filter(|entry| *entry != finalizer).cloned().collect();
    let by = Actor {
        user: format!("system:serviceaccount:kube-system:{account}"),
        manager: "kube-controller-manager".into(),
    };
    let edit = |object: &mut Value| {
        if kept.is_empty() {
            unset(object, "/metadata/finalizers");
        } else {
            set(object, "/metadata/finalizers", json!(kept));
        }
    };
    cluster.update(kind, namespace(object), name(object), Part::Main, &by, edit).map(drop)
}
