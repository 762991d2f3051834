//! Commands in a running container: what `kubectl exec`, exec probes and hooks run.

use std::{io::Cursor, time::Duration};

use breakfix_workload::tool::{self, Io};

use super::{
    executable::{self, Found},
    ids,
    run::{Inside, rearm},
    spec,
};
use crate::{
    Cluster, Status, kind,
    object::{text, uid},
};

/// What a command left behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecResult {
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    /// The exit code; 0 is success.
    pub exit: i32,
    /// How long it ran on the cluster's clock.
    pub took: Duration,
}

/// What a command in a container came to; an error is the runtime's.
pub(super) struct Ran {
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
    pub(super) outcome: Result<i32, String>,
    pub(super) took: Duration,
}

/// Runs a command in a container.
///
/// # Errors
/// A [`Status`] in kubelet's words: no such pod or container, not running, or no such program.
pub fn exec(
    cluster: &mut Cluster,
    namespace: &str,
    pod: &str,
    container: &str,
    argv: &[String],
    stdin: &[u8],
) -> Result<ExecResult, Status> {
    let (id, container, run) = running(cluster, namespace, pod, container)?;
    let ran = run_inside(cluster, &id, &container, run, argv, stdin);
    match ran.outcome {
        Ok(exit) => Ok(ExecResult { stdout: ran.stdout, stderr: ran.stderr, exit, took: ran.took }),
        Err(why) => {
            Err(Status::internal(format!("Internal error occurred: error executing command in container: {why}")))
        }
    }
}

/// The container of a pod that a command may run in.
pub(super) fn running(
    cluster: &Cluster,
    namespace: &str,
    pod: &str,
    container: &str,
) -> Result<(String, String, u32), Status> {
    let object = cluster.get(&kind::POD, namespace, pod)?;
    if text(&object, "/spec/nodeName").is_empty() {
        return Err(Status::bad_request(format!("pod {pod} does not have a host assigned")));
    }
    if matches!(text(&object, "/status/phase"), "Succeeded" | "Failed") {
        let phase = text(&object, "/status/phase");
        return Err(Status::bad_request(format!(
            "cannot exec into a container in a completed pod; current phase is {phase}"
        )));
    }
    let container = super::logs::which(&object, container)?;
    if let Some(why) = super::machine::unreachable(cluster, text(&object, "/spec/nodeName")) {
        return Err(Status::new(500, "", format!("error dialing backend: {why}")));
    }
    let not_found =
        || Status::internal(format!("error executing command in container: container not found (\"{container}\")"));
    let held = cluster.nodes.pods.get(uid(&object)).ok_or_else(not_found)?;
    let run = held.containers.get(&container).and_then(|held| held.run.as_ref());
    let run = run.filter(|run| run.is_running()).ok_or_else(not_found)?;
    Ok((held.uid.clone(), container, run.number))
}

/// The refusal of a program that is not there, as a command's status has it.
pub(super) fn cannot_start(cluster: &mut Cluster, why: &str) -> Status {
    let why = not_found(cluster, why);
    Status::internal(format!("Internal error occurred: error executing command in container: {why}"))
}

fn not_found(cluster: &mut Cluster, why: &str) -> String {
    let id = ids::container_id(&mut cluster.chance);
    format!(
        "failed to exec in container: failed to start exec \"{id}\": OCI runtime exec failed: exec failed: unable to start container \
         process: {why}"
    )
}

/// Runs a command beside a container's main process.
pub(super) fn run_inside(
    cluster: &mut Cluster,
    id: &str,
    container: &str,
    run: u32,
    argv: &[String],
    stdin: &[u8],
) -> Ran {
    let cwd = cluster.nodes.pods.get(id).and_then(|pod| pod.run(container, run)).map(|run| run.cwd.clone());
    let cwd = cwd.unwrap_or_else(|| "/".to_owned());
    let mut inside = Inside::beside(cluster, id, container, run, argv);
    let refused = |outcome| Ran { stdout: Vec::new(), stderr: Vec::new(), outcome, took: Duration::ZERO };
    let Some(first) = argv.first() else { return refused(Err("no command specified".to_owned())) };
    match executable::find_as(&mut inside, first, &cwd) {
        Ok(Found::Workload) => {}
        Ok(Found::BadFormat) => {
            let mut ran = refused(Ok(1));
            ran.stderr = format!("exec {first}: exec format error\n").into_bytes();
            return ran;
        }
        Err(why) => {
            let why = not_found(inside.cluster, &why);
            return refused(Err(why));
        }
    }
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let exit = {
        let mut input = Cursor::new(stdin.to_vec());
        let mut io = Io::new(&mut input, &mut stdout, &mut stderr);
        io.cwd = cwd;
        io.env = breakfix_workload::Machine::env(&inside);
        tool::run_with(argv, &mut io, &mut inside)
    };
    let took = inside.lead;
    rearm(cluster, id, container, run);
    Ran { stdout, stderr, outcome: Ok(exit & 0xff), took }
}

/// Whether the container may be asked at all: init containers may, while they run.
pub(super) fn exists(pod: &serde_json::Value, container: &str) -> bool {
    spec::container(pod, container).is_some()
}
