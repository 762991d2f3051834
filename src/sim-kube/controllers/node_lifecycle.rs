//! Nodes that have gone quiet (`pkg/controller/nodelifecycle`): a node whose kubelet has not been heard of for the grace period becomes
//! `Unknown`, and the pods of a node that is not ready are not ready either. The taints follow in `node_taints`, what these drive out in
//! `taint_eviction`.
//!
//! The real monitor looks at every node every five seconds. Here a look is queued only when something can have come of it: heartbeats that
//! arrive in time change nothing, and an idle cluster has nothing to do.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use breakfix_sim::{Key, SimTime, StoreEvent, StoreEventKind};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Controller,
    events::{self, Note},
    pod_control::actor,
    pod_state,
    queue::enqueue,
};
use crate::{
    Cluster, Status,
    api::verbs::Part,
    kind,
    node::machine,
    object::{entries, name, namespace, set, text, uid},
};

pub const CONTROLLER: Controller = Controller { name: NAME, told, reconcile };

/// Its name in the queue; a machine whose kubelet stops or starts queues its node under it.
pub const NAME: &str = "node-lifecycle";
/// Its service account, and the component that its events name.
const COMPONENT: &str = "node-controller";
/// `nodeMonitorPeriod`.
const PERIOD: u64 = 5_000;
/// `nodeMonitorGracePeriod` since 1.32.
const GRACE: Duration = Duration::from_secs(50);
/// `nodeStartupGracePeriod`: for a node that has never said how it is.
const STARTUP_GRACE: Duration = Duration::from_secs(60);
/// What kubelet reports, in its order.
const REPORTED: [&str; 4] = ["MemoryPressure", "DiskPressure", "PIDPressure", "Ready"];

/// What the monitor remembers of the nodes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Memory {
    /// Nodes that are registered, and their uids.
    known: BTreeMap<String, String>,
    /// When a node's `Ready` was written last, whoever wrote it: that counts as a sign of life.
    written: BTreeMap<String, SimTime>,
    /// Nodes whose pods were marked since they were ready last.
    marked: BTreeSet<String>,
}

fn told(cluster: &mut Cluster, event: &StoreEvent) {
    if &*event.key.collection != kind::NODE.collection {
        return;
    }
    let ready = |node: &Value| pod_state::condition(node, "Ready").cloned();
    let before = event.before.as_deref().and_then(ready);
    let after = ready(&event.object);
    let node = event.key.name.to_string();
    let now = cluster.now();
    let memory = &mut cluster.controllers.node_lifecycle;
    match event.kind {
        StoreEventKind::Deleted => {
            memory.written.remove(&node);
            memory.marked.remove(&node);
        }
        StoreEventKind::Added | StoreEventKind::Modified if event.before.is_none() || before != after => {
            // `Unknown` is this controller's own word.
            if after.as_ref().is_none_or(|ready| text(ready, "/status") != "Unknown") {
                memory.written.insert(node, now);
            }
        }
        _ => return,
    }
    let delay = next_look(cluster, now);
    enqueue(cluster, NAME, &event.key, delay);
}

/// How long from now until the monitor's first look at or after a moment.
fn next_look(cluster: &Cluster, moment: SimTime) -> Duration {
    SimTime(moment.0.div_ceil(PERIOD) * PERIOD) - cluster.now()
}

fn reconcile(cluster: &mut Cluster, key: &Key) -> Result<(), Status> {
    let node_name: &str = &key.name;
    let Some(node) = cluster.store.get(key).cloned() else {
        if let Some(uid) = cluster.controllers.node_lifecycle.known.remove(node_name) {
            let gone = json!({"kind": "Node", "apiVersion": "v1", "metadata": {"name": node_name, "uid": uid}});
            registry(cluster, &gone, "RemovingNode", format!("Removing Node {node_name} from Controller"));
        }
        return Ok(());
    };
    let known = &mut cluster.controllers.node_lifecycle.known;
    if known.insert(node_name.to_owned(), uid(&node).to_owned()).is_none() {
        registry(cluster, &node, "RegisteredNode", format!("Registered Node {node_name} in Controller"));
    }
    let ready = pod_state::condition(&node, "Ready").map_or("", |condition| text(condition, "/status")).to_owned();
    match ready.as_str() {
        "True" if machine::has_kubelet(cluster, node_name) => {
            cluster.controllers.node_lifecycle.marked.remove(node_name);
            Ok(())
        }
        "Unknown" => mark_once(cluster, &node),
        _ => {
            if ready == "False" {
                mark_once(cluster, &node)?;
            }
            if machine::has_kubelet(cluster, node_name) {
                return Ok(());
            }
            let grace = if ready.is_empty() { STARTUP_GRACE } else { GRACE };
            let written = cluster.controllers.node_lifecycle.written.get(node_name).copied().unwrap_or_default();
            let heard = written.max(machine::last_heartbeat(cluster, node_name));
            let due = SimTime(heard.0.div_ceil(PERIOD) * PERIOD) + grace;
            if due > cluster.now() {
                let left = due - cluster.now();
                enqueue(cluster, NAME, key, left);
                return Ok(());
            }
            let node = silent(cluster, node_name)?;
            mark_once(cluster, &node)
        }
    }
}

/// Writes that nobody knows how the node is.
fn silent(cluster: &mut Cluster, node_name: &str) -> Result<Value, Status> {
    let today = cluster.today();
    cluster.update(&kind::NODE, "", node_name, Part::Status, &actor(COMPONENT), |node| {
        let mut conditions = entries(node, "/status/conditions").to_vec();
        let born = node["metadata"]["creationTimestamp"].clone();
        for reported in REPORTED {
            match conditions.iter_mut().find(|condition| text(condition, "/type") == reported) {
                None => conditions.push(json!({
                    "type": reported,
                    "status": "Unknown",
                    "reason": "NodeStatusNeverUpdated",
                    "message": "Kubelet never posted node status.",
                    "lastHeartbeatTime": born,
                    "lastTransitionTime": today,
                })),
                Some(condition) if text(condition, "/status") != "Unknown" => {
                    condition["status"] = json!("Unknown");
                    condition["reason"] = json!("NodeStatusUnknown");
                    condition["message"] = json!("Kubelet stopped posting node status.");
                    condition["lastTransitionTime"] = json!(today);
                }
                Some(_) => {}
            }
        }
        set(node, "/status/conditions", Value::Array(conditions));
    })
}

/// Says once that the node is not ready, and takes its pods out of service.
fn mark_once(cluster: &mut Cluster, node: &Value) -> Result<(), Status> {
    let node_name = name(node);
    if !cluster.controllers.node_lifecycle.marked.insert(node_name.to_owned()) {
        return Ok(());
    }
    // A node that never was ready has nothing to lose, and no event tells of it.
    if pod_state::condition(node, "Ready").is_none_or(|ready| text(ready, "/reason") == "NodeStatusNeverUpdated") {
        return Ok(());
    }
    let message = format!("Node {node_name} status is now: NodeNotReady");
    events::record(cluster, COMPONENT, node, Note::normal("NodeNotReady", &message));
    let ready_here: Vec<_> = cluster
        .store
        .list(kind::POD.collection, None)
        .filter(|(_, pod)| text(pod, "/spec/nodeName") == node_name && pod_state::is_ready(pod))
        .map(|(_, pod)| pod.clone())
        .collect();
    let today = cluster.today();
    for pod in ready_here {
        let by = actor(COMPONENT);
        let done = cluster.update(&kind::POD, namespace(&pod), name(&pod), Part::Status, &by, |pod| {
            let mut conditions = entries(pod, "/status/conditions").to_vec();
            for condition in conditions.iter_mut().filter(|condition| text(condition, "/type") == "Ready") {
                condition["status"] = json!("False");
                condition["lastTransitionTime"] = json!(today);
            }
            set(pod, "/status/conditions", Value::Array(conditions));
        });
        match done {
            Ok(_) => events::record(cluster, COMPONENT, &pod, Note::warning("NodeNotReady", "Node is not ready")),
            Err(status) if status.code == 404 => {}
            Err(status) => return Err(status),
        }
    }
    Ok(())
}

/// An event about a node that comes or goes.
fn registry(cluster: &mut Cluster, node: &Value, reason: &str, what: String) {
    let message = format!("Node {} event: {what}", name(node));
    events::record(cluster, COMPONENT, node, Note::normal(reason, &message));
}
