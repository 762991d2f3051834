//! Pods: the STATUS column above all, which is computed from containers and conditions (`printPod`).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{AGE, Layout, NAME, age, age::since, column, name, or_none, wide};
use crate::object::{entries, is_deleting, number, text, truth};

pub static LAYOUT: Layout = Layout {
    columns: &[
        NAME,
        column("Ready", "The aggregate readiness state of this pod for accepting traffic."),
        column("Status", "The aggregate status of the containers in this pod."),
        column(
            "Restarts",
            "The number of times the containers in this pod have been restarted and when the last container in this pod has restarted.",
        ),
        AGE,
        wide("IP", "The pod's address in the cluster."),
        wide("Node", "The node that the pod is bound to."),
        wide("Nominated Node", "The node on which pods are being evicted for this one."),
        wide("Readiness Gates", "Conditions beside the containers' that the pod must meet to be ready."),
    ],
    cells,
};

fn cells(pod: &Value, now: Timestamp) -> Vec<Value> {
    let summary = Summary::of(pod);
    let restarts = match (summary.restarts, &summary.last_restart) {
        (0, _) | (_, None) => summary.restarts.to_string(),
        (count, Some(moment)) => format!("{count} ({} ago)", since(moment, now)),
    };
    let sidecars = entries(pod, "/spec/initContainers").iter().filter(|container| is_sidecar(container)).count();
    let total = entries(pod, "/spec/containers").len() + sidecars;
    let ip = entries(pod, "/status/podIPs").first().map_or(text(pod, "/status/podIP"), |entry| text(entry, "/ip"));
    vec![
        name(pod),
        json!(format!("{}/{total}", summary.ready)),
        json!(summary.status),
        json!(restarts),
        age(pod, now),
        or_none(ip),
        or_none(text(pod, "/spec/nodeName")),
        or_none(text(pod, "/status/nominatedNodeName")),
        gates(pod),
    ]
}

fn gates(pod: &Value) -> Value {
    let gates = entries(pod, "/spec/readinessGates");
    if gates.is_empty() {
        return or_none("");
    }
    let met = gates.iter().filter(|gate| condition(pod, text(gate, "/conditionType"))).count();
    json!(format!("{met}/{}", gates.len()))
}

fn condition(pod: &Value, name: &str) -> bool {
    entries(pod, "/status/conditions")
        .iter()
        .any(|condition| text(condition, "/type") == name && text(condition, "/status") == "True")
}

fn is_sidecar(container: &Value) -> bool {
    text(container, "/restartPolicy") == "Always"
}

/// What the containers say together.
struct Summary {
    status: String,
    ready: usize,
    restarts: i64,
    last_restart: Option<String>,
}

impl Summary {
    fn of(pod: &Value) -> Self {
        let reason = text(pod, "/status/reason");
        let status = if reason.is_empty() { text(pod, "/status/phase") } else { reason };
        let mut summary = Self { status: status.to_owned(), ready: 0, restarts: 0, last_restart: None };
        for condition in entries(pod, "/status/conditions") {
            if text(condition, "/type") == "PodScheduled" && text(condition, "/reason") == "SchedulingGated" {
                "SchedulingGated".clone_into(&mut summary.status);
            }
        }
        let mut sidecars = Self { status: String::new(), ready: 0, restarts: 0, last_restart: None };
        let starting = summary.init(pod, &mut sidecars);
        if !starting || condition(pod, "Initialized") {
            summary.restarts = sidecars.restarts;
            summary.last_restart = sidecars.last_restart;
            summary.main(pod);
        }
        if is_deleting(pod) && reason == "NodeLost" {
            "Unknown".clone_into(&mut summary.status);
        } else if is_deleting(pod) && !matches!(text(pod, "/status/phase"), "Succeeded" | "Failed") {
            "Terminating".clone_into(&mut summary.status);
        }
        summary
    }

    fn restarted(&mut self, container: &Value) {
        self.restarts += number(container, "/restartCount").unwrap_or(0);
        let finished = text(container, "/lastState/terminated/finishedAt");
        if !finished.is_empty() && self.last_restart.as_deref().is_none_or(|last| last < finished) {
            self.last_restart = Some(finished.to_owned());
        }
    }

    /// The init containers, up to the first that is not done; whether there is one.
    fn init(&mut self, pod: &Value, sidecars: &mut Self) -> bool {
        let specs = entries(pod, "/spec/initContainers");
        for (index, container) in entries(pod, "/status/initContainerStatuses").iter().enumerate() {
            self.restarted(container);
            let own = text(container, "/name");
            let sidecar = specs.iter().any(|spec| text(spec, "/name") == own && is_sidecar(spec));
            if sidecar {
                sidecars.restarted(container);
            }
            let ended = container.pointer("/state/terminated").filter(|state| !state.is_null());
            let waiting = text(container, "/state/waiting/reason");
            if let Some(ended) = ended {
                if number(ended, "/exitCode") == Some(0) {
                    continue;
                }
                self.status = format!("Init:{}", ending(ended));
            } else if sidecar && truth(container, "/started") {
                self.ready += usize::from(truth(container, "/ready"));
                continue;
            } else if !waiting.is_empty() && waiting != "PodInitializing" {
                self.status = format!("Init:{waiting}");
            } else {
                self.status = format!("Init:{index}/{}", specs.len());
            }
            return true;
        }
        false
    }

    fn main(&mut self, pod: &Value) {
        let mut running = false;
        for container in entries(pod, "/status/containerStatuses").iter().rev() {
            self.restarted(container);
            let waiting = text(container, "/state/waiting/reason");
            if !waiting.is_empty() {
                waiting.clone_into(&mut self.status);
            } else if let Some(ended) = container.pointer("/state/terminated").filter(|state| !state.is_null()) {
                self.status = ending(ended);
            } else if truth(container, "/ready") && container.pointer("/state/running").is_some_and(Value::is_object) {
                running = true;
                self.ready += 1;
            }
        }
        if self.status == "Completed" && running {
            let status = if condition(pod, "Ready") { "Running" } else { "NotReady" };
            status.clone_into(&mut self.status);
        }
    }
}

/// The reason of an end, or its signal or exit code.
fn ending(ended: &Value) -> String {
    let reason = text(ended, "/reason");
    let signal = number(ended, "/signal").unwrap_or(0);
    if !reason.is_empty() {
        reason.to_owned()
    } else if signal != 0 {
        format!("Signal:{signal}")
    } else {
        format!("ExitCode:{}", number(ended, "/exitCode").unwrap_or(0))
    }
}
