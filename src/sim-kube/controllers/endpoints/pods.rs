//! What endpoints show of a pod: its address, its state, its ports.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::is_headless;
use crate::{
    Cluster,
    controllers::{pod_state, selector},
    kind,
    object::{entries, is_deleting, name, namespace, text, truth, uid},
};

/// Everything about a pod that its Services' endpoints depend on.
pub(super) fn face(pod: &Value) -> Value {
    json!([
        pod["metadata"]["labels"],
        pod["metadata"]["deletionTimestamp"].is_string(),
        pod["status"]["podIPs"],
        pod_state::is_terminal(pod),
        pod_state::is_ready(pod),
        pod["spec"]["nodeName"],
        pod["spec"]["hostname"],
        pod["spec"]["subdomain"],
        entries(pod, "/spec/containers").iter().map(|container| &container["ports"]).collect::<Vec<_>>(),
    ])
}

/// The pods a Service selects, in the order of their names.
pub(super) fn selected(cluster: &Cluster, service: &Value) -> Vec<Arc<Value>> {
    cluster
        .store
        .list(kind::POD.collection, Some(namespace(service)))
        .filter(|(_, pod)| selector::map_selects(service.pointer("/spec/selector"), pod))
        .map(|(_, pod)| Arc::clone(pod))
        .collect()
}

/// `ShouldPodBeInEndpoints`.
pub(super) fn belongs(pod: &Value, with_terminating: bool) -> bool {
    !pod_state::is_terminal(pod) && !text(pod, "/status/podIP").is_empty() && (with_terminating || !is_deleting(pod))
}

/// The ports by which the Service reaches this pod. A named target that the pod does not have is left out.
pub(super) fn ports(service: &Value, pod: &Value) -> Vec<Value> {
    entries(service, "/spec/ports")
        .iter()
        .filter_map(|port| {
            let number = target(port, pod)?;
            let mut entry = Map::new();
            entry.insert("name".to_owned(), json!(text(port, "/name")));
            entry.insert("port".to_owned(), json!(number));
            entry.insert("protocol".to_owned(), json!(protocol(port)));
            if let Some(application) = port.get("appProtocol") {
                entry.insert("appProtocol".to_owned(), application.clone());
            }
            Some(Value::Object(entry))
        })
        .collect()
}

fn protocol(port: &Value) -> &str {
    match text(port, "/protocol") {
        "" => "TCP",
        protocol => protocol,
    }
}

/// `FindPort`: the number, or that of the container port of this name and protocol.
fn target(port: &Value, pod: &Value) -> Option<i64> {
    match port.get("targetPort") {
        Some(Value::String(target)) => entries(pod, "/spec/containers")
            .iter()
            .chain(entries(pod, "/spec/initContainers").iter().filter(|init| text(init, "/restartPolicy") == "Always"))
            .flat_map(|container| entries(container, "/ports"))
            .find(|candidate| text(candidate, "/name") == target && protocol(candidate) == protocol(port))
            .and_then(|candidate| candidate["containerPort"].as_i64()),
        Some(Value::Number(number)) if number.as_i64() != Some(0) => number.as_i64(),
        _ => port["port"].as_i64(),
    }
}

/// The pod as a target.
pub(super) fn target_ref(pod: &Value) -> Value {
    json!({"kind": "Pod", "namespace": namespace(pod), "name": name(pod), "uid": uid(pod)})
}

/// The name by which the Service's DNS knows this pod: its hostname, where its subdomain is the Service.
pub(super) fn hostname<'a>(service: &Value, pod: &'a Value) -> Option<&'a str> {
    let hostname = text(pod, "/spec/hostname");
    (!hostname.is_empty() && text(pod, "/spec/subdomain") == name(service)).then_some(hostname)
}

/// An entry of a slice (`podToEndpoint`).
pub(super) fn slice_entry(cluster: &Cluster, service: &Value, pod: &Value) -> Value {
    let serving = pod_state::is_ready(pod);
    let terminating = is_deleting(pod);
    let ready = truth(service, "/spec/publishNotReadyAddresses") || (serving && !terminating);
    let mut entry = json!({
        "addresses": [text(pod, "/status/podIP")],
        "conditions": {"ready": ready, "serving": serving, "terminating": terminating},
        "targetRef": target_ref(pod),
    });
    let node = text(pod, "/spec/nodeName");
    if !node.is_empty() {
        entry["nodeName"] = json!(node);
        if let Some(zone) = zone(cluster, node) {
            entry["zone"] = json!(zone);
        }
    }
    if let Some(hostname) = hostname(service, pod) {
        entry["hostname"] = json!(hostname);
    }
    entry
}

fn zone(cluster: &Cluster, node: &str) -> Option<String> {
    let node = cluster.store.get(&kind::NODE.key("", node))?;
    node["metadata"]["labels"]["topology.kubernetes.io/zone"].as_str().map(str::to_owned)
}

/// When the Service or the readiness of one of its pods changed last.
pub(super) fn trigger_time(service: &Value, pods: &[Arc<Value>]) -> String {
    let of_pods = pods.iter().filter_map(|pod| pod_state::condition(pod, "Ready"));
    of_pods
        .map(|condition| text(condition, "/lastTransitionTime"))
        .chain([text(service, "/metadata/creationTimestamp")])
        .max()
        .unwrap_or("")
        .to_owned()
}

/// The Service's labels as endpoints carry them, with `service.kubernetes.io/headless` where it is.
pub(super) fn labels(service: &Value) -> Map<String, Value> {
    let mut labels = service.pointer("/metadata/labels").and_then(Value::as_object).cloned().unwrap_or_default();
    labels.remove(super::HEADLESS);
    if is_headless(service) {
        labels.insert(super::HEADLESS.to_owned(), json!(""));
    }
    labels
}
