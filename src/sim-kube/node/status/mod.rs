//! A pod's status as its node writes it (`generateAPIPodStatus` of `pkg/kubelet/kubelet_pods.go`).

mod conditions;
mod containers;
mod phase;

use serde_json::{Map, Value, json};

use super::{
    pod_run::{PodRun, Stage},
    probe,
};
use crate::{
    Cluster,
    api::verbs::{Actor, Part},
    kind,
    object::{name, namespace, set, text, uid},
};

/// Writes the pod's status as it is now, if that says anything new; asks the probes that wait for it.
pub(super) fn write(cluster: &mut Cluster, id: &str) {
    let Some(status) = compute(cluster, id) else { return };
    send(cluster, id, status);
    if cluster.nodes.pods.get(id).is_some_and(|pod| pod.stage == Stage::Living) {
        probe::arm(cluster, id);
    }
}

/// The pod's network has come up in the middle of a step: that alone is told, everything else stays as the step began.
pub(super) fn write_network_up(cluster: &mut Cluster, id: &str) {
    let Some(pod) = cluster.nodes.pods.get(id) else { return };
    let Some(current) = cluster.store.get(&pod.key).filter(|current| uid(current) == id) else { return };
    let Some(full) = compute(cluster, id) else { return };
    let mut status = current["status"].clone();
    status["conditions"] = full["conditions"].clone();
    send(cluster, id, status);
}

fn send(cluster: &mut Cluster, id: &str, status: Value) {
    let Some(pod) = cluster.nodes.pods.get(id) else { return };
    let by = Actor { user: format!("system:node:{}", pod.node), manager: "kubelet".into() };
    let (space, pod_name) = (namespace(&pod.pod).to_owned(), name(&pod.pod).to_owned());
    let known = cluster.store.get(&pod.key).is_some_and(|current| uid(current) == id && current["status"] != status);
    if known {
        // A pod that is gone meanwhile needs no status.
        let _ = cluster.update(&kind::POD, &space, &pod_name, Part::Status, &by, |pod| set(pod, "/status", status));
        let revision = cluster.store.revision();
        if let Some(pod) = cluster.nodes.pods.get_mut(id) {
            pod.told = revision;
        }
    }
}

/// The whole status.
fn compute(cluster: &Cluster, id: &str) -> Option<Value> {
    let pod = cluster.nodes.pods.get(id)?;
    let current = cluster.store.get(&pod.key).filter(|current| uid(current) == id)?;
    let old = current.get("status").cloned().unwrap_or_else(|| json!({}));
    let lists = containers::all(cluster, pod);
    let true_phase = phase::of(pod, &lists);
    let mut status = Map::new();
    for kept in ["qosClass", "nominatedNodeName", "resize"] {
        if let Some(value) = old.get(kept) {
            status.insert(kept.to_owned(), value.clone());
        }
    }
    if let Some(generation) = pod.pod["metadata"].get("generation") {
        status.insert("observedGeneration".to_owned(), generation.clone());
    }
    if let Some(verdict) = pod.verdict.as_ref().filter(|_| pod.is_rejected) {
        for (member, value) in [("phase", "Failed"), ("reason", &verdict.reason), ("message", &verdict.message)] {
            status.insert(member.to_owned(), json!(value));
        }
        status.insert("startTime".to_owned(), json!(cluster.date(pod.seen)));
        return Some(Value::Object(status));
    }
    // A pod counts as over only when nothing of it is left that could run.
    let is_over = pod.stage == Stage::Over;
    let is_last = matches!(true_phase, "Succeeded" | "Failed");
    let before = match text(&old, "/phase") {
        // A node tells that a container runs before it tells that it has ended, however short its life was.
        "Pending" if phase::has_ended(pod, &lists) => "Running",
        before => before,
    };
    let phase = if is_last && !is_over && !before.is_empty() { before } else { true_phase };
    status.insert("phase".to_owned(), json!(phase));
    if let Some(verdict) = &pod.verdict
        && phase == "Failed"
    {
        status.insert("reason".to_owned(), json!(verdict.reason));
        status.insert("message".to_owned(), json!(verdict.message));
    }
    addresses(cluster, pod, &mut status);
    status.insert("startTime".to_owned(), json!(cluster.date(pod.seen)));
    let conditions = conditions::all(cluster, pod, &old, true_phase, &lists);
    status.insert("conditions".to_owned(), Value::Array(conditions));
    for (field, list) in lists.into_fields() {
        if !list.is_empty() {
            status.insert(field.to_owned(), Value::Array(list));
        }
    }
    Some(Value::Object(status))
}

fn addresses(cluster: &Cluster, pod: &PodRun, status: &mut Map<String, Value>) {
    let node = cluster.store.get(&kind::NODE.key("", &pod.node));
    if let Some(ip) = node.and_then(|node| crate::network::node_address(node)) {
        status.insert("hostIP".to_owned(), json!(ip.to_string()));
        status.insert("hostIPs".to_owned(), json!([{"ip": ip.to_string()}]));
    }
    if let Some(sandbox) = pod.sandbox {
        let ip = sandbox.ip.to_string();
        status.insert("podIP".to_owned(), json!(ip));
        status.insert("podIPs".to_owned(), json!([{"ip": ip}]));
    }
}
