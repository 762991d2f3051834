//! The end of a run: exit code, reason, termination message.

use breakfix_sim::SimTime;
use breakfix_workload::{End, User};
use serde::{Deserialize, Serialize};

use super::{Ended, Process, Run};
use crate::{
    Cluster,
    node::{
        files::{Tree, View},
        host, kubelet, spec,
    },
    object::text,
};

/// A termination message is no longer than this (`MaxContainerTerminationMessageLength`).
const MESSAGE_BYTES_MAX: usize = 4096;
/// What `FallbackToLogsOnError` takes of the log.
const LOG_LINES_MAX: usize = 80;
const LOG_BYTES_MAX: usize = 2048;

/// An end to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    pub at: SimTime,
    pub end: End,
    /// The kernel killed it because its memory was used up.
    pub is_oom: bool,
}

/// The run is over, now.
pub fn over(cluster: &mut Cluster, uid: &str, container: &str, number: u32, ending: Ending) {
    let now = cluster.now();
    let Some(node) = cluster.nodes.pods.get(uid).map(|pod| pod.node.clone()) else { return };
    host::ensure(cluster, &node);
    let super::super::Nodes { pods, disks, .. } = &mut cluster.nodes;
    let (Some(pod), Some(disk)) = (pods.get_mut(uid), disks.get_mut(&node)) else { return };
    let definition = spec::container(&pod.pod, container).cloned().unwrap_or_default();
    let volumes = &mut pod.volumes;
    let Some(held) = pod.containers.get_mut(container) else { return };
    let Some(run) = held.run.as_mut().filter(|run| run.number == number && run.is_running()) else { return };
    let code = ending.end.code();
    let reason = match (ending.is_oom, code) {
        (true, _) => "OOMKilled",
        (false, 0) => "Completed",
        _ => "Error",
    };
    run.log.cut(now);
    let path = match text(&definition, "/terminationMessagePath") {
        "" => "/dev/termination-log",
        path => path,
    };
    let mut message = written_message(run, volumes, disk, path);
    if message.is_empty() && code != 0 && text(&definition, "/terminationMessagePolicy") == "FallbackToLogsOnError" {
        message = run.log.tail(now, LOG_LINES_MAX, LOG_BYTES_MAX);
    }
    run.ended = Some(Ended { at: now, code, reason: reason.to_owned(), message });
    run.process = Process::None;
    run.ending = None;
    run.stop = None;
    let wake = run.wake.take();
    // The runtime keeps the dead run before this one no longer: its log is gone.
    held.previous = None;
    if let Some((_, ticket)) = wake {
        cluster.queue.cancel(ticket);
    }
    let holder = format!("{uid}/{container}/{number}");
    cluster.nodes.locks.retain(|_, held_by| *held_by != holder);
    kubelet::container_ended(cluster, uid);
}

fn written_message(
    run: &mut Run,
    volumes: &mut std::collections::BTreeMap<String, Tree>,
    host: &mut Tree,
    path: &str,
) -> String {
    let view = View {
        root: &mut run.root,
        is_root_read_only: false,
        mounts: &mut run.mounts,
        volumes,
        host,
        is_root_bound: false,
    };
    let mut bytes = view.read(path, &User::default()).unwrap_or_default();
    bytes.truncate(MESSAGE_BYTES_MAX);
    String::from_utf8_lossy(&bytes).into_owned()
}
