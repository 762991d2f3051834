//! The nodes as machines: whether kubelet runs on one, and the commands of somebody who is logged in there.
//!
//! Without kubelet the containers go on running, and nobody looks after them: no probe is asked, nothing is restarted, no status told. What
//! was due meanwhile is done when it comes back. A running kubelet's heartbeats are not written down one by one: an idle cluster has
//! nothing to do. When the last one was is worked out.

use std::time::Duration;

use breakfix_sim::SimTime;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{eviction::Shortage, kubelet, registration};
use crate::{
    Cluster, Status,
    api::verbs::{Actor, Part},
    bootstrap,
    controllers::{node_lifecycle, queue::enqueue},
    event::{Event, PodStep},
    kind,
    object::{entries, set, text},
};

/// How often kubelet renews its lease (`nodeLeaseDurationSeconds` / 4).
const RENEWAL: u64 = 10_000;
/// From kubelet's start to its first word.
const START: Duration = Duration::from_millis(1_200);

/// What is known of a node's machine.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Machine {
    /// Since when kubelet does not run.
    stopped: Option<SimTime>,
    /// What was due while it did not, by uid.
    held: Vec<(String, PodStep)>,
    /// Whether its memory runs short.
    #[serde(default)]
    pub(super) shortage: Shortage,
}

/// What a command on a node left behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeResult {
    pub stdout: String,
    pub stderr: String,
    pub exit: i32,
}

/// Whether there is a machine of that name. A Node that somebody has made by hand has none.
pub fn exists(cluster: &Cluster, node: &str) -> bool {
    bootstrap::node_names(cluster.config.workers).iter().any(|name| name == node)
}

/// Whether kubelet runs on a node.
pub fn has_kubelet(cluster: &Cluster, node: &str) -> bool {
    match cluster.nodes.machines.get(node) {
        Some(machine) => machine.stopped.is_none(),
        None => exists(cluster, node),
    }
}

/// When a node was last heard of: the last renewal of its lease, which comes to an end where its kubelet is stopped.
pub fn last_heartbeat(cluster: &Cluster, node: &str) -> SimTime {
    let offset = node.bytes().fold(7_u64, |sum, byte| (sum * 31 + u64::from(byte)) % RENEWAL);
    match cluster.nodes.machines.get(node).and_then(|machine| machine.stopped) {
        None if !exists(cluster, node) => SimTime::default(),
        None => SimTime(cluster.now().0 - (cluster.now().0 + RENEWAL - offset) % RENEWAL),
        Some(stopped) => SimTime(stopped.0 - (stopped.0 + RENEWAL - offset) % RENEWAL),
    }
}

/// Runs a command on a node itself, as a person logged in there.
///
/// # Errors
/// There is no such node, or the command is not simulated.
pub fn command(cluster: &mut Cluster, node: &str, argv: &[String]) -> Result<NodeResult, Status> {
    if !exists(cluster, node) {
        return Err(Status::not_found(&kind::NODE, node));
    }
    let words: Vec<&str> = match argv {
        [shell, flag, script] if shell.ends_with("sh") && flag == "-c" => script.split_whitespace().collect(),
        _ => argv.iter().map(String::as_str).collect(),
    };
    let plain: Vec<&str> = words.iter().map(|word| word.trim_end_matches(".service")).collect();
    match plain.as_slice() {
        ["systemctl", verb, "kubelet"] => service(cluster, node, verb),
        ["service", "kubelet", verb] => service(cluster, node, verb),
        _ => Err(Status::new(
            501,
            "NotImplemented",
            format!(
                "the simulated node knows systemctl start, stop, restart, is-active and status of kubelet, not {words:?}"
            ),
        )),
    }
}

fn service(cluster: &mut Cluster, node: &str, verb: &str) -> Result<NodeResult, Status> {
    let runs = has_kubelet(cluster, node);
    let state = if runs { "active" } else { "inactive" };
    let done = NodeResult::default();
    match verb {
        "start" => {
            start(cluster, node);
            Ok(done)
        }
        "stop" => {
            stop(cluster, node);
            Ok(done)
        }
        "restart" => {
            stop(cluster, node);
            start(cluster, node);
            Ok(done)
        }
        "is-active" => Ok(NodeResult { stdout: format!("{state}\n"), exit: if runs { 0 } else { 3 }, ..done }),
        "status" => {
            let word = if runs { "active (running)" } else { "inactive (dead)" };
            let stdout = format!("kubelet.service - kubelet: The Kubernetes Node Agent\n     Active: {word}\n");
            Ok(NodeResult { stdout, exit: if runs { 0 } else { 3 }, ..done })
        }
        "enable" | "disable" => Ok(done),
        other => Ok(NodeResult { stderr: format!("Unknown command verb '{other}'.\n"), exit: 1, ..done }),
    }
}

/// Stops kubelet on a node.
pub fn stop(cluster: &mut Cluster, node: &str) {
    if has_kubelet(cluster, node) {
        let now = cluster.now();
        cluster.nodes.machines.entry(node.to_owned()).or_default().stopped = Some(now);
        enqueue(cluster, node_lifecycle::NAME, &kind::NODE.key("", node), Duration::ZERO);
    }
}

/// Starts kubelet on a node.
pub fn start(cluster: &mut Cluster, node: &str) {
    let Some(machine) = cluster.nodes.machines.get_mut(node).filter(|machine| machine.stopped.is_some()) else {
        return;
    };
    machine.stopped = None;
    let held = std::mem::take(&mut machine.held);
    let at = cluster.now() + START;
    for (uid, step) in held {
        if let Some(pod) = cluster.nodes.pods.get(&uid) {
            let key = pod.key.clone();
            cluster.queue.push(at, Event::Pod { key, uid, step });
        }
    }
    let here: Vec<String> =
        cluster.nodes.pods.values().filter(|pod| pod.node == node).map(|pod| pod.uid.clone()).collect();
    for uid in here {
        kubelet::sync_at(cluster, &uid, at);
    }
    report(cluster, node);
    enqueue(cluster, node_lifecycle::NAME, &kind::NODE.key("", node), Duration::ZERO);
}

/// Holds back a step of a pod whose node has no kubelet; whether it was.
pub(super) fn hold(cluster: &mut Cluster, uid: &str, step: &PodStep) -> bool {
    // A program's life is its own and the kernel's.
    if matches!(step, PodStep::Program { .. }) {
        return false;
    }
    let Some(node) = cluster.nodes.pods.get(uid).map(|pod| pod.node.clone()) else { return false };
    if has_kubelet(cluster, &node) {
        return false;
    }
    // Where there is no machine nobody ever comes back to it.
    if let Some(machine) = cluster.nodes.machines.get_mut(&node) {
        machine.held.push((uid.to_owned(), step.clone()));
    }
    true
}

/// The first words of a kubelet that has come up: the node's conditions as they are. A node that was deleted meanwhile is registered anew.
fn report(cluster: &mut Cluster, node: &str) {
    let Some(object) = cluster.store.get(&kind::NODE.key("", node)).cloned() else {
        // The API says no to a name of its own only if a policy of somebody's says so: the real one would try again and again.
        let _ = registration::register(cluster, node);
        return;
    };
    let was_ready = entries(&object, "/status/conditions")
        .iter()
        .any(|condition| text(condition, "/type") == "Ready" && text(condition, "/status") == "True");
    let today = cluster.today();
    let by = Actor { user: format!("system:node:{node}"), manager: "kubelet".into() };
    let edit = |object: &mut Value| {
        let conditions: Vec<Value> =
            entries(object, "/status/conditions").iter().map(|condition| fresh(condition, &today)).collect();
        set(object, "/status/conditions", Value::Array(conditions));
    };
    // A node that is gone meanwhile says nothing.
    let _ = cluster.update(&kind::NODE, "", node, Part::Status, &by, edit);
    registration::greet(cluster, &object, !was_ready);
}

/// A condition as a healthy kubelet tells it.
fn fresh(condition: &Value, today: &str) -> Value {
    let (status, reason, message) = match text(condition, "/type") {
        "MemoryPressure" if text(condition, "/status") == "True" => {
            ("True", "KubeletHasInsufficientMemory", "kubelet has insufficient memory available")
        }
        "MemoryPressure" => ("False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
        "DiskPressure" => ("False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        "PIDPressure" => ("False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        "Ready" => ("True", "KubeletReady", "kubelet is posting ready status"),
        _ => return condition.clone(),
    };
    let since = if text(condition, "/status") == status { text(condition, "/lastTransitionTime") } else { today };
    json!({
        "type": condition["type"],
        "status": status,
        "reason": reason,
        "message": message,
        "lastHeartbeatTime": today,
        "lastTransitionTime": since,
    })
}

/// The words in which the API server says that it cannot reach a node's kubelet; nothing where it can.
pub(super) fn unreachable(cluster: &Cluster, node: &str) -> Option<String> {
    if has_kubelet(cluster, node) {
        return None;
    }
    let ip = cluster.store.get(&kind::NODE.key("", node)).and_then(|node| crate::network::node_address(node))?;
    Some(format!("dial tcp {ip}:10250: connect: connection refused"))
}
