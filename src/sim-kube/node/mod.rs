//! The nodes: a kubelet and a container runtime each, as steps.
//!
//! `kubelet/` is the worker that brings a pod to what its spec says, one step of synchronisation after the other; `run/` is a container's
//! process, which is the workload itself (crate `breakfix-workload`); `files/` and `volumes/` are what it sees of files, `environment` of
//! variables; `probe/` asks it how it is; `status/` tells the API. `logs`, `exec` and `port` answer what users ask of a node.
//! What a container does is the program's own decision: nothing here knows an image's purpose.

mod back_off;
mod capabilities;
mod cpu;
mod environment;
pub(crate) mod eviction;
mod exec;
mod executable;
pub(crate) mod extended;
mod files;
pub(crate) mod host;
mod ids;
mod image;
mod kubelet;
mod logs;
pub mod machine;
mod pod_run;
mod port;
mod probe;
pub(crate) mod registration;
mod resident;
mod run;
pub mod spec;
mod status;
mod usage;
mod volumes;
mod within;

use std::collections::BTreeMap;

use breakfix_sim::{Key, StoreEvent};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use eviction::SYSTEM_BYTES;
pub use exec::{ExecResult, exec};
pub use image::{ImageConfig, image_config};
pub use logs::{LogOptions, logs};
pub use pod_run::{PodRun, Sandbox, Stage};
pub use port::{Spoken, is_open, pod_port};
pub(crate) use resident::is_ingress_controller;
pub use run::{Ending, Inside, Log, Process, Run, Who, crash, is_over_memory, rearm};
pub(crate) use usage::spend;
pub use usage::{Meter, Used, WINDOW, usage};
pub use within::{console_prompt, container_run, feed, within};

use crate::{Cluster, event::PodStep, object::text};

/// What the nodes know.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Nodes {
    /// By uid.
    pub(crate) pods: BTreeMap<String, PodRun>,
    /// The nodes' machines, where there is anything to know of one.
    pub(crate) machines: BTreeMap<String, machine::Machine>,
    /// The nodes' disks, by node.
    pub(crate) disks: BTreeMap<String, files::Tree>,
    /// Locks of files: who holds them.
    pub(crate) locks: BTreeMap<String, String>,
}

impl Nodes {
    /// The pods that nodes hold, by uid.
    pub fn pods(&self) -> impl Iterator<Item = &PodRun> {
        self.pods.values()
    }
}

/// Queues what a write calls for.
pub fn told(cluster: &mut Cluster, event: &StoreEvent) {
    kubelet::told(cluster, event);
    volumes::told(cluster, event);
}

/// Goes on with one pod.
pub fn step(cluster: &mut Cluster, _key: &Key, uid: &str, step: PodStep) {
    if !cluster.nodes.pods.contains_key(uid) || machine::hold(cluster, uid, &step) {
        return;
    }
    match step {
        PodStep::Sync => kubelet::sync(cluster, uid),
        PodStep::Work => kubelet::go_on(cluster, uid),
        PodStep::Program { container, run } => run::wake(cluster, uid, &container, run),
        PodStep::Probe { container, run, probe } => probe::due(cluster, uid, &container, run, &probe),
        PodStep::Probed { container, run, probe, is_well, words } => {
            probe::answered(cluster, uid, &container, run, &probe, is_well, &words);
        }
        PodStep::Stop { container, run } => kubelet::stop_further(cluster, uid, &container, run),
        PodStep::Deadline => kubelet::deadline(cluster, uid),
        PodStep::Leave => kubelet::leave(cluster, uid),
        PodStep::Reconcile => status::write(cluster, uid),
    }
}

/// What a pod calls its machine.
pub(crate) fn hostname(pod: &Value) -> String {
    if crate::object::truth(pod, "/spec/hostNetwork") {
        return text(pod, "/spec/nodeName").to_owned();
    }
    let name = match text(pod, "/spec/hostname") {
        "" => text(pod, "/metadata/name"),
        hostname => hostname,
    };
    // A hostname is no longer than 63 characters, and does not end in a dash or a dot.
    let cut: String = name.chars().take(63).collect();
    cut.trim_end_matches(['-', '.']).to_owned()
}
