//! The scheduler: which node a pod goes to, or why none.
//!
//! A plugin a file: it may refuse a node (`filter`) and prefer one to another (`score`), as in `pkg/scheduler/framework/plugins`.
//! [`PLUGINS`] is the list; preemption would be one more. Nothing polls: pods that found no node wait until a write may have helped them.

mod framework;
mod message;
mod node_affinity;
mod node_ports;
mod node_unschedulable;
mod pod_affinity;
mod queue;
mod resources;
mod spread;
pub mod taints;
mod topology_spread;
mod volume_binding;

use std::{sync::Arc, time::Duration};

use breakfix_sim::{StoreEvent, StoreEventKind};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use framework::{Plugin, Refusal, View};

use crate::{
    Cluster,
    api::verbs::{Actor, Part},
    controllers::{
        events::{self, Note},
        pod_state,
    },
    kind,
    object::{entries, is_deleting, name, namespace, set, text, uid},
};

/// Every plugin, in the order in which they filter: the first refusal of a node is the one that counts.
pub static PLUGINS: &[&dyn Plugin] = &[
    &node_unschedulable::NodeUnschedulable,
    &taints::TaintToleration,
    &node_affinity::NodeAffinity,
    &node_ports::NodePorts,
    &resources::Fit,
    &volume_binding::VolumeBinding,
    &topology_spread::TopologySpread,
    &pod_affinity::PodAffinity,
    &spread::Spread,
];

const COMPONENT: &str = "default-scheduler";
/// From a write to the scheduler's look at it.
const LAG: Duration = Duration::from_millis(4);

/// What the scheduler remembers: who waits, and until when.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Memory {
    pub(crate) queue: queue::Waiting,
}

/// Queues a look where a write may have changed something.
pub fn told(cluster: &mut Cluster, event: &StoreEvent) {
    match &*event.key.collection {
        "pods" => {
            let waits = is_ours(&event.object) && event.kind != StoreEventKind::Deleted;
            if waits && event.before.as_ref().is_none_or(|before| before["spec"] != event.object["spec"]) {
                queue::admit(cluster, &event.key, LAG);
            }
            if frees_room(event) {
                queue::wake_all(cluster);
            }
        }
        "nodes" if event.before.as_ref().is_none_or(|before| node_face(before) != node_face(&event.object)) => {
            queue::wake_all(cluster);
        }
        _ => {}
    }
}

/// Whether this pod waits for this scheduler.
fn is_ours(pod: &Value) -> bool {
    text(pod, "/spec/nodeName").is_empty()
        && matches!(text(pod, "/spec/schedulerName"), COMPONENT | "")
        && entries(pod, "/spec/schedulingGates").is_empty()
        && !pod_state::is_terminal(pod)
        && !is_deleting(pod)
}

/// A pod that ends or goes leaves its resources to others.
fn frees_room(event: &StoreEvent) -> bool {
    let placed = |pod: &Value| !text(pod, "/spec/nodeName").is_empty() && !pod_state::is_terminal(pod);
    let before = event.before.as_deref().is_some_and(placed);
    before && (event.kind == StoreEventKind::Deleted || !placed(&event.object))
}

/// What of a node can make room for a pod.
fn node_face(node: &Value) -> Value {
    json!([node["spec"], node["metadata"]["labels"], node["status"]["allocatable"]])
}

/// Looks at every pod whose turn has come.
pub fn run(cluster: &mut Cluster) {
    while let Some(key) = queue::next(cluster) {
        let Some(pod) = cluster.store.get(&key).cloned().filter(|pod| is_ours(pod)) else {
            queue::done(cluster, &key);
            continue;
        };
        schedule(cluster, &pod);
    }
    queue::arm(cluster);
}

fn schedule(cluster: &mut Cluster, pod: &Arc<Value>) {
    let view = View::of(cluster);
    let key = kind::POD.key(namespace(pod), name(pod));
    if let Some(why) = PLUGINS.iter().find_map(|plugin| plugin.refuse_everywhere(&view, pod)) {
        // The real message ends so, for want of a preemption's words.
        fail(cluster, pod, &format!("0/{nodes} nodes are available: {why}. not found", nodes = view.nodes.len()));
        queue::park(cluster, &key);
        return;
    }
    let mut refusals: Vec<Refusal> = Vec::new();
    let mut feasible: Vec<&Arc<Value>> = Vec::new();
    for node in &view.nodes {
        match PLUGINS.iter().find_map(|plugin| plugin.filter(&view, pod, node)) {
            Some(refusal) => refusals.push(refusal),
            None => feasible.push(node),
        }
    }
    if feasible.is_empty() {
        let message = message::unschedulable(&refusals, view.nodes.len());
        fail(cluster, pod, &message);
        queue::park(cluster, &key);
        return;
    }
    let chosen = choose(cluster, &view, pod, &feasible);
    queue::done(cluster, &key);
    let by = Actor { user: "system:kube-scheduler".into(), manager: "kube-scheduler".into() };
    if cluster.bind(namespace(pod), name(pod), &chosen, &by).is_ok() {
        let message = format!("Successfully assigned {}/{} to {chosen}", namespace(pod), name(pod));
        let bound = cluster.store.get(&key).cloned();
        events::record(cluster, COMPONENT, bound.as_deref().unwrap_or(pod), Note::normal("Scheduled", &message));
    }
}

/// The node with the highest score; chance decides between equals, as in the real one.
fn choose(cluster: &mut Cluster, view: &View, pod: &Value, feasible: &[&Arc<Value>]) -> String {
    let score = |node: &Value| PLUGINS.iter().map(|plugin| plugin.score(view, pod, node)).sum::<i64>();
    let scores: Vec<i64> = feasible.iter().map(|node| score(node)).collect();
    let best = scores.iter().copied().max().unwrap_or(0);
    let equals: Vec<&str> =
        feasible.iter().zip(&scores).filter(|(_, score)| **score == best).map(|(node, _)| name(node)).collect();
    let drawn = usize::try_from(cluster.chance.below(equals.len() as u64)).unwrap_or(0);
    equals.get(drawn).copied().unwrap_or("").to_owned()
}

/// Says on the pod and by an event why it has no node.
fn fail(cluster: &mut Cluster, pod: &Arc<Value>, message: &str) {
    events::record(cluster, COMPONENT, pod, Note::warning("FailedScheduling", message));
    let today = cluster.today();
    let generation = pod["metadata"]["generation"].clone();
    let by = Actor { user: "system:kube-scheduler".into(), manager: "kube-scheduler".into() };
    let own = uid(pod).to_owned();
    let edit = |pod: &mut Value| {
        if uid(pod) != own {
            return;
        }
        let mut conditions = entries(pod, "/status/conditions").to_vec();
        let known = conditions.iter().position(|condition| text(condition, "/type") == "PodScheduled");
        let since = known
            .and_then(|at| conditions.get(at))
            .filter(|known| text(known, "/status") == "False")
            .map_or(json!(today), |known| known["lastTransitionTime"].clone());
        let mut condition = json!({
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": message,
            "lastProbeTime": null,
            "lastTransitionTime": since,
        });
        if !generation.is_null() {
            condition["observedGeneration"] = generation.clone();
        }
        match known.and_then(|at| conditions.get_mut(at)) {
            Some(known) => *known = condition,
            None => conditions.push(condition),
        }
        set(pod, "/status/conditions", Value::Array(conditions));
    };
    // A pod that is gone meanwhile needs no word.
    let _ = cluster.update(&kind::POD, namespace(pod), name(pod), Part::Status, &by, edit);
}
