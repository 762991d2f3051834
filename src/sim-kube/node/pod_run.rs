//! A pod on its node: what kubelet and the runtime know of it, and the API does not.

use std::{
    collections::{BTreeMap, VecDeque},
    net::Ipv4Addr,
    sync::Arc,
    time::Duration,
};

use breakfix_sim::{Key, SimTime, queue::Ticket};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    back_off::BackOff,
    files::Tree,
    kubelet::Op,
    probe::ProbeState,
    run::{Ended, Run},
    volumes::OnHost,
};

/// One pod, from its first sight to its end.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PodRun {
    pub key: Key,
    pub uid: String,
    pub node: String,
    /// The pod as kubelet took it from the API last.
    pub pod: Arc<Value>,
    /// `status.startTime`.
    pub seen: SimTime,
    pub worker: Worker,
    pub sandbox: Option<Sandbox>,
    /// By name; init and ephemeral containers too.
    pub containers: BTreeMap<String, Container>,
    /// Contents of the pod's volumes, by name.
    pub volumes: BTreeMap<String, Tree>,
    /// Volumes that lie on the node's disk, by name.
    pub on_host: BTreeMap<String, OnHost>,
    /// Volumes that cannot be mounted: when they are tried again, and why not.
    pub unmounted: BTreeMap<String, Unmounted>,
    /// Why a container is not there: what the last try said (kubelet's reason cache).
    pub reasons: BTreeMap<String, Reason>,
    /// Set once the init containers are through: they are not run again after that.
    pub is_initialized: bool,
    pub stage: Stage,
    /// When its containers began to be stopped.
    pub stopping_since: Option<SimTime>,
    /// A reason for the pod's end that is not its containers': `DeadlineExceeded`, `Evicted`.
    pub verdict: Option<Reason>,
    /// Kubelet has not taken it at all: its status says nothing but that.
    #[serde(default)]
    pub is_rejected: bool,
    /// The time that it has to end, where that is not its own to say.
    #[serde(default)]
    pub grace: Option<Duration>,
    /// It ends for the sake of others.
    #[serde(default)]
    pub is_disrupted: bool,
    /// The next process number of an `exec`.
    pub next_pid: u32,
    /// The store's revision after the last status that kubelet wrote.
    #[serde(default)]
    pub told: u64,
}

/// How far the pod is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// Containers are started and kept.
    Living,
    /// All are being stopped.
    Stopping,
    /// Nothing runs any more and nothing will.
    Over,
}

/// The network namespace that a pod's containers share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sandbox {
    pub ip: Ipv4Addr,
    pub is_up: bool,
}

/// A reason and a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    pub reason: String,
    pub message: String,
}

/// A volume that could not be mounted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Unmounted {
    pub again: SimTime,
    pub delay: Duration,
    pub why: String,
}

/// kubelet's worker of one pod: one step of synchronisation after the other.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Worker {
    /// What is left of the running step.
    pub ops: VecDeque<Op>,
    pub is_busy: bool,
    /// The queued moment at which the step goes on.
    pub work: Option<Ticket>,
    /// The step waits for a container's end.
    pub waits: bool,
    /// Something happened while it was busy: another step follows at once.
    pub again: bool,
    /// The queued next step.
    pub due: Option<(SimTime, Ticket)>,
    /// When this step must be tried again, if something failed.
    pub retry: Option<Retry>,
    /// Since when this step waits for volumes.
    pub mount_began: Option<SimTime>,
    /// When kubelet would look again though nothing happened.
    pub resync: SimTime,
}

/// When to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Retry {
    /// After the usual time.
    Soon,
    /// After a crash loop's back-off has ended.
    At(SimTime),
}

/// A container of the pod over all its runs.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Container {
    /// The present or last run.
    pub run: Option<Run>,
    /// The run before, as long as the runtime keeps it.
    pub previous: Option<Run>,
    /// The run before the present one, as `lastState` tells it.
    pub last: Option<Past>,
    pub crash: Option<BackOff>,
    pub pull: Option<Pull>,
    pub probes: BTreeMap<String, ProbeState>,
    /// What its programs have computed.
    #[serde(default)]
    pub meter: super::usage::Meter,
}

/// What is told of a run that is over. Moments, not dates: the date of a moment changes when a simulation's past is moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    pub id: String,
    pub started: Option<SimTime>,
    pub ended: Ended,
}

impl Past {
    /// Of a run that is over.
    pub fn of(run: &Run) -> Option<Self> {
        let ended = run.ended.clone()?;
        Some(Self { id: run.id.clone(), started: run.started, ended })
    }
}

/// Failed pulls of a container's image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pull {
    pub image: String,
    pub failed: SimTime,
    pub back_off: BackOff,
    pub message: String,
}

impl PodRun {
    /// A pod that kubelet has just seen.
    pub fn new(key: Key, uid: String, node: String, pod: Arc<Value>, seen: SimTime) -> Self {
        Self {
            key,
            uid,
            node,
            pod,
            seen,
            worker: Worker::default(),
            sandbox: None,
            containers: BTreeMap::new(),
            volumes: BTreeMap::new(),
            on_host: BTreeMap::new(),
            unmounted: BTreeMap::new(),
            reasons: BTreeMap::new(),
            is_initialized: false,
            stage: Stage::Living,
            stopping_since: None,
            verdict: None,
            is_rejected: false,
            grace: None,
            is_disrupted: false,
            next_pid: 7,
            told: 0,
        }
    }

    /// The present run of a container, if it is the one of this number.
    pub fn run(&self, container: &str, number: u32) -> Option<&Run> {
        self.containers.get(container)?.run.as_ref().filter(|run| run.number == number)
    }

    pub fn run_mut(&mut self, container: &str, number: u32) -> Option<&mut Run> {
        self.containers.get_mut(container)?.run.as_mut().filter(|run| run.number == number)
    }

    /// Containers whose program runs.
    pub fn running(&self) -> impl Iterator<Item = (&String, &Run)> {
        self.containers.iter().filter_map(|(name, container)| {
            container.run.as_ref().filter(|run| run.is_running()).map(|run| (name, run))
        })
    }

    /// The pod's address while its network is up.
    pub fn address(&self) -> Option<Ipv4Addr> {
        self.sandbox.filter(|sandbox| sandbox.is_up).map(|sandbox| sandbox.ip)
    }
}
