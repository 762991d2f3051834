//! Extended resources: what somebody writes into a node's capacity, kubelet takes over into what may be had of it
//! (`setters.go`, `MachineInfo`).

use std::time::Duration;

use breakfix_sim::{Key, StoreEvent, StoreEventKind};
use serde_json::{Map, Value};

use super::machine;
use crate::{
    Cluster, Status,
    api::verbs::{Actor, Part},
    controllers::{Controller, queue::enqueue},
    kind,
    object::{members, name, set},
};

/// Kubelet's part of a node's status, in the row of the controllers.
pub const CONTROLLER: Controller = Controller { name: NAME, told, reconcile };

const NAME: &str = "kubelet-node-status";
/// As measured on 1.36: about 5 s until allocatable follows.
const LAG: Duration = Duration::from_secs(5);

fn is_extended(resource: &str) -> bool {
    resource.contains('/') && !resource.contains("kubernetes.io/")
}

/// What capacity says of extended resources, and what allocatable does.
fn lists(node: &Value) -> [Map<String, Value>; 2] {
    ["/status/capacity", "/status/allocatable"].map(|list| {
        let extended = members(node, list).filter(|(resource, _)| is_extended(resource));
        extended.map(|(resource, amount)| (resource.clone(), amount.clone())).collect()
    })
}

fn told(cluster: &mut Cluster, event: &StoreEvent) {
    if &*event.key.collection == kind::NODE.collection && event.kind != StoreEventKind::Deleted {
        let [capacity, allocatable] = lists(&event.object);
        if capacity != allocatable {
            enqueue(cluster, NAME, &event.key, LAG);
        }
    }
}

fn reconcile(cluster: &mut Cluster, key: &Key) -> Result<(), Status> {
    let Some(node) = cluster.store.get(key).cloned() else { return Ok(()) };
    let [capacity, allocatable] = lists(&node);
    if capacity == allocatable || !machine::has_kubelet(cluster, name(&node)) {
        return Ok(());
    }
    let by = Actor { user: format!("system:node:{}", name(&node)), manager: "kubelet".into() };
    let edit = |node: &mut Value| {
        let mut all: Map<String, Value> =
            members(node, "/status/allocatable").map(|(resource, amount)| (resource.clone(), amount.clone())).collect();
        all.retain(|resource, _| !is_extended(resource));
        all.extend(capacity);
        set(node, "/status/allocatable", Value::Object(all));
    };
    cluster.update(&kind::NODE, "", name(&node), Part::Status, &by, edit).map(drop)
}
