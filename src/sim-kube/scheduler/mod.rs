//! The scheduler: which node a pod goes to, or why none.
//!
//! A plugin a file: it may refuse a node (`filter`) and prefer one to another (`score`), as in `pkg/scheduler/framework/plugins`.
//! [`PLUGINS`] is the list. `preemption` makes room for pods of higher priority, `binding` waits for volumes. Nothing polls: pods that found no node wait until a write may have helped them.

mod binding;
mod framework;
mod message;
pub mod node_affinity;
mod node_ports;
mod node_unschedulable;
mod pod_affinity;
mod preemption;
mod queue;
mod resources;
mod spread;
pub mod taints;
mod topology_spread;
mod volume_binding;

use std::{sync::Arc, time::Duration};

use breakfix_sim::{Key, StoreEvent, StoreEventKind};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use framework::{Plugin, Refusal, View};
pub use node_ports::ports_clash;
pub use resources::{amounts, requests};

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
    &volume_binding::VolumeRestrictions,
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
    pub(crate) binding: binding::Waiting,
}

fn actor() -> Actor {
    Actor { user: "system:kube-scheduler".into(), manager: "kube-scheduler".into() }
}

/// Queues a look where a write may have changed something.
pub fn told(cluster: &mut Cluster, event: &StoreEvent) {
    match &*event.key.collection {
        "pods" => {
            let waits = is_ours(&event.object) && event.kind != StoreEventKind::Deleted;
            if waits && event.before.as_ref().is_none_or(|before| before["spec"] != event.object["spec"]) {
                queue::admit(cluster, &event.key, preemption::priority(&event.object), LAG);
            }
            if frees_room(event) {
                queue::wake_for_room(cluster);
            } else if joins_neighbours(event) {
                let concerned: Vec<Key> = queue::waiting(cluster)
                    .filter(|key| cluster.store.get(key).is_some_and(|pod| minds_neighbours(pod)))
                    .cloned()
                    .collect();
                queue::wake(cluster, &concerned);
            }
        }
        "nodes" if event.before.as_ref().is_none_or(|before| node_face(before) != node_face(&event.object)) => {
            queue::wake_all(cluster);
        }
        "persistentvolumeclaims" if event.kind != StoreEventKind::Deleted => {
            let concerned: Vec<Key> = cluster
                .store
                .list(kind::POD.collection, Some(&event.key.namespace))
                .filter(|(_, pod)| volume_binding::claims(pod).any(|claim| claim == &*event.key.name))
                .map(|(key, _)| key.clone())
                .collect();
            queue::wake_for_volumes(cluster, |key| concerned.contains(key));
        }
        "persistentvolumes" | "storageclasses.storage.k8s.io" if event.kind != StoreEventKind::Deleted => {
            queue::wake_for_volumes(cluster, |_| true);
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

/// A pod that gets a node, or other labels where it runs, may be the one that others want beside them (queueing hints of InterPodAffinity
/// and PodTopologySpread).
fn joins_neighbours(event: &StoreEvent) -> bool {
    let face = |pod: &Value| (pod["spec"]["nodeName"].clone(), pod["metadata"]["labels"].clone());
    event.kind != StoreEventKind::Deleted
        && !text(&event.object, "/spec/nodeName").is_empty()
        && event.before.as_ref().is_none_or(|before| face(before) != face(&event.object))
}

/// Whether it matters to a pod who runs where.
fn minds_neighbours(pod: &Value) -> bool {
    let spec = &pod["spec"];
    let asks = |kind: &str| spec["affinity"].get(kind).is_some_and(|asked| !asked.is_null());
    asks("podAffinity") || asks("podAntiAffinity") || !entries(pod, "/spec/topologySpreadConstraints").is_empty()
}

/// What of a node can make room for a pod.
fn node_face(node: &Value) -> Value {
    json!([node["spec"], node["metadata"]["labels"], node["status"]["allocatable"]])
}

/// Looks at every pod whose turn has come.
pub fn run(cluster: &mut Cluster) {
    binding::look(cluster);
    while let Some(key) = queue::next(cluster) {
        let Some(pod) = cluster.store.get(&key).cloned().filter(|pod| is_ours(pod) && !binding::holds(cluster, &key))
        else {
            queue::done(cluster, &key);
            continue;
        };
        schedule(cluster, &pod);
    }
    queue::arm(cluster);
}

fn schedule(cluster: &mut Cluster, pod: &Arc<Value>) {
    let view = View::of(cluster).with_promised(cluster, pod);
    let key = kind::POD.key(namespace(pod), name(pod));
    if let Some(why) = PLUGINS.iter().find_map(|plugin| plugin.refuse_everywhere(&view, pod)) {
        // The real message ends so, for want of a preemption's words.
        let message = format!("0/{nodes} nodes are available: {why}. not found", nodes = view.nodes.len());
        fail(cluster, pod, "Unschedulable", &message);
        queue::park(cluster, &key, queue::Blocked::Volumes);
        return;
    }
    let mut refusals: Vec<(String, Refusal)> = Vec::new();
    let mut feasible: Vec<&Arc<Value>> = Vec::new();
    for node in &view.nodes {
        match PLUGINS.iter().find_map(|plugin| plugin.filter(&view, pod, node)) {
            Some(refusal) => refusals.push((name(node).to_owned(), refusal)),
            None => feasible.push(node),
        }
    }
    if feasible.is_empty() {
        let found = preemption::preempt(cluster, &view, pod, &refusals);
        let words = match &found {
            preemption::Found::Room => None,
            preemption::Found::Nothing(words) => Some(words.as_str()),
        };
        let message = message::unschedulable(&refusals, view.nodes.len(), words);
        fail(cluster, pod, "Unschedulable", &message);
        queue::park(cluster, &key, queue::Blocked::Otherwise);
        return;
    }
    let chosen = choose(cluster, &view, pod, &feasible);
    queue::done(cluster, &key);
    let node = view.nodes.iter().find(|node| name(node) == chosen);
    match node.and_then(|node| volume_binding::steps(&view, pod, node)) {
        Some(steps) if !steps.is_empty() => binding::begin(cluster, pod, &chosen, &steps),
        _ => bind(cluster, pod, &chosen),
    }
}

/// The pod goes to its node.
fn bind(cluster: &mut Cluster, pod: &Value, node: &str) {
    if cluster.bind(namespace(pod), name(pod), node, &actor()).is_ok() {
        let message = format!("Successfully assigned {}/{} to {node}", namespace(pod), name(pod));
        let bound = cluster.store.get(&kind::POD.key(namespace(pod), name(pod))).cloned();
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
fn fail(cluster: &mut Cluster, pod: &Arc<Value>, reason: &str, message: &str) {
    events::record(cluster, COMPONENT, pod, Note::warning("FailedScheduling", message));
    let today = cluster.today();
    let generation = pod["metadata"]["generation"].clone();
    let by = actor();
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
            "reason": reason,
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
