//! The conditions of a pod (`pkg/kubelet/status/generate.go`).

use serde_json::{Value, json};

use super::containers::Lists;
use crate::{
    Cluster,
    node::{
        pod_run::PodRun,
        spec::{self, Role},
    },
    object::{entries, text},
};

/// A condition before it has its times.
struct Condition {
    name: &'static str,
    holds: bool,
    reason: &'static str,
    message: String,
}

impl Condition {
    fn holds(name: &'static str) -> Self {
        Self { name, holds: true, reason: "", message: String::new() }
    }

    fn fails(name: &'static str, reason: &'static str, message: String) -> Self {
        Self { name, holds: false, reason, message }
    }
}

/// The conditions that others wrote, then kubelet's own in their order (`mergePodStatus`).
pub(super) fn all(cluster: &Cluster, pod: &PodRun, old: &Value, phase: &str, lists: &Lists) -> Vec<Value> {
    let today = cluster.today();
    let containers_ready = containers_ready(phase, lists);
    let own = [
        network(pod),
        initialized(pod, phase, lists),
        ready(pod, old, &containers_ready),
        containers_ready,
        Condition::holds("PodScheduled"),
    ];
    let old = entries(old, "/conditions");
    let others = old.iter().filter(|condition| !own.iter().any(|own| own.name == text(condition, "/type")));
    let mut all: Vec<Value> = others.cloned().collect();
    if let Some(verdict) = pod.verdict.as_ref().filter(|_| pod.is_disrupted)
        && !all.iter().any(|condition| text(condition, "/type") == "DisruptionTarget")
    {
        let disrupted = Condition {
            name: "DisruptionTarget",
            holds: true,
            reason: "TerminationByKubelet",
            message: verdict.message.clone(),
        };
        all.push(dated(&disrupted, pod, old, &today));
    }
    all.extend(own.iter().map(|condition| dated(condition, pod, old, &today)));
    all
}

fn dated(condition: &Condition, pod: &PodRun, old: &[Value], today: &str) -> Value {
    let status = if condition.holds { "True" } else { "False" };
    let before = old.iter().find(|before| text(before, "/type") == condition.name);
    let since = before.filter(|before| text(before, "/status") == status);
    let since = since.map_or(today, |before| text(before, "/lastTransitionTime"));
    let mut value =
        json!({"type": condition.name, "status": status, "lastProbeTime": null, "lastTransitionTime": since});
    if let Some(generation) = pod.pod["metadata"].get("generation") {
        value["observedGeneration"] = generation.clone();
    }
    if !condition.reason.is_empty() {
        value["reason"] = json!(condition.reason);
    }
    if !condition.message.is_empty() {
        value["message"] = json!(condition.message);
    }
    value
}

fn network(pod: &PodRun) -> Condition {
    if pod.address().is_some() {
        Condition::holds("PodReadyToStartContainers")
    } else {
        Condition::fails("PodReadyToStartContainers", "", String::new())
    }
}

fn initialized(pod: &PodRun, phase: &str, lists: &Lists) -> Condition {
    if phase == "Succeeded" {
        return Condition { reason: "PodCompleted", ..Condition::holds("Initialized") };
    }
    if pod.is_initialized {
        return Condition::holds("Initialized");
    }
    let open: Vec<&str> = lists
        .init()
        .iter()
        .filter(|status| match spec::role(&pod.pod, text(status, "/name")) {
            Some(Role::Sidecar) => status["started"] != true,
            _ => status["ready"] != true,
        })
        .map(|status| text(status, "/name"))
        .collect();
    if open.is_empty() {
        return Condition::holds("Initialized");
    }
    let message = format!("containers with incomplete status: [{}]", open.join(" "));
    Condition::fails("Initialized", "ContainersNotInitialized", message)
}

fn containers_ready(phase: &str, lists: &Lists) -> Condition {
    const NAME: &str = "ContainersReady";
    let sidecars =
        lists.init().iter().filter(|status| status["state"].get("running").is_some() && status["started"] == true);
    let unready: Vec<&str> = sidecars
        .chain(lists.main())
        .filter(|status| status["ready"] != true)
        .map(|status| text(status, "/name"))
        .collect();
    match phase {
        "Succeeded" => Condition::fails(NAME, "PodCompleted", String::new()),
        "Failed" => Condition::fails(NAME, "PodFailed", String::new()),
        _ if unready.is_empty() => Condition::holds(NAME),
        _ => {
            let message = format!("containers with unready status: [{}]", unready.join(" "));
            Condition::fails(NAME, "ContainersNotReady", message)
        }
    }
}

/// Ready: the containers are, and every readiness gate is open.
fn ready(pod: &PodRun, old: &Value, containers: &Condition) -> Condition {
    const NAME: &str = "Ready";
    if !containers.holds {
        return Condition::fails(NAME, containers.reason, containers.message.clone());
    }
    let conditions = entries(old, "/conditions");
    let mut messages = Vec::new();
    for gate in entries(&pod.pod, "/spec/readinessGates") {
        let wanted = text(gate, "/conditionType");
        match conditions.iter().find(|condition| text(condition, "/type") == wanted) {
            None => {
                messages.push(format!("corresponding condition of pod readiness gate \"{wanted}\" does not exist."))
            }
            Some(condition) if text(condition, "/status") != "True" => {
                messages.push(format!(
                    "the status of pod readiness gate \"{wanted}\" is not \"True\", but {}",
                    text(condition, "/status")
                ));
            }
            Some(_) => {}
        }
    }
    if messages.is_empty() {
        Condition::holds(NAME)
    } else {
        Condition::fails(NAME, "ReadinessGatesNotReady", messages.join(", "))
    }
}
