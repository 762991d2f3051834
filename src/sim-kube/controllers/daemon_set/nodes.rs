//! Which nodes should have a daemon (`NodeShouldRunDaemonPod`), and how its pod is tied to one (`daemon/util`).

use serde_json::{Value, json};

use crate::{
    object::{entries, name, set, text},
    scheduler::{node_affinity, taints},
};

/// Tolerated by every daemon: it stays where others go.
const TOLERATED: [(&str, &str); 6] = [
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
];
/// Tolerated too by daemons on the host's network.
const HOST_NETWORK: (&str, &str) = ("node.kubernetes.io/network-unavailable", "NoSchedule");

/// Whether a node should have a daemon, and whether one that is there may stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wish {
    pub(super) run: bool,
    pub(super) stay: bool,
}

pub(super) fn wish(daemon_set: &Value, node: &Value) -> Wish {
    let template = &daemon_set["spec"]["template"];
    let wanted = text(template, "/spec/nodeName");
    let mut pod = json!({"spec": template["spec"]});
    tolerate(&mut pod);
    if (!wanted.is_empty() && wanted != name(node)) || !node_affinity::fits(&pod, node) {
        return Wish { run: false, stay: false };
    }
    let untolerated = |effects: &[&str]| {
        entries(node, "/spec/taints")
            .iter()
            .any(|taint| effects.contains(&text(taint, "/effect")) && taints::toleration(&pod, taint).is_none())
    };
    Wish { run: !untolerated(&["NoSchedule", "NoExecute"]), stay: !untolerated(&["NoExecute"]) }
}

/// Adds the tolerations of a daemon, in place of equal ones of its own.
pub(super) fn tolerate(pod: &mut Value) {
    let is_on_host = pod["spec"]["hostNetwork"] == true;
    let mut tolerations = entries(pod, "/spec/tolerations").to_vec();
    for (key, effect) in TOLERATED.iter().chain(is_on_host.then_some(&HOST_NETWORK)) {
        let wanted = json!({"key": key, "operator": "Exists", "effect": effect});
        let same = |other: &&mut Value| {
            text(other, "/key") == *key
                && text(other, "/effect") == *effect
                && text(other, "/operator") == "Exists"
                && text(other, "/value").is_empty()
        };
        match tolerations.iter_mut().find(same) {
            Some(own) => *own = wanted,
            None => tolerations.push(wanted),
        }
    }
    set(pod, "/spec/tolerations", Value::Array(tolerations));
}

/// Ties a pod to a node: the scheduler binds it there and nowhere else.
pub(super) fn tie(pod: &mut Value, node: &str) {
    let only = json!([{"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}]);
    set(
        pod,
        "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution",
        json!({"nodeSelectorTerms": only}),
    );
}

/// The node that a daemon's pod is on or is meant for (`GetTargetNodeName`).
pub(super) fn target(pod: &Value) -> Option<&str> {
    let bound = text(pod, "/spec/nodeName");
    if !bound.is_empty() {
        return Some(bound);
    }
    let terms = "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms";
    entries(pod, terms)
        .iter()
        .flat_map(|term| entries(term, "/matchFields"))
        .find(|field| text(field, "/key") == "metadata.name" && text(field, "/operator") == "In")
        .and_then(|field| entries(field, "/values").first()?.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, taints: Value) -> Value {
        json!({"metadata": {"name": name, "labels": {"disk": "fast"}}, "spec": {"taints": taints}})
    }

    fn daemon(spec: Value) -> Value {
        json!({"spec": {"template": {"spec": spec}}})
    }

    #[test]
    fn a_cordoned_or_silent_node_keeps_its_daemon() {
        let silent = node(
            "a",
            json!([
                {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"},
                {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"},
            ]),
        );
        assert_eq!(wish(&daemon(json!({})), &silent), Wish { run: true, stay: true });
        // The NoSchedule taint of a silent node is not tolerated: a new daemon waits, an old one stays.
        let fresh = node("a", json!([{"key": "node.kubernetes.io/unreachable", "effect": "NoSchedule"}]));
        assert_eq!(wish(&daemon(json!({})), &fresh), Wish { run: false, stay: true });
    }

    #[test]
    fn a_daemon_follows_selectors_and_taints() {
        let tainted = node("a", json!([{"key": "gpu", "value": "yes", "effect": "NoExecute"}]));
        assert_eq!(wish(&daemon(json!({})), &tainted), Wish { run: false, stay: false });
        let tolerant = daemon(json!({"tolerations": [{"key": "gpu", "operator": "Exists"}]}));
        assert_eq!(wish(&tolerant, &tainted), Wish { run: true, stay: true });
        let slow = daemon(json!({"nodeSelector": {"disk": "slow"}}));
        assert_eq!(wish(&slow, &node("a", json!([]))), Wish { run: false, stay: false });
    }

    #[test]
    fn a_tied_pod_has_its_node_in_a_field_term() {
        let mut pod = json!({"spec": {}});
        tie(&mut pod, "worker");
        assert_eq!(target(&pod), Some("worker"));
    }
}
