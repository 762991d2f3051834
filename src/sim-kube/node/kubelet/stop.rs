//! Stopping a container: the preStop hook, SIGTERM, the grace, SIGKILL (`killContainer`).

use std::time::Duration;

use breakfix_sim::SimTime;
use breakfix_workload::{SIGKILL, SIGTERM};

use super::{hook, record};
use crate::{
    Cluster,
    controllers::events::Note,
    event::{Event, PodStep},
    node::run,
};

/// However short the grace and however long the hook, a container gets this much (`minimumGracePeriodInSeconds`).
const LEAST: Duration = Duration::from_secs(2);

/// Begins to stop a container, if it runs.
pub(super) fn stop(cluster: &mut Cluster, id: &str, container: &str, message: &str, grace: Duration) {
    let found =
        cluster.nodes.pods.get(id).and_then(|pod| pod.containers.get(container)).and_then(|held| held.run.as_ref());
    let Some(number) = found.filter(|run| run.is_running()).map(|run| run.number) else { return };
    record(cluster, id, container, Note::normal("Killing", message));
    let now = cluster.now();
    let hook = if grace.is_zero() { Duration::ZERO } else { hook::pre_stop(cluster, id, container, number).min(grace) };
    let term = now + hook;
    let left = grace.saturating_sub(hook).max(LEAST);
    let Some(run) = cluster.nodes.pods.get_mut(id).and_then(|pod| pod.run_mut(container, number)) else { return };
    run.stop = Some(run::Stop { term, is_term_sent: false, kill: term + left });
    if hook.is_zero() {
        stop_further(cluster, id, container, number);
    } else {
        queue(cluster, id, container, number, term);
    }
}

/// Makes what is left of the grace shorter; a longer one changes nothing.
pub(super) fn hurry(cluster: &mut Cluster, id: &str, grace: Duration) {
    let until = cluster.now() + grace.max(LEAST);
    let Some(pod) = cluster.nodes.pods.get_mut(id) else { return };
    let mut earlier = Vec::new();
    for (name, container) in &mut pod.containers {
        let Some(run) = container.run.as_mut().filter(|run| run.is_running()) else { continue };
        if let Some(stop) = run.stop.as_mut().filter(|stop| stop.kill > until) {
            stop.kill = until;
            stop.term = stop.term.min(until);
            earlier.push((name.clone(), run.number));
        }
    }
    for (container, number) in earlier {
        queue(cluster, id, &container, number, until);
    }
}

/// The next signal, if its time has come.
pub fn stop_further(cluster: &mut Cluster, id: &str, container: &str, number: u32) {
    let now = cluster.now();
    let Some(run) = cluster.nodes.pods.get_mut(id).and_then(|pod| pod.run_mut(container, number)) else { return };
    let Some(stop) = run.stop.as_mut() else { return };
    let kill = stop.kill;
    if now >= kill {
        run::interrupt(cluster, id, container, number, SIGKILL, Duration::ZERO);
    } else if now >= stop.term && !stop.is_term_sent {
        stop.is_term_sent = true;
        run::interrupt(cluster, id, container, number, SIGTERM, Duration::ZERO);
        queue(cluster, id, container, number, kill);
    }
}

fn queue(cluster: &mut Cluster, id: &str, container: &str, number: u32, at: SimTime) {
    let Some(pod) = cluster.nodes.pods.get(id) else { return };
    let step = PodStep::Stop { container: container.to_owned(), run: number };
    let event = Event::Pod { key: pod.key.clone(), uid: id.to_owned(), step };
    cluster.queue.push(at, event);
}
