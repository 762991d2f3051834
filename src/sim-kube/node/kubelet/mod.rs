//! kubelet's worker of one pod: steps of synchronisation, as `pkg/kubelet/kubelet.go` `SyncPod` makes them.
//!
//! A step writes the pod's status as it is at its beginning, and only then acts. What it learns by acting (a pull that failed, a back-off)
//! shows in the status that the next step writes; that is why a real pod's STATUS lags and flips, and why this one's does too.
//! A step is a list of [`Op`]s; those that take time wait on the event queue. `plan` decides them, `start`, `stop` and `finish` do them.

mod admit;
mod finish;
mod hook;
mod plan;
mod start;
mod step;
mod stop;

use std::time::Duration;

use breakfix_sim::{SimTime, StoreEvent, StoreEventKind};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use finish::{deadline, leave};
pub(super) use step::next_resync;
pub use step::{go_on, sync};
pub use stop::stop_further;

use super::{
    eviction, machine,
    pod_run::{PodRun, Reason, Stage},
};
use crate::{
    Cluster,
    controllers::events::{self, Note, Source},
    event::{Event, PodStep},
    kind,
    object::{entries, text, uid},
};

/// From a write to kubelet's look at it.
const LAG: Duration = Duration::from_millis(6);
/// From a pod that is turned away to its status. A ReplicaSet makes another one at once, held up by its controller's own limit of requests alone:
/// two replicas came to 161 pods in 12 s on a real cluster.
const REJECTED: Duration = Duration::from_millis(150);
/// `relistPeriod` of the generic pod lifecycle event generator.
const RELIST: u64 = 1000;
/// Kubelet compares what the API says of its pods with what it knows this often (`syncPeriod` and `needsReconcile` of its status manager).
const RECONCILE: Duration = Duration::from_secs(10);

/// One thing that a step does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Op {
    /// Mounts the volumes; waits until all are there.
    Mount,
    /// Makes the pod's network.
    Sandbox,
    SandboxUp,
    /// Decides what to do with the containers.
    Plan,
    /// Sees that a container may start and that its image is there. `exited`: when it ended last, as far as the step knew.
    Image {
        container: String,
        exited: Option<SimTime>,
    },
    /// A pull has come to its end.
    Pulled {
        container: String,
    },
    Create {
        container: String,
    },
    Start {
        container: String,
    },
    /// Stops a container.
    Stop {
        container: String,
        message: String,
        grace: Duration,
    },
    /// Waits for the end of a container.
    Gone {
        container: String,
    },
    /// Stops all containers of the pod: sidecars last.
    StopMain {
        grace: Duration,
    },
    StopSidecars {
        grace: Duration,
    },
    /// Waits until nothing runs; sidecars may where `sidecars` says so.
    AllGone {
        sidecars: bool,
    },
    /// Takes the network down and says the last word.
    TearDown,
}

/// How a step goes on after an op.
pub(super) enum Next {
    Now,
    After(Duration),
    /// When a container has ended.
    Wait,
}

/// Queues what a write to a pod calls for.
pub fn told(cluster: &mut Cluster, event: &StoreEvent) {
    if &*event.key.collection != kind::POD.collection {
        return;
    }
    let id = uid(&event.object).to_owned();
    if event.kind == StoreEventKind::Deleted {
        removed(cluster, &id);
        return;
    }
    let node = text(&event.object, "/spec/nodeName").to_owned();
    if node.is_empty() || cluster.store.get(&kind::NODE.key("", &node)).is_none() {
        return;
    }
    if cluster.nodes.pods.contains_key(&id) {
        let changed = event.before.as_ref().is_none_or(|before| concern(before) != concern(&event.object));
        if changed {
            sync_at(cluster, &id, cluster.now() + LAG);
        }
        if is_somebody_elses(cluster, &id, event) {
            let step = Event::Pod { key: event.key.clone(), uid: id, step: PodStep::Reconcile };
            cluster.after(RECONCILE, step);
        }
        return;
    }
    if matches!(text(&event.object, "/status/phase"), "Succeeded" | "Failed") {
        return;
    }
    let now = cluster.now();
    let pod = PodRun::new(event.key.clone(), id.clone(), node, event.object.clone(), now + LAG);
    let evicted = eviction::refuses(cluster, &pod.node, &pod.pod);
    let evicted = evicted.map(|message| admit::Rejection { reason: "Evicted".to_owned(), message });
    // Where a scheduler has looked already there is nothing to be found.
    let is_unasked = event.before.is_none();
    let refused = evicted.or_else(|| is_unasked.then(|| admit::refusal(cluster, &pod.node, &pod.pod)).flatten());
    cluster.nodes.pods.insert(id.clone(), pod);
    let mut lag = LAG;
    if let Some(admit::Rejection { reason, message }) = refused {
        record(cluster, &id, "", Note::warning(&reason, &message));
        if let Some(pod) = cluster.nodes.pods.get_mut(&id) {
            pod.verdict = Some(Reason { reason, message: format!("Pod was rejected: {message}") });
            pod.is_rejected = true;
        }
        lag = REJECTED;
    }
    finish::arm_deadline(cluster, &id);
    sync_at(cluster, &id, now + lag);
}

/// Whether a write has changed what kubelet alone may say of a pod, and was not kubelet's.
fn is_somebody_elses(cluster: &Cluster, id: &str, event: &StoreEvent) -> bool {
    let told = cluster.nodes.pods.get(id).map_or(0, |pod| pod.told);
    let Some(before) = event.before.as_ref().filter(|_| event.revision > told) else { return false };
    let of = |pod: &Value, field: &str| pod.pointer(&format!("/status/{field}")).cloned();
    ["phase", "containerStatuses", "initContainerStatuses", "podIP", "podIPs", "reason", "message", "startTime"]
        .into_iter()
        .any(|field| of(before, field) != of(&event.object, field))
}

/// What of a pod's object kubelet acts upon: its own status is not among it, conditions that others set for readiness gates are.
fn concern(pod: &Value) -> Value {
    let gates: Vec<&str> =
        entries(pod, "/spec/readinessGates").iter().map(|gate| text(gate, "/conditionType")).collect();
    let gated: Vec<&Value> = entries(pod, "/status/conditions")
        .iter()
        .filter(|condition| gates.contains(&text(condition, "/type")))
        .map(|condition| &condition["status"])
        .collect();
    let metadata = &pod["metadata"];
    json!([
        pod["spec"],
        metadata["labels"],
        metadata["annotations"],
        metadata["deletionTimestamp"],
        metadata["deletionGracePeriodSeconds"],
        gated
    ])
}

/// The pod is out of the API: what is over is forgotten, what still runs is stopped.
fn removed(cluster: &mut Cluster, id: &str) {
    let Some(pod) = cluster.nodes.pods.get(id) else { return };
    if pod.stage == Stage::Over {
        forget(cluster, id);
    } else {
        sync_at(cluster, id, cluster.now() + LAG);
    }
}

pub(super) fn forget(cluster: &mut Cluster, id: &str) {
    let Some(pod) = cluster.nodes.pods.remove(id) else { return };
    for ticket in pod.worker.due.map(|(_, ticket)| ticket).into_iter().chain(pod.worker.work) {
        cluster.queue.cancel(ticket);
    }
    for run in pod.containers.values().filter_map(|container| container.run.as_ref()) {
        if let Some((_, ticket)) = run.wake {
            cluster.queue.cancel(ticket);
        }
    }
}

/// Queues a step at a moment; if one is queued already, the earlier counts.
pub(super) fn sync_at(cluster: &mut Cluster, id: &str, at: SimTime) {
    let Some(pod) = cluster.nodes.pods.get_mut(id) else { return };
    if let Some((due, ticket)) = pod.worker.due {
        if due <= at {
            return;
        }
        cluster.queue.cancel(ticket);
    }
    let key = pod.key.clone();
    let ticket = cluster.queue.push(at, Event::Pod { key, uid: id.to_owned(), step: PodStep::Sync });
    if let Some(pod) = cluster.nodes.pods.get_mut(id) {
        pod.worker.due = Some((at, ticket));
    }
}

/// Queues a step for when kubelet will notice that a container has changed: its next look at the runtime, once a second.
pub(super) fn notice(cluster: &mut Cluster, id: &str) {
    let Some(pod) = cluster.nodes.pods.get(id) else { return };
    // Nodes do not look at the same moment.
    let offset = pod.node.bytes().fold(17_u64, |sum, byte| (sum * 31 + u64::from(byte)) % RELIST);
    let now = cluster.now().0;
    let next = now + RELIST - (now + RELIST - offset) % RELIST;
    sync_at(cluster, id, SimTime(next));
}

/// Queues a step for right after a start: kubelet asks the runtime once more by itself (`PLEGOnDemandRelist`).
pub(super) fn notice_soon(cluster: &mut Cluster, id: &str) {
    let at = cluster.now() + Duration::from_millis(30);
    sync_at(cluster, id, at);
}

/// A container's process has ended: whoever waits for it goes on, everybody else is told at the next look.
pub fn container_ended(cluster: &mut Cluster, id: &str) {
    let waits = cluster.nodes.pods.get(id).filter(|pod| pod.worker.waits).map(|pod| pod.node.clone());
    if waits.is_some_and(|node| machine::has_kubelet(cluster, &node)) {
        step::go_on(cluster, id);
    } else {
        notice(cluster, id);
    }
}

/// Records an event about a pod, or about one of its containers.
pub(crate) fn record(cluster: &mut Cluster, id: &str, container: &str, note: Note) {
    let Some(pod) = cluster.nodes.pods.get(id) else { return };
    let field = if container.is_empty() { String::new() } else { super::spec::field_path(&pod.pod, container) };
    let (about, host) = (pod.pod.clone(), pod.node.clone());
    events::record_at(cluster, Source { component: "kubelet", host: &host }, &about, &field, note);
}

/// A time between `least` and `most` milliseconds.
pub(super) fn between(cluster: &mut Cluster, least: u64, most: u64) -> Duration {
    Duration::from_millis(least + cluster.chance.below(most.saturating_sub(least) + 1))
}
