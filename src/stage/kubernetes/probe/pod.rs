//! A probe's pod: what it is made of, and what its state says.
//!
//! Every line of it was tried on a real cluster: the never-true readiness gate keeps it out of endpoints and headless names;
//! without `pod-template-hash` and without a name ending in `-<number>` no controller adopts it; zeros pass a compute
//! quota; the security context passes Pod Security `restricted`.

use breakfix_grade::pods::NEVER_AN_ENDPOINT;
pub(crate) use breakfix_grade::pods::{PROBE_ROLE, ROLE_LABEL};
use breakfix_lab::check::Caller;
use serde_json::{Value, json};

use crate::{
    kubernetes::object::{self, LAB_LABEL, SESSION_LABEL},
    target::Place,
};

/// The probe's image: the workload under a name that no lab uses.
pub(crate) const IMAGE: &str = "registry.example/breakfix/probe:1";
/// The only container.
pub(crate) const CONTAINER: &str = "probe";
/// When a forgotten probe ends by itself, in seconds.
const DEADLINE_SECONDS: u32 = 900;
/// A user that is not root and not in any image.
const USER: u32 = 64000;
/// Labels by which the controllers of Kubernetes would take the pod for one of theirs.
const ADOPTED_BY: [&str; 3] = ["pod-template-hash", "controller-revision-hash", "statefulset.kubernetes.io/pod-name"];

/// What a pod's status means for its use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Running,
    /// It may still come; why it has not.
    Coming(String),
    /// It never will.
    Lost(String),
}

/// A name from a random word, in letters only.
pub(crate) fn name(word: &str) -> String {
    let letters = word.bytes().take(10).map(|byte| char::from(b'a' + byte % 26));
    format!("probe-{}", letters.collect::<String>())
}

pub(crate) fn manifest(place: &Place, caller: &Caller, namespace: &str, name: &str, pull_policy: &str) -> Value {
    let mut labels = json!({SESSION_LABEL: place.session, LAB_LABEL: place.lab, ROLE_LABEL: PROBE_ROLE});
    for (key, value) in caller.labels.iter().filter(|(key, _)| !ADOPTED_BY.contains(&key.as_str())) {
        object::set(&mut labels, &[key], json!(value));
    }
    let zeros = json!({"cpu": "0", "memory": "0"});
    let mut spec = json!({
        "automountServiceAccountToken": false,
        "enableServiceLinks": false,
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 0,
        "activeDeadlineSeconds": DEADLINE_SECONDS,
        "readinessGates": [{"conditionType": NEVER_AN_ENDPOINT}],
        "securityContext": {
            "runAsNonRoot": true,
            "runAsUser": USER,
            "runAsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [{
            "name": CONTAINER,
            "image": IMAGE,
            "imagePullPolicy": pull_policy,
            "command": ["/workload", "sleep", "infinity"],
            "resources": {"requests": zeros, "limits": zeros},
            "securityContext": {
                "allowPrivilegeEscalation": false,
                "readOnlyRootFilesystem": true,
                "capabilities": {"drop": ["ALL"]},
            },
        }],
    });
    if !place.namespace.is_empty() && namespace != place.namespace {
        // `http://shop/` means the lab's shop, wherever the probe is.
        object::set(&mut spec, &["dnsConfig"], json!({"searches": [format!("{}.svc.cluster.local", place.namespace)]}));
    }
    if let Some(node) = &caller.node {
        object::set(&mut spec, &["nodeName"], json!(node));
    }
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": spec,
    })
}

/// Whether a pod is a probe, of whatever session.
pub(crate) fn is_probe(object: &Value) -> bool {
    object::label(object, ROLE_LABEL) == Some(PROBE_ROLE)
}

/// A probe of this session that has ended: a command was cut short before it could remove it.
pub(crate) fn is_left_over(pod: &Value, session: &str) -> bool {
    object::is_of_session(pod, session)
        && is_probe(pod)
        && matches!(object::text(pod, "/status/phase"), Some("Failed" | "Succeeded"))
}

/// The image that really runs.
pub(crate) fn image_id(pod: &Value) -> Option<&str> {
    object::text(pod, "/status/containerStatuses/0/imageID").filter(|id| !id.is_empty())
}

pub(crate) fn state(pod: &Value) -> State {
    if object::is_going(pod) {
        return State::Lost("it is being deleted".to_owned());
    }
    let status = |pointer: &str| object::text(pod, &format!("/status/{pointer}"));
    if let Some(phase @ ("Failed" | "Succeeded")) = status("phase") {
        let why = status("message").or_else(|| status("reason")).unwrap_or("it ended");
        return State::Lost(format!("{phase}: {why}"));
    }
    let container = pod.pointer("/status/containerStatuses/0");
    let Some(container) = container else {
        let unscheduled = object::list(pod, "/status/conditions").iter().find(|condition| {
            object::text(condition, "/type") == Some("PodScheduled")
                && object::text(condition, "/status") == Some("False")
        });
        let why = unscheduled.and_then(|condition| object::text(condition, "/message"));
        return State::Coming(why.unwrap_or("Pending").to_owned());
    };
    if container.get("restartCount").and_then(Value::as_u64).unwrap_or(0) > 0 {
        return State::Lost("its program was restarted".to_owned());
    }
    if container.pointer("/state/running").is_some() {
        return State::Running;
    }
    let waiting = |key: &str| object::text(container, &format!("/state/waiting/{key}"));
    let reason = waiting("reason").unwrap_or("Pending");
    let why = waiting("message").map_or_else(|| reason.to_owned(), |message| format!("{reason}: {message}"));
    match reason {
        "ErrImageNeverPull" | "InvalidImageName" => State::Lost(why),
        _ => State::Coming(why),
    }
}

#[cfg(test)]
mod tests;
