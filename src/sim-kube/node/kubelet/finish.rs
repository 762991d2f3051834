//! The end of a pod: containers stopped, network down, the last status, out of the API (`SyncTerminatingPod`, `SyncTerminatedPod`).

use std::time::Duration;

use super::{Next, Op, forget, record, step, stop};
use crate::{
    Cluster,
    api::verbs::{Actor, DeleteOptions},
    controllers::events::Note,
    event::{Event, PodStep},
    kind,
    node::{
        pod_run::{PodRun, Reason, Stage},
        spec::{self, Role},
        status,
    },
    object::{is_deleting, name, namespace, number, uid},
};

/// From the last container's end to the last status of a pod that is being deleted.
const TEAR_DOWN: Duration = Duration::from_millis(90);
/// The same for a pod that has ended by itself: kubelet looks once more first.
const TEAR_DOWN_UNHURRIED: Duration = Duration::from_millis(950);
/// From the last status to the deletion in the API.
const LEAVE: Duration = Duration::from_millis(900);

/// Begins the end of the pod.
pub(super) fn begin(cluster: &mut Cluster, id: &str) {
    let now = cluster.now();
    let current = cluster.nodes.pods.get(id).and_then(|pod| cluster.store.get(&pod.key)).cloned();
    let Some(pod) = cluster.nodes.pods.get_mut(id) else { return };
    let is_known = current.as_ref().is_some_and(|current| uid(current) == id);
    if let Some(current) = current.filter(|current| uid(current) == id) {
        pod.pod = current;
    }
    // A pod that was removed by force gets the least there is.
    let grace = if is_known { pod.grace.unwrap_or(spec::grace(&pod.pod)) } else { Duration::ZERO };
    pod.stage = Stage::Stopping;
    pod.stopping_since = Some(now);
    pod.worker.is_busy = true;
    pod.worker.again = false;
    pod.worker.retry = None;
    pod.worker.ops = [
        Op::StopMain { grace },
        Op::AllGone { sidecars: true },
        Op::StopSidecars { grace },
        Op::AllGone { sidecars: false },
        Op::TearDown,
    ]
    .into();
    step::go_on(cluster, id);
}

pub(super) fn stop_main(cluster: &mut Cluster, id: &str, grace: Duration) -> Next {
    let names = running(cluster, id, |role| role != Some(Role::Sidecar));
    for name in &names {
        stop::stop(cluster, id, name, &format!("Stopping container {name}"), grace);
    }
    if !names.is_empty() {
        status::write(cluster, id);
    }
    Next::Now
}

/// Sidecars stop in the reverse order of their start, each once the one after it is gone; what is left of the pod's grace is theirs.
pub(super) fn stop_sidecars(cluster: &mut Cluster, id: &str, grace: Duration) -> Next {
    let now = cluster.now();
    let Some(pod) = cluster.nodes.pods.get_mut(id) else { return Next::Now };
    let last = spec::containers(&pod.pod)
        .filter(|(role, container)| {
            let name = crate::object::text(container, "/name");
            *role == Role::Sidecar && pod.running().any(|(running, _)| running == name)
        })
        .last()
        .map(|(_, container)| crate::object::text(container, "/name").to_owned());
    let Some(name) = last else { return Next::Now };
    let left = grace.saturating_sub(now - pod.stopping_since.unwrap_or(now));
    pod.worker.ops.push_front(Op::StopSidecars { grace });
    pod.worker.ops.push_front(Op::Gone { container: name.clone() });
    stop::stop(cluster, id, &name, &format!("Stopping container {name}"), left);
    Next::Now
}

fn running(cluster: &Cluster, id: &str, wanted: impl Fn(Option<Role>) -> bool) -> Vec<String> {
    let Some(pod) = cluster.nodes.pods.get(id) else { return Vec::new() };
    pod.running().filter(|(name, _)| wanted(spec::role(&pod.pod, name))).map(|(name, _)| name.clone()).collect()
}

pub(super) fn anything_runs(pod: &PodRun, sidecars_may: bool) -> bool {
    pod.running().any(|(name, _)| !(sidecars_may && spec::role(&pod.pod, name) == Some(Role::Sidecar)))
}

pub(super) fn tear_down(cluster: &mut Cluster, id: &str) -> Next {
    let is_deleted = step::is_to_end(cluster, id);
    let Some(pod) = cluster.nodes.pods.get_mut(id) else { return Next::Now };
    let was_up = pod.sandbox.is_some_and(|sandbox| sandbox.is_up);
    if was_up {
        if let Some(sandbox) = &mut pod.sandbox {
            sandbox.is_up = false;
        }
        pod.worker.ops.push_front(Op::TearDown);
        return Next::After(if is_deleted { TEAR_DOWN } else { TEAR_DOWN_UNHURRIED });
    }
    pod.stage = Stage::Over;
    status::write(cluster, id);
    let known =
        cluster.nodes.pods.get(id).and_then(|pod| cluster.store.get(&pod.key)).is_some_and(|pod| uid(pod) == id);
    if known {
        over_again(cluster, id);
    } else {
        forget(cluster, id);
    }
    Next::Now
}

/// A pod that is over leaves the API once its deletion is asked for.
pub(super) fn over_again(cluster: &mut Cluster, id: &str) {
    let Some(pod) = cluster.nodes.pods.get_mut(id) else { return };
    let key = pod.key.clone();
    if cluster.store.get(&key).is_some_and(|pod| uid(pod) == id && is_deleting(pod)) {
        cluster.after(LEAVE, Event::Pod { key, uid: id.to_owned(), step: PodStep::Leave });
    }
}

/// Takes the pod out of the API, as kubelet does once nothing of it is left on the node.
pub fn leave(cluster: &mut Cluster, id: &str) {
    let Some(pod) = cluster.nodes.pods.get(id) else { return };
    let by = Actor { user: format!("system:node:{}", pod.node), manager: "kubelet".into() };
    let (space, pod_name) = (namespace(&pod.pod).to_owned(), name(&pod.pod).to_owned());
    let options = DeleteOptions { grace_seconds: Some(0), uid: Some(id.to_owned()), ..DeleteOptions::default() };
    // Finalizers may hold it; whoever takes them off removes it then.
    let _ = cluster.delete(&kind::POD, &space, &pod_name, &options, &by);
}

/// Queues the end of a pod that may live only so long.
pub(super) fn arm_deadline(cluster: &mut Cluster, id: &str) {
    let Some(pod) = cluster.nodes.pods.get(id) else { return };
    let Some(seconds) = number(&pod.pod, "/spec/activeDeadlineSeconds").and_then(|seconds| u64::try_from(seconds).ok())
    else {
        return;
    };
    let (key, at) = (pod.key.clone(), pod.seen + Duration::from_secs(seconds));
    cluster.queue.push(at, Event::Pod { key, uid: id.to_owned(), step: PodStep::Deadline });
}

/// `activeDeadlineSeconds` are over.
pub fn deadline(cluster: &mut Cluster, id: &str) {
    let Some(pod) = cluster.nodes.pods.get_mut(id).filter(|pod| pod.stage == Stage::Living) else { return };
    let message = "Pod was active on the node longer than the specified deadline";
    pod.verdict = Some(Reason { reason: "DeadlineExceeded".to_owned(), message: message.to_owned() });
    record(cluster, id, "", Note::normal("DeadlineExceeded", message));
    let now = cluster.now();
    super::sync_at(cluster, id, now);
}

/// The grace of a pod that is being stopped was cut short.
pub(super) fn hurry(cluster: &mut Cluster, id: &str) {
    let Some(pod) = cluster.nodes.pods.get(id).filter(|pod| pod.stage == Stage::Stopping) else { return };
    let current = cluster.store.get(&pod.key).filter(|current| uid(current) == id);
    let grace = current.map_or(Duration::ZERO, |current| spec::grace(current));
    stop::hurry(cluster, id, grace);
}
