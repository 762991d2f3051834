//! A quota's status says what its namespace holds. Admission puts down what comes in; this controller counts anew when a bound changes
//! and when something goes (`pkg/controller/resourcequota`).

use std::time::Duration;

use breakfix_sim::{Key, StoreEvent, StoreEventKind};
use serde_json::Value;

use super::{Controller, queue::enqueue};
use crate::{
    Cluster, Status,
    admission::quota,
    api::verbs::{Actor, Part},
    kind::{self, RESOURCE_QUOTA},
    object::set,
};

pub const CONTROLLER: Controller = Controller { name: NAME, told, reconcile };

const NAME: &str = "resource-quota";
const LAG: Duration = Duration::from_millis(20);

fn told(cluster: &mut Cluster, event: &StoreEvent) {
    let collection = &*event.key.collection;
    if collection == RESOURCE_QUOTA.collection && event.kind != StoreEventKind::Deleted {
        let (spec, status) = (event.object.pointer("/spec/hard"), event.object.pointer("/status/hard"));
        let before = event.before.as_ref().and_then(|before| before.get("spec"));
        if spec != status || before != event.object.get("spec") {
            enqueue(cluster, NAME, &event.key, LAG);
        }
        return;
    }
    if event.key.namespace.is_empty() {
        return;
    }
    let quotas: Vec<Key> =
        cluster.store.list(RESOURCE_QUOTA.collection, Some(&event.key.namespace)).map(|(key, _)| key.clone()).collect();
    // Most namespaces have none, and what frees something takes a while to find out.
    if quotas.is_empty() || !frees(event) {
        return;
    }
    for key in quotas {
        enqueue(cluster, NAME, &key, LAG);
    }
}

/// Whether a write may have made room, or changed what an object takes past admission.
fn frees(event: &StoreEvent) -> bool {
    let Some(before) = event.before.as_deref().filter(|_| event.kind == StoreEventKind::Modified) else {
        return event.kind == StoreEventKind::Deleted;
    };
    match &*event.key.collection {
        "pods" => quota::usage_of(&kind::POD, before) != quota::usage_of(&kind::POD, &event.object),
        "services" | "persistentvolumeclaims" => before.get("spec") != event.object.get("spec"),
        _ => false,
    }
}

fn reconcile(cluster: &mut Cluster, key: &Key) -> Result<(), Status> {
    let Some(found) = cluster.store.get(key).cloned() else { return Ok(()) };
    let status = quota::status(cluster, &found);
    if found.get("status") == Some(&status) {
        return Ok(());
    }
    let by = Actor {
        user: "system:serviceaccount:kube-system:resourcequota-controller".into(),
        manager: "kube-controller-manager".into(),
    };
    let edit = |quota: &mut Value| set(quota, "/status", status);
    cluster.update(&RESOURCE_QUOTA, &key.namespace, &key.name, Part::Status, &by, edit).map(drop)
}
