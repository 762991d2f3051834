//! What serving asks of the nodes: a container's log, a command in it, a call to a pod.

use std::{
    cell::{Cell, RefCell},
    io::{self, Read, Write},
    rc::Rc,
    time::Duration,
};

use breakfix_workload::{
    CallError, Machine,
    tool::{self, Flow, Io, Shell},
};

use super::{
    call::{Call, Called},
    exec_run::{ExecRun, Job, Output, Place, Printed, Ran},
};
use crate::{
    Cluster, Status,
    api::stream::LogSpec,
    kind,
    node::{self, Inside, Log, LogOptions, Spoken},
    object::{entries, text, truth},
};

/// How a file ends that the kernel does not take for a program.
const BAD_FORMAT: i32 = 1;

/// A run's log.
pub struct LogView<'a> {
    pub run: &'a str,
    pub is_running: bool,
    pub log: &'a Log,
}

/// The log that a request means; none where the runtime has removed it, or where nothing has run yet.
///
/// # Errors
/// A [`Status`] in kubelet's words.
pub fn log<'a>(cluster: &'a Cluster, spec: &LogSpec) -> Result<Option<LogView<'a>>, Status> {
    let run = node::container_run(cluster, &spec.namespace, &spec.pod, &spec.container, spec.previous)?;
    Ok(run.map(|run| LogView { run: &run.id, is_running: run.is_running(), log: &run.log }))
}

/// A whole log, as it stands.
///
/// # Errors
/// A [`Status`] in kubelet's words.
pub fn whole_log(cluster: &Cluster, spec: &LogSpec) -> Result<String, Status> {
    let options = LogOptions {
        previous: spec.previous,
        tail: spec.tail.map(|tail| usize::try_from(tail).unwrap_or(usize::MAX)),
        since: spec.since_seconds.map(Duration::from_secs),
        since_time: spec.since_time.as_deref().and_then(|date| date.parse().ok()),
        timestamps: spec.timestamps,
        limit_bytes: spec.limit_bytes.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX)),
    };
    node::logs(cluster, &spec.namespace, &spec.pod, &spec.container, &options)
}

/// Whether a container runs: commands in it end when it does.
pub fn is_running(cluster: &Cluster, place: &Place) -> bool {
    let Place { namespace, pod, container } = place;
    let run = node::container_run(cluster, namespace, pod, container, false);
    run.ok().flatten().is_some_and(node::Run::is_running)
}

/// A shell for lines that come one by one; none where the command is something else, or there is no such program.
pub fn shell(cluster: &mut Cluster, place: &Place, command: &[String]) -> Option<Shell> {
    let (name, rest) = command.split_first()?;
    if name.rsplit('/').next() != Some("sh") || !matches!(rest, []) && rest != ["-i"] {
        return None;
    }
    // A copy: looking must not use up a process number.
    let mut copy = cluster.clone();
    within(&mut copy, place, command, |inside, _| Shell::new(inside.env())).ok()?.0
}

/// What a shell shows before the next line.
pub fn prompt(cluster: &mut Cluster, place: &Place, shell: &Shell) -> String {
    let mut copy = cluster.clone();
    let prompt = within(&mut copy, place, &["sh".to_owned()], |inside, _| shell.prompt(inside));
    prompt.ok().and_then(|(prompt, _)| prompt).unwrap_or_default()
}

/// What a shell that is a container's main process shows before its next line.
pub fn console_prompt(cluster: &mut Cluster, place: &Place) -> Option<String> {
    node::console_prompt(cluster, (&place.namespace, &place.pod, &place.container)).ok().flatten()
}

/// Whether a container's input ends with whoever is attached first (`stdinOnce`).
pub fn hears_once(cluster: &Cluster, place: &Place) -> bool {
    let Ok(pod) = cluster.get(&kind::POD, &place.namespace, &place.pod) else { return false };
    let lists = ["/spec/containers", "/spec/initContainers", "/spec/ephemeralContainers"];
    let mut all = lists.into_iter().flat_map(|list| entries(&pod, list));
    all.any(|container| text(container, "/name") == place.container && truth(container, "/stdinOnce"))
}

fn within<T>(
    cluster: &mut Cluster,
    place: &Place,
    argv: &[String],
    work: impl FnOnce(&mut Inside<'_>, &str) -> T,
) -> Result<(Option<T>, Duration), Status> {
    node::within(cluster, (&place.namespace, &place.pod, &place.container), argv, work)
}

/// Runs a command, or a line of a shell.
///
/// # Errors
/// A [`Status`] in kubelet's words: the container does not run, or has no such program.
pub fn exec(cluster: &mut Cluster, run: &ExecRun) -> Result<Ran, Status> {
    let shell = vec!["sh".to_owned()];
    let argv = match &run.job {
        Job::Command(argv) => argv,
        Job::Line { .. } => &shell,
    };
    let (done, took) = within(cluster, &run.place, argv, |inside, cwd| step(run, inside, cwd))?;
    let Some(mut ran) = done else {
        let words = format!("exec {}: exec format error\n", argv.first().map_or("", String::as_str));
        let printed = vec![Printed { at: Duration::ZERO, output: Output::Err, bytes: words.into_bytes() }];
        return Ok(Ran { printed, code: BAD_FORMAT, shell: None, consumed: 0, starved: false, took });
    };
    ran.took = took;
    Ok(ran)
}

fn step(run: &ExecRun, inside: &mut Inside<'_>, cwd: &str) -> Ran {
    let printed = RefCell::new(Vec::new());
    let pace = Rc::new(Cell::new(Duration::ZERO));
    inside.pace = Some(Rc::clone(&pace));
    let mut stdin = Input { bytes: &run.stdin.0, read: 0, starved: false };
    let (code, shell) = {
        let mut out = Printer { output: Output::Out, printed: &printed, pace: &pace };
        let mut err = Printer { output: Output::Err, printed: &printed, pace: &pace };
        let mut io = Io::new(&mut stdin, &mut out, &mut err);
        io.cwd = cwd.to_owned();
        io.env = inside.env();
        io.tty = run.tty;
        match &run.job {
            Job::Command(argv) => (tool::run_with(argv, &mut io, inside) & 0xff, None),
            Job::Line { shell, text } => {
                let mut shell = shell.clone();
                match shell.run(text, &mut io, inside) {
                    Flow::Next => (shell.last(), Some(shell)),
                    Flow::Exit(code) => (code & 0xff, None),
                }
            }
        }
    };
    let (consumed, starved) = (stdin.read, stdin.starved);
    Ran { printed: printed.into_inner(), code, shell, consumed, starved, took: Duration::ZERO }
}

/// Input that has come so far.
struct Input<'a> {
    bytes: &'a [u8],
    read: usize,
    starved: bool,
}

impl Read for Input<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let rest = self.bytes.get(self.read..).unwrap_or_default();
        let count = rest.len().min(into.len());
        if let (Some(into), Some(from)) = (into.get_mut(..count), rest.get(..count)) {
            into.copy_from_slice(from);
        }
        self.read += count;
        self.starved |= count == 0 && !into.is_empty();
        Ok(count)
    }
}

/// Both outputs in the order in which they were written, with the moment at which they were.
struct Printer<'a> {
    output: Output,
    printed: &'a RefCell<Vec<Printed>>,
    pace: &'a Cell<Duration>,
}

impl Write for Printer<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut printed = self.printed.borrow_mut();
        let (at, output) = (self.pace.get(), self.output);
        match printed.last_mut() {
            Some(last) if last.output == output && last.at == at => last.bytes.extend_from_slice(bytes),
            _ => printed.push(Printed { at, output, bytes: bytes.to_vec() }),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether somebody listens on a port of a pod; the error is what the node says to a forwarded connection.
///
/// # Errors
/// The node's words.
pub fn reach(cluster: &Cluster, namespace: &str, pod: &str, port: u16) -> Result<(), String> {
    node::is_open(cluster, namespace, pod, port).map_err(|status| status.message)?
}

/// Carries out a call.
pub fn call(cluster: &mut Cluster, call: &Call) -> Called {
    match node::pod_port(cluster, &call.namespace, &call.pod, call.port, &call.request()) {
        Ok((spoken, took)) => {
            let answer = match spoken {
                Spoken::Answer(response) => Ok(response),
                Spoken::Refused(_) => Err(CallError::Refused),
                Spoken::Reset => Err(CallError::Reset),
                Spoken::Silence => Err(CallError::TimedOut),
            };
            Called { answer, took }
        }
        Err(_) => Called { answer: Err(CallError::Reset), took: Duration::ZERO },
    }
}
