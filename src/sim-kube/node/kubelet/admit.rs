//! What kubelet asks before it takes a pod that was bound to its node without a scheduler (`pkg/kubelet/lifecycle/predicate.go`).

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    Cluster, kind,
    node::pod_run::{PodRun, Stage},
    object::{entries, text},
    scheduler,
};

/// Why a pod is turned away, in the words of its event; its status says "Pod was rejected: " before them.
pub(super) struct Rejection {
    pub(super) reason: String,
    pub(super) message: String,
}

/// The first reason against a pod: resources, node affinity, ports of the node, taints that would end it.
pub(super) fn refusal(cluster: &Cluster, node_name: &str, pod: &Value) -> Option<Rejection> {
    let node = cluster.store.get(&kind::NODE.key("", node_name))?;
    let lives = |other: &&PodRun| other.node == node_name && other.stage == Stage::Living && other.verdict.is_none();
    let others: Vec<&Value> = cluster.nodes.pods.values().filter(lives).map(|other| &*other.pod).collect();
    if let Some(rejection) = out_of(node, &others, pod) {
        return Some(rejection);
    }
    let predicate = |name: &str, why: &str| {
        Some(Rejection { reason: name.to_owned(), message: format!("Predicate {name} failed: {why}") })
    };
    if !scheduler::node_affinity::fits(pod, node) {
        return predicate("NodeAffinity", "node(s) didn't match Pod's node affinity/selector");
    }
    if others.iter().any(|other| scheduler::ports_clash(pod, other)) {
        return predicate("NodePorts", "node(s) didn't have free ports for the requested pod ports");
    }
    let ends =
        |taint: &&Value| text(taint, "/effect") == "NoExecute" && scheduler::taints::toleration(pod, taint).is_none();
    if entries(node, "/spec/taints").iter().any(|taint| ends(&taint)) {
        return predicate("TaintToleration", "node(s) had taints that the pod didn't tolerate");
    }
    None
}

/// What the node has not enough of.
fn out_of(node: &Value, others: &[&Value], pod: &Value) -> Option<Rejection> {
    let room = scheduler::amounts(node.pointer("/status/allocatable"));
    let refused = |resource: &str, requested: i64, used: i64, capacity: i64| {
        Some(Rejection {
            reason: format!("OutOf{resource}"),
            message: format!(
                "Node didn't have enough resource: {resource}, requested: {requested}, used: {used}, capacity: {capacity}"
            ),
        })
    };
    let count = i64::try_from(others.len()).unwrap_or(i64::MAX);
    let most = room.get("pods").copied().unwrap_or(0) / 1000;
    if count >= most {
        return refused("pods", 1, count, most);
    }
    let mut used: BTreeMap<String, i64> = BTreeMap::new();
    for other in others {
        for (resource, amount) in scheduler::requests(other) {
            let sum = used.entry(resource).or_insert(0);
            *sum = sum.saturating_add(amount);
        }
    }
    let mut wanted: Vec<(String, i64)> = scheduler::requests(pod).into_iter().collect();
    wanted.sort_by_key(|(resource, _)| {
        ["cpu", "memory", "ephemeral-storage"].iter().position(|it| it == resource).unwrap_or(9)
    });
    for (resource, requested) in wanted {
        // A device that the node does not know is the scheduler's affair alone.
        let Some(capacity) = room.get(&resource).copied().or((!resource.contains('/')).then_some(0)) else { continue };
        let used = used.get(&resource).copied().unwrap_or(0);
        if requested > 0 && requested > capacity.saturating_sub(used) {
            // Processors are counted in thousandths, everything else whole.
            let unit = if resource == "cpu" { 1 } else { 1000 };
            return refused(&resource, requested / unit, used / unit, capacity / unit);
        }
    }
    None
}
