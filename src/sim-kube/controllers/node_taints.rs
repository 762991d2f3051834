//! Taints that follow a node's state: cordoned, not ready, unreachable, short of memory (`pkg/controller/nodelifecycle`).

use std::time::Duration;

use breakfix_sim::{Key, StoreEvent, StoreEventKind};
use serde_json::{Value, json};

use super::{
    Controller,
    node_zones::{self, Turn},
    pod_state,
    queue::enqueue,
};
use crate::{
    Cluster, Status,
    api::verbs::{Actor, Part},
    kind,
    object::{entries, name, set, text, truth, unset},
};

/// Those that keep new pods away; they follow at once.
pub const CONTROLLER: Controller = Controller {
    name: NAME,
    told: |cluster, event| told(cluster, event, NAME, LAG),
    reconcile: |cluster, key| reconcile(cluster, key, "NoSchedule"),
};
/// Those that drive pods out: the round of the node monitor comes a little later.
pub const EXECUTE: Controller = Controller {
    name: EXECUTE_NAME,
    told: |cluster, event| told(cluster, event, EXECUTE_NAME, EXECUTE_LAG),
    reconcile: |cluster, key| reconcile(cluster, key, "NoExecute"),
};

const NAME: &str = "node-taints";
const EXECUTE_NAME: &str = "node-taints-execute";
const LAG: Duration = Duration::from_millis(10);
const EXECUTE_LAG: Duration = Duration::from_millis(100);
const OURS: [(&str, &str); 6] = [
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/not-ready", "NoSchedule"),
    ("node.kubernetes.io/unreachable", "NoSchedule"),
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
];

fn told(cluster: &mut Cluster, event: &StoreEvent, controller: &'static str, lag: Duration) {
    if &*event.key.collection != kind::NODE.collection {
        return;
    }
    if event.kind != StoreEventKind::Deleted {
        enqueue(cluster, controller, &event.key, lag);
    }
    // How many nodes are ready decides what becomes of the others.
    let ready = |node: &Value| pod_state::condition_holds(node, "Ready");
    let was_ready = event.before.as_deref().is_some_and(ready);
    if controller == EXECUTE_NAME && was_ready != ready(&event.object) {
        let all: Vec<Key> = cluster.store.list(kind::NODE.collection, None).map(|(key, _)| key.clone()).collect();
        for key in all {
            enqueue(cluster, controller, &key, lag);
        }
    }
}

fn reconcile(cluster: &mut Cluster, key: &Key, effect: &str) -> Result<(), Status> {
    let Some(node) = cluster.store.get(key).cloned() else { return Ok(()) };
    let mut cut = false;
    let ready = pod_state::condition(&node, "Ready").map_or("True", |condition| text(condition, "/status"));
    if effect == "NoExecute" && ready != "True" {
        let is_driven_out = entries(&node, "/spec/taints").iter().any(is_executing);
        // Those that have begun to lose their pods go on.
        match node_zones::turn(cluster, &node, is_driven_out) {
            Turn::Now => {}
            Turn::Cut => cut = true,
            Turn::Not => return Ok(()),
            Turn::In(left) => {
                enqueue(cluster, EXECUTE_NAME, key, left);
                return Ok(());
            }
        }
    }
    let wanted = |key: &str| match key {
        _ if cut => false,
        "node.kubernetes.io/unschedulable" => truth(&node, "/spec/unschedulable"),
        "node.kubernetes.io/memory-pressure" => pod_state::condition_holds(&node, "MemoryPressure"),
        "node.kubernetes.io/not-ready" => ready == "False",
        _ => ready == "Unknown",
    };
    let present = entries(&node, "/spec/taints");
    let has = |key: &str, effect: &str| {
        present.iter().any(|taint| text(taint, "/key") == key && text(taint, "/effect") == effect)
    };
    let ours = || OURS.iter().filter(|(_, own)| *own == effect);
    if ours().all(|(key, effect)| wanted(key) == has(key, effect)) {
        return Ok(());
    }
    let mut taints: Vec<Value> = present
        .iter()
        .filter(|taint| {
            let is_ours = ours().any(|(key, effect)| text(taint, "/key") == *key && text(taint, "/effect") == *effect);
            !is_ours || wanted(text(taint, "/key"))
        })
        .cloned()
        .collect();
    let today = cluster.today();
    for (key, effect) in ours().filter(|(key, effect)| wanted(key) && !has(key, effect)) {
        taints.push(json!({"key": key, "effect": effect, "timeAdded": today}));
    }
    let by = Actor {
        user: "system:serviceaccount:kube-system:node-controller".into(),
        manager: "kube-controller-manager".into(),
    };
    cluster.update(&kind::NODE, "", name(&node), Part::Main, &by, |node| {
        if taints.is_empty() {
            unset(node, "/spec/taints");
        } else {
            set(node, "/spec/taints", Value::Array(taints));
        }
    })?;
    Ok(())
}

/// One of ours that drives pods out.
fn is_executing(taint: &Value) -> bool {
    OURS.iter()
        .any(|(key, effect)| *effect == "NoExecute" && text(taint, "/key") == *key && text(taint, "/effect") == *effect)
}
