//! Probes: when each is due, what its answers lead to (`pkg/kubelet/prober`).

mod ask;

use std::time::Duration;

use breakfix_sim::SimTime;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(super) use ask::port;

use super::{
    kubelet::{self, record},
    pod_run::{PodRun, Stage},
    spec, status,
};
use crate::{
    Cluster,
    controllers::events::Note,
    event::{Event, PodStep},
    object::number,
};

/// Every kind of probe, as the spec spells it without `Probe`.
pub(super) const KINDS: [&str; 3] = ["startup", "liveness", "readiness"];

/// What is known of one probe of one container.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProbeState {
    /// The run it belongs to.
    run: u32,
    /// The result that counts, once there is one.
    result: Option<bool>,
    /// The last answer, and how often it came in a row.
    last: bool,
    row: u32,
    /// The container is to be restarted: no more questions.
    is_on_hold: bool,
    /// A regular question is queued.
    is_armed: bool,
}

/// The probe's definition.
fn definition<'a>(pod: &'a Value, container: &str, kind: &str) -> Option<&'a Value> {
    spec::container(pod, container)?.get(format!("{kind}Probe"))
}

fn whole(probe: &Value, field: &str, default: u64) -> u64 {
    number(probe, field).and_then(|number| u64::try_from(number).ok()).unwrap_or(default)
}

fn state<'a>(pod: &'a PodRun, container: &str, kind: &str) -> Option<&'a ProbeState> {
    let held = pod.containers.get(container)?;
    let run = held.run.as_ref()?.number;
    held.probes.get(kind).filter(|state| state.run == run)
}

fn state_mut<'a>(pod: &'a mut PodRun, container: &str, kind: &str) -> Option<&'a mut ProbeState> {
    let held = pod.containers.get_mut(container)?;
    let run = held.run.as_ref()?.number;
    let state = held.probes.entry(kind.to_owned()).or_default();
    if state.run != run {
        *state = ProbeState { run, ..ProbeState::default() };
    }
    Some(state)
}

/// Whether the running container has started up: its startup probe has answered well, or it has none.
pub(super) fn has_started(pod: &PodRun, container: &str) -> bool {
    definition(&pod.pod, container, "startup").is_none()
        || state(pod, container, "startup").is_some_and(|state| state.result == Some(true))
}

/// Whether the running container is ready: its readiness probe has answered well, or it has none.
pub(super) fn is_ready(pod: &PodRun, container: &str) -> bool {
    has_started(pod, container)
        && (definition(&pod.pod, container, "readiness").is_none()
            || state(pod, container, "readiness").is_some_and(|state| state.result == Some(true)))
}

/// The probe for which the container must be restarted, as messages spell it.
pub(super) fn failed(pod: &PodRun, container: &str) -> Option<String> {
    ["liveness", "startup"]
        .into_iter()
        .find(|kind| state(pod, container, kind).is_some_and(|state| state.result == Some(false)))
        .map(str::to_owned)
}

/// Queues the questions of all containers that run, where none is queued yet; containers that are not ready are asked at once, as kubelet
/// does whenever it writes their status.
pub(super) fn arm(cluster: &mut Cluster, id: &str) {
    let Some(pod) = cluster.nodes.pods.get(id) else { return };
    let mut wanted = Vec::new();
    for (name, run) in pod.running() {
        for kind in KINDS.into_iter().filter(|kind| definition(&pod.pod, name, kind).is_some()) {
            let is_armed = state(pod, name, kind).is_some_and(|state| state.is_armed);
            let asks_at_once = kind == "readiness" && has_started(pod, name) && !is_ready(pod, name);
            wanted.push((name.clone(), run.number, kind, is_armed, asks_at_once));
        }
    }
    for (name, run, kind, is_armed, asks_at_once) in wanted {
        if asks_at_once && has_waited(cluster, id, &name, kind) {
            ask::ask(cluster, id, &name, run, kind);
        }
        if !is_armed {
            arm_next(cluster, id, &name, run, kind);
        }
    }
}

/// Whether the probe's initial delay is over.
fn has_waited(cluster: &Cluster, id: &str, container: &str, kind: &str) -> bool {
    let Some(pod) = cluster.nodes.pods.get(id) else { return false };
    let Some(probe) = definition(&pod.pod, container, kind) else { return false };
    let started = pod.containers.get(container).and_then(|held| held.run.as_ref()).and_then(|run| run.started);
    let delay = Duration::from_secs(whole(probe, "/initialDelaySeconds", 0));
    started.is_some_and(|started| cluster.now() - started >= delay)
}

/// Queues the next regular question: a probe keeps its rhythm from the pod's first sight on.
fn arm_next(cluster: &mut Cluster, id: &str, container: &str, run: u32, kind: &str) {
    let now = cluster.now();
    let Some(pod) = cluster.nodes.pods.get_mut(id) else { return };
    let Some(probe) = definition(&pod.pod, container, kind) else { return };
    let period = whole(probe, "/periodSeconds", 10).max(1) * 1000;
    let delay = Duration::from_secs(whole(probe, "/initialDelaySeconds", 0));
    let started = pod.containers.get(container).and_then(|held| held.run.as_ref()).and_then(|run| run.started);
    let earliest = (now + Duration::from_millis(1)).max(started.unwrap_or(now) + delay);
    let beats = (earliest.0.saturating_sub(pod.seen.0)).div_ceil(period);
    let at = SimTime(pod.seen.0 + beats * period);
    let key = pod.key.clone();
    let Some(state) = state_mut(pod, container, kind) else { return };
    state.is_armed = true;
    let step = PodStep::Probe { container: container.to_owned(), run, probe: kind.to_owned() };
    cluster.queue.push(at, Event::Pod { key, uid: id.to_owned(), step });
}

/// A regular question's time has come.
pub(super) fn due(cluster: &mut Cluster, id: &str, container: &str, run: u32, kind: &str) {
    let Some(pod) = cluster.nodes.pods.get_mut(id) else { return };
    if pod.run(container, run).is_none_or(|run| !run.is_running()) {
        return;
    }
    let stage = pod.stage;
    let has_started = has_started(pod, container);
    let Some(state) = state_mut(pod, container, kind) else { return };
    state.is_armed = false;
    if state.is_on_hold || stage == Stage::Over || (stage == Stage::Stopping && kind != "readiness") {
        return;
    }
    // Startup comes first, and only once.
    if kind == "startup" && has_started {
        return;
    }
    if kind == "startup" || has_started {
        ask::ask(cluster, id, container, run, kind);
    }
    arm_next(cluster, id, container, run, kind);
}

/// An answer is there.
pub(super) fn answered(
    cluster: &mut Cluster,
    id: &str,
    container: &str,
    run: u32,
    kind: &str,
    is_well: bool,
    words: &str,
) {
    let Some(pod) = cluster.nodes.pods.get_mut(id) else { return };
    if pod.stage == Stage::Over || pod.run(container, run).is_none_or(|run| !run.is_running()) {
        return;
    }
    let Some(probe) = definition(&pod.pod, container, kind) else { return };
    let threshold = if is_well { whole(probe, "/successThreshold", 1) } else { whole(probe, "/failureThreshold", 3) };
    let Some(state) = state_mut(pod, container, kind) else { return };
    if state.is_on_hold {
        return;
    }
    if state.row > 0 && state.last == is_well {
        state.row = state.row.saturating_add(1);
    } else {
        (state.last, state.row) = (is_well, 1);
    }
    let counts = u64::from(state.row) >= threshold;
    let before = state.result;
    if counts {
        state.result = Some(is_well);
        if kind != "readiness" && !is_well {
            state.is_on_hold = true;
            state.row = 0;
        }
    }
    let after = state.result;
    if !is_well {
        let name = format!("{}{}", kind.get(..1).unwrap_or("").to_uppercase(), kind.get(1..).unwrap_or(""));
        record(cluster, id, container, Note::warning("Unhealthy", &format!("{name} probe failed: {words}")));
    }
    // A liveness probe counts as well from the start.
    let before = if kind == "liveness" { before.or(Some(true)) } else { before };
    if before.unwrap_or(false) == after.unwrap_or(kind == "liveness") && (kind != "startup" || before == after) {
        return;
    }
    if kind == "readiness" {
        status::write(cluster, id);
    }
    let now = cluster.now();
    kubelet::sync_at(cluster, id, now);
}
