//! A step of synchronisation from its beginning to its end.

use std::{sync::Arc, time::Duration};

use breakfix_sim::SimTime;

use super::{Next, Op, between, finish, plan, start, stop, sync_at};
use crate::{
    Cluster,
    event::{Event, PodStep},
    network,
    node::{
        pod_run::{PodRun, Retry, Sandbox, Stage},
        status, volumes,
    },
    object::{is_deleting, truth, uid},
};

/// `backOffPeriod` of kubelet: the usual time until a failed step is made again, plus up to half of it.
const RETRY: Duration = Duration::from_secs(10);
/// `SyncFrequency`: the usual time between steps though nothing happened, plus up to half of it.
const RESYNC: Duration = Duration::from_secs(60);

/// Begins a step, or notes that one is wanted.
pub fn sync(cluster: &mut Cluster, id: &str) {
    let Some(pod) = cluster.nodes.pods.get_mut(id) else { return };
    pod.worker.due = None;
    if pod.worker.is_busy {
        pod.worker.again = true;
        interrupt(cluster, id);
        return;
    }
    match refresh(cluster, id) {
        Some(Stage::Living) => {}
        Some(Stage::Stopping) | None => return,
        Some(Stage::Over) => {
            finish::over_again(cluster, id);
            return;
        }
    }
    if is_to_end(cluster, id) {
        finish::begin(cluster, id);
        return;
    }
    status::write(cluster, id);
    let Some(pod) = cluster.nodes.pods.get_mut(id) else { return };
    if pod.verdict.is_some() || plan::is_done(pod) {
        finish::begin(cluster, id);
        return;
    }
    pod.worker.is_busy = true;
    pod.worker.retry = None;
    pod.worker.ops = [Op::Mount, Op::Sandbox, Op::Plan].into();
    go_on(cluster, id);
}

/// Something changed while a step is under way: a pod that is to end does not finish it, one that is ending may have to hurry.
fn interrupt(cluster: &mut Cluster, id: &str) {
    let Some(pod) = cluster.nodes.pods.get_mut(id) else { return };
    match pod.stage {
        Stage::Living => {
            if is_to_end(cluster, id) {
                let work = cluster.nodes.pods.get_mut(id).and_then(|pod| pod.worker.work.take());
                if let Some(work) = work {
                    cluster.queue.cancel(work);
                }
                go_on(cluster, id);
            }
        }
        Stage::Stopping => finish::hurry(cluster, id),
        Stage::Over => {}
    }
}

/// Takes the pod as the API has it now.
fn refresh(cluster: &mut Cluster, id: &str) -> Option<Stage> {
    let pod = cluster.nodes.pods.get_mut(id)?;
    if let Some(current) = cluster.store.get(&pod.key).filter(|current| uid(current) == id) {
        pod.pod = Arc::clone(current);
    }
    Some(pod.stage)
}

/// Whether the pod is being deleted, or is out of the API altogether.
pub(super) fn is_to_end(cluster: &Cluster, id: &str) -> bool {
    let Some(pod) = cluster.nodes.pods.get(id) else { return true };
    cluster.store.get(&pod.key).filter(|current| uid(current) == id).is_none_or(|current| is_deleting(current))
}

/// Goes on with the step that is under way, as far as it goes without waiting.
pub fn go_on(cluster: &mut Cluster, id: &str) {
    loop {
        let Some(pod) = cluster.nodes.pods.get_mut(id) else { return };
        pod.worker.waits = false;
        pod.worker.work = None;
        if pod.stage == Stage::Living && is_to_end(cluster, id) {
            finish::begin(cluster, id);
            return;
        }
        let Some(pod) = cluster.nodes.pods.get_mut(id) else { return };
        let Some(op) = pod.worker.ops.pop_front() else {
            end(cluster, id);
            return;
        };
        match perform(cluster, id, op) {
            Next::Now => {}
            Next::After(time) => {
                let Some(pod) = cluster.nodes.pods.get(id) else { return };
                let key = pod.key.clone();
                let at = cluster.now() + time;
                let work = cluster.queue.push(at, Event::Pod { key, uid: id.to_owned(), step: PodStep::Work });
                if let Some(pod) = cluster.nodes.pods.get_mut(id) {
                    pod.worker.work = Some(work);
                }
                return;
            }
            Next::Wait => {
                if let Some(pod) = cluster.nodes.pods.get_mut(id) {
                    pod.worker.waits = true;
                }
                return;
            }
        }
    }
}

fn perform(cluster: &mut Cluster, id: &str, op: Op) -> Next {
    match op {
        Op::Mount => volumes::mount(cluster, id),
        Op::Sandbox => sandbox(cluster, id),
        Op::SandboxUp => sandbox_up(cluster, id),
        Op::Plan => {
            if let Some(pod) = cluster.nodes.pods.get_mut(id) {
                let ops = plan::plan(pod);
                pod.worker.ops.extend(ops);
            }
            Next::Now
        }
        Op::Image { container, exited } => start::image(cluster, id, &container, exited),
        Op::Pulled { container } => start::pulled(cluster, id, &container),
        Op::Create { container } => start::create(cluster, id, &container),
        Op::Start { container } => start::start(cluster, id, &container),
        Op::Stop { container, message, grace } => {
            stop::stop(cluster, id, &container, &message, grace);
            Next::Now
        }
        Op::Gone { container } => {
            let runs = |pod: &PodRun| pod.running().any(|(name, _)| *name == container);
            wait_while(cluster, id, runs, Op::Gone { container: container.clone() })
        }
        Op::StopMain { grace } => finish::stop_main(cluster, id, grace),
        Op::StopSidecars { grace } => finish::stop_sidecars(cluster, id, grace),
        Op::AllGone { sidecars } => {
            let runs = |pod: &PodRun| finish::anything_runs(pod, sidecars);
            wait_while(cluster, id, runs, Op::AllGone { sidecars })
        }
        Op::TearDown => finish::tear_down(cluster, id),
    }
}

fn wait_while(cluster: &mut Cluster, id: &str, runs: impl Fn(&PodRun) -> bool, op: Op) -> Next {
    let Some(pod) = cluster.nodes.pods.get_mut(id) else { return Next::Now };
    if !runs(pod) {
        return Next::Now;
    }
    pod.worker.ops.push_front(op);
    Next::Wait
}

fn sandbox(cluster: &mut Cluster, id: &str) -> Next {
    let Some(pod) = cluster.nodes.pods.get_mut(id) else { return Next::Now };
    if pod.address().is_some() {
        return Next::Now;
    }
    pod.worker.ops.push_front(Op::SandboxUp);
    Next::After(between(cluster, 280, 420))
}

fn sandbox_up(cluster: &mut Cluster, id: &str) -> Next {
    let Some(pod) = cluster.nodes.pods.get(id) else { return Next::Now };
    let node = pod.node.clone();
    let ip = if truth(&pod.pod, "/spec/hostNetwork") {
        cluster.store.get(&crate::kind::NODE.key("", &node)).and_then(|node| network::node_address(node))
    } else {
        network::pod_address(cluster, &node)
    };
    let Some(ip) = ip else {
        // The node's pod network is used up: the real words name the plugin's own error.
        super::record(
            cluster,
            id,
            "",
            crate::controllers::events::Note::warning(
                "FailedCreatePodSandBox",
                "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox: plugin type=\"ptp\" \
                 failed (add): failed to allocate for range 0: no IP addresses available in range set",
            ),
        );
        fail(cluster, id, Retry::Soon);
        if let Some(pod) = cluster.nodes.pods.get_mut(id) {
            pod.worker.ops.clear();
        }
        return Next::Now;
    };
    if let Some(pod) = cluster.nodes.pods.get_mut(id) {
        pod.sandbox = Some(Sandbox { ip, is_up: true });
    }
    status::write_network_up(cluster, id);
    super::notice(cluster, id);
    Next::Now
}

/// Something failed: the step will be made again, at the earliest of the moments asked for.
pub(super) fn fail(cluster: &mut Cluster, id: &str, retry: Retry) {
    let Some(pod) = cluster.nodes.pods.get_mut(id) else { return };
    pod.worker.retry = match (pod.worker.retry, retry) {
        (Some(Retry::Soon), _) | (_, Retry::Soon) => Some(Retry::Soon),
        (Some(Retry::At(left)), Retry::At(right)) => Some(Retry::At(left.min(right))),
        (None, retry) => Some(retry),
    };
}

/// The step is over: the next one is queued, if there is a reason for it.
fn end(cluster: &mut Cluster, id: &str) {
    let now = cluster.now();
    let jitter = cluster.chance.below(500);
    let Some(pod) = cluster.nodes.pods.get_mut(id) else { return };
    pod.worker.is_busy = false;
    pod.worker.resync = now + jittered(RESYNC, jitter);
    let retry = pod.worker.retry.take();
    if std::mem::take(&mut pod.worker.again) {
        sync_at(cluster, id, now);
        return;
    }
    match retry {
        None => {}
        Some(Retry::Soon) => sync_at(cluster, id, now + jittered(RETRY, jitter)),
        // A long back-off is looked at in between: the record of a crash loop shows CrashLoopBackOff from 60 to 90 s on.
        Some(Retry::At(at)) => sync_at(cluster, id, now + jittered((at - now).min(RESYNC), jitter)),
    }
}

/// `wait.Jitter(time, 0.5)`; the jitter is in thousandths.
fn jittered(time: Duration, thousandths: u64) -> Duration {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(millis.saturating_add(millis.saturating_mul(thousandths) / 1000))
}

/// When kubelet would look at this pod again though nothing happened.
pub(crate) fn next_resync(cluster: &mut Cluster, id: &str) -> Option<SimTime> {
    let now = cluster.now();
    let mut at = cluster.nodes.pods.get(id)?.worker.resync;
    while at < now {
        at = at + jittered(RESYNC, cluster.chance.below(500));
    }
    Some(at)
}
