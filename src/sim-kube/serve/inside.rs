//! What serving asks of the nodes: a container's log, a command in it, a call to a pod.

use breakfix_workload::{CallError, tool::Shell};

use super::{
    call::{Call, Called},
    exec_run::{ExecRun, Place, Ran},
};
use crate::{Cluster, Status, api::stream::LogSpec};

/// A log: stand-in until the nodes are connected.
#[derive(Clone, Debug, Default)]
pub struct Log;

#[derive(Clone, Debug)]
pub struct Line {
    pub at: breakfix_sim::SimTime,
    pub stream: breakfix_workload::Stream,
    pub text: String,
}

impl Log {
    pub fn until(&self, _now: breakfix_sim::SimTime) -> impl Iterator<Item = &Line> + Clone {
        std::iter::empty()
    }
}

/// A run's log.
pub struct LogView<'a> {
    pub run: u32,
    pub is_running: bool,
    pub log: &'a Log,
}

fn missing() -> Status {
    Status::new(501, "NotImplemented", "this simulator's nodes run nothing yet")
}

pub fn log<'a>(_cluster: &'a Cluster, _spec: &LogSpec) -> Result<LogView<'a>, Status> {
    Err(missing())
}

pub fn exec(_cluster: &mut Cluster, _run: &ExecRun) -> Result<Ran, Status> {
    Err(missing())
}

pub fn shell(_cluster: &Cluster, _place: &Place, _command: &[String]) -> Result<Option<Shell>, Status> {
    Err(missing())
}

pub fn prompt(_cluster: &mut Cluster, _place: &Place, _shell: &Shell) -> Result<String, Status> {
    Err(missing())
}

pub fn is_running(_cluster: &Cluster, _place: &Place) -> bool {
    false
}

pub fn reach(_cluster: &mut Cluster, _namespace: &str, _pod: &str, _port: u16) -> Result<(), String> {
    Err(missing().message)
}

pub fn call(_cluster: &mut Cluster, _call: &Call) -> Called {
    Called { answer: Err(CallError::Refused), took: std::time::Duration::ZERO }
}
