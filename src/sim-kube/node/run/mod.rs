//! One run of a container: a process from its start to its end.

mod console;
mod end;
mod inside;
mod log;
mod program;

use std::{collections::BTreeMap, sync::Arc};

use breakfix_sim::{SimTime, queue::Ticket};
use breakfix_workload::{Program, User};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use console::{Console, feed, prompt};
pub use end::Ending;
pub use inside::{Inside, Who};
pub use log::Log;
pub use program::{boot, crash, held_bytes, interrupt, is_over_memory, rearm, wake};

use super::{
    cpu::Throttle,
    files::{Mount, Tree},
    resident::Resident,
};

/// One run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Run {
    /// 0 for the first, then the number of restarts.
    pub number: u32,
    /// The runtime's id, without `containerd://`.
    pub id: String,
    /// As the pod names it.
    pub image: String,
    pub argv: Vec<String>,
    pub env: BTreeMap<String, String>,
    pub user: User,
    pub cwd: String,
    pub created: SimTime,
    pub started: Option<SimTime>,
    pub ended: Option<Ended>,
    pub process: Process,
    pub log: Log,
    pub root: Tree,
    pub is_root_read_only: bool,
    /// The superuser is held to the permission bits, as everybody is.
    pub is_root_bound: bool,
    pub mounts: Vec<Mount>,
    /// What it has used of its processor quota.
    pub throttle: Throttle,
    /// An end that is decided and comes at a moment.
    pub ending: Option<Ending>,
    /// The queued moment at which the program goes on.
    pub wake: Option<(SimTime, Ticket)>,
    /// It is being stopped.
    pub stop: Option<Stop>,
    /// What a change of the container's definition is seen by.
    pub definition: String,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    pub at: SimTime,
    pub code: i32,
    /// `Completed`, `Error`, `OOMKilled`, `StartError`.
    pub reason: String,
    pub message: String,
}

/// What is being done to stop a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// When SIGTERM is sent: after the preStop hook.
    pub term: SimTime,
    pub is_term_sent: bool,
    /// When SIGKILL is sent.
    pub kill: SimTime,
}

/// What runs in it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub enum Process {
    /// Nothing: not started yet, or over.
    #[default]
    None,
    Workload(Shared),
    Resident(Resident),
    /// Waits for input.
    Console(Console),
}

/// A program that can be asked something while the cluster around it is changed; a copy of the cluster has a program of its own.
#[derive(Debug)]
pub struct Shared(Arc<Program>);

impl Shared {
    pub fn new(program: Program) -> Self {
        Self(Arc::new(program))
    }

    /// The program itself, not a copy.
    pub fn get(&self) -> Arc<Program> {
        Arc::clone(&self.0)
    }
}

impl Clone for Shared {
    fn clone(&self) -> Self {
        Self(Arc::new(Program::clone(&self.0)))
    }
}

impl Serialize for Shared {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Program::serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Shared {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Program::deserialize(deserializer).map(Self::new)
    }
}

impl Run {
    /// Whether its process lives.
    pub fn is_running(&self) -> bool {
        self.started.is_some() && self.ended.is_none()
    }

    /// Its program, while it lives.
    pub fn program(&self) -> Option<Arc<Program>> {
        match &self.process {
            Process::Workload(program) if self.is_running() => Some(program.get()),
            _ => None,
        }
    }

    /// What of it stays once it is over and only its log and its end are of use.
    pub fn shed(&mut self) {
        self.process = Process::None;
        self.root = Tree::default();
        self.mounts.clear();
    }
}
