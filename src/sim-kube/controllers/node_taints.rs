//! Taints that follow a node's state: cordoned, not ready, unreachable (`pkg/controller/nodelifecycle`).

use std::time::Duration;

use breakfix_sim::{Key, StoreEvent, StoreEventKind};
use serde_json::{Value, json};

use super::{Controller, pod_state, queue::enqueue};
use crate::{
    Cluster, Status,
    api::verbs::{Actor, Part},
    kind,
    object::{entries, name, set, text, truth, unset},
};

pub const CONTROLLER: Controller = Controller { name: NAME, told, reconcile };

const NAME: &str = "node-taints";
const LAG: Duration = Duration::from_millis(20);
const OURS: [(&str, &str); 5] = [
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
    ("node.kubernetes.io/not-ready", "NoSchedule"),
    ("node.kubernetes.io/unreachable", "NoSchedule"),
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
];

fn told(cluster: &mut Cluster, event: &StoreEvent) {
    if &*event.key.collection == kind::NODE.collection && event.kind != StoreEventKind::Deleted {
        enqueue(cluster, NAME, &event.key, LAG);
    }
}

fn reconcile(cluster: &mut Cluster, key: &Key) -> Result<(), Status> {
    let Some(node) = cluster.store.get(key).cloned() else { return Ok(()) };
    let ready = pod_state::condition(&node, "Ready").map_or("True", |condition| text(condition, "/status"));
    let wanted = |key: &str| match key {
        "node.kubernetes.io/unschedulable" => truth(&node, "/spec/unschedulable"),
        "node.kubernetes.io/not-ready" => ready == "False",
        _ => ready == "Unknown",
    };
    let present = entries(&node, "/spec/taints");
    let has = |key: &str, effect: &str| {
        present.iter().any(|taint| text(taint, "/key") == key && text(taint, "/effect") == effect)
    };
    if OURS.iter().all(|(key, effect)| wanted(key) == has(key, effect)) {
        return Ok(());
    }
    let mut taints: Vec<Value> = present
        .iter()
        .filter(|taint| {
            let ours =
                OURS.iter().any(|(key, effect)| text(taint, "/key") == *key && text(taint, "/effect") == *effect);
            !ours || wanted(text(taint, "/key"))
        })
        .cloned()
        .collect();
    let today = cluster.today();
    for (key, effect) in OURS.iter().filter(|(key, effect)| wanted(key) && !has(key, effect)) {
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
