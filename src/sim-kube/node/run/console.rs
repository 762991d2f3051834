//! A main process that waits for input: containers with `stdin: true` whose command is a shell, or another tool that reads.
//!
//! Like commands of `exec` it goes in steps: a shell takes whole lines, any other tool runs once its input has ended. What it prints goes
//! to the container's log, as everything that a main process prints.

use std::{
    io::{self, Cursor, Read},
    time::Duration,
};

use breakfix_workload::{
    End, Machine, Stream,
    tool::{self, Flow, Io, Shell},
    tool_of,
};
use serde::{Deserialize, Serialize};

use super::{Ending, Inside, Process, crash, rearm};
use crate::{Cluster, node::spec, object::truth};

/// A process that waits for input.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Console {
    /// The tool's command line.
    argv: Vec<String>,
    /// A shell between two lines; none for a tool that reads to the end.
    shell: Option<Shell>,
    /// What has come and is not used yet.
    input: Vec<u8>,
}

/// Input is kept until it is used.
const INPUT_BYTES_MAX: usize = 4 << 20;

/// The process of a run that waits for input, if its command is such a one and its container has an input.
pub(super) fn open(cluster: &Cluster, uid: &str, container: &str, number: u32) -> Option<Console> {
    let pod = cluster.nodes.pods.get(uid)?;
    let run = pod.run(container, number)?;
    if !spec::container(&pod.pod, container).is_some_and(|definition| truth(definition, "/stdin")) {
        return None;
    }
    let argv = tool_of(&run.argv, &run.env)?;
    let (env, cwd) = (run.env.clone(), run.cwd.clone());
    let input = Vec::new();
    let (name, arguments) = argv.split_first()?;
    if name == "sh" && (arguments.is_empty() || arguments == ["-i"]) {
        return Some(Console { argv, shell: Some(Shell::new(env)), input });
    }
    // Whether it reads is seen by letting it try, on a copy.
    let mut copy = cluster.clone();
    let mut inside = Inside::main(&mut copy, uid, container, number, Duration::ZERO, 0);
    let mut stdin = Starving { is_asked: false };
    let (mut out, mut err) = (io::sink(), io::sink());
    let mut tried = Io::new(&mut stdin, &mut out, &mut err);
    (tried.cwd, tried.env) = (cwd, env);
    tool::run_with(&argv, &mut tried, &mut inside);
    stdin.is_asked.then_some(Console { argv, shell: None, input })
}

/// An input on which nothing has come yet.
struct Starving {
    is_asked: bool,
}

impl Read for Starving {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.is_asked |= !into.is_empty();
        Ok(0)
    }
}

/// Hands input to a run's main process; nothing happens where it reads none. `ends`: nothing follows. The time it takes to work on it.
pub fn feed(cluster: &mut Cluster, uid: &str, container: &str, number: u32, bytes: &[u8], ends: bool) -> Duration {
    let run = cluster.nodes.pods.get_mut(uid).and_then(|pod| pod.run_mut(container, number));
    let Some(run) = run.filter(|run| run.is_running() && run.ending.is_none()) else { return Duration::ZERO };
    let (env, cwd) = (run.env.clone(), run.cwd.clone());
    let Process::Console(console) = &mut run.process else { return Duration::ZERO };
    let room = INPUT_BYTES_MAX.saturating_sub(console.input.len());
    console.input.extend(bytes.iter().take(room));
    let mut console = console.clone();
    let mut inside = Inside::main(cluster, uid, container, number, Duration::ZERO, 0);
    let code = match &mut console.shell {
        Some(shell) => lines(shell, &mut console.input, ends, &mut inside),
        None if ends => {
            let argv = console.argv.clone();
            Some(with_io(&mut console.input, &mut inside, |io, inside| {
                (io.cwd, io.env) = (cwd, env);
                tool::run_with(&argv, io, inside)
            }))
        }
        None => None,
    };
    let (at, took) = (inside.now(), inside.lead);
    if let Some(run) = cluster.nodes.pods.get_mut(uid).and_then(|pod| pod.run_mut(container, number)) {
        run.process = Process::Console(console);
    }
    match code {
        Some(code) => {
            let end = End::Exit(code & 0xff);
            crash(cluster, uid, container, number, Ending { at, end, is_oom: false });
        }
        None => rearm(cluster, uid, container, number),
    }
    took
}

/// Runs a shell's whole lines, and at the end of input the rest; the code with which it ends, if it does.
fn lines(shell: &mut Shell, input: &mut Vec<u8>, ends: bool, inside: &mut Inside<'_>) -> Option<i32> {
    loop {
        let end = input.iter().position(|byte| *byte == b'\n').map(|end| end + 1);
        let end = match end {
            Some(end) => end,
            None if ends && !input.is_empty() => input.len(),
            None => return ends.then(|| shell.last()),
        };
        let line: Vec<u8> = input.drain(..end).collect();
        let line = String::from_utf8_lossy(&line).trim_end_matches('\n').to_owned();
        if let Flow::Exit(code) = with_io(input, inside, |io, inside| shell.run(&line, io, inside)) {
            return Some(code);
        }
    }
}

/// Lets something read the input and print to the container's log.
fn with_io<T>(input: &mut Vec<u8>, inside: &mut Inside<'_>, work: impl FnOnce(&mut Io<'_>, &mut Inside<'_>) -> T) -> T {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut stdin = Cursor::new(std::mem::take(input));
    let done = work(&mut Io::new(&mut stdin, &mut out, &mut err), inside);
    let read = usize::try_from(stdin.position()).unwrap_or(usize::MAX);
    *input = stdin.into_inner();
    input.drain(..read.min(input.len()));
    for (stream, bytes) in [(Stream::Out, out), (Stream::Err, err)] {
        for line in String::from_utf8_lossy(&bytes).lines() {
            inside.print(stream, line);
        }
    }
    done
}

/// What a shell that is a run's main process shows before its next line.
pub fn prompt(cluster: &mut Cluster, uid: &str, container: &str, number: u32) -> Option<String> {
    let run = cluster.nodes.pods.get(uid)?.run(container, number)?;
    let Process::Console(Console { shell: Some(shell), .. }) = &run.process else { return None };
    let shell = shell.clone();
    Some(shell.prompt(&Inside::main(cluster, uid, container, number, Duration::ZERO, 0)))
}
