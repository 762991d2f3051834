//! The toolbox: what `exec` and `sh` can run in a container that has no other programs.
//!
//! Tools work on the [`Machine`] like everything else, so that they say the same on every host. They know the flags that
//! people reach for when something is broken, and refuse others by name. Messages follow busybox, which is what small
//! images usually have.

mod arguments;
mod copy;
mod date;
mod files;
mod get;
mod net;
mod owners;
mod sh;
mod system;
mod tar;
mod text;

use std::{
    collections::BTreeMap,
    io::{Read, Write},
};

use crate::Machine;

pub use sh::{Flow, Shell};

/// No such tool, as shells and runtimes report it.
pub const NOT_FOUND: i32 = 127;

type Run = fn(&[String], &mut Io, &mut dyn Machine) -> i32;

/// Every tool, by name. A tool gets its own arguments, without its name.
const TOOLS: &[(&str, Run)] = &[
    ("[", system::bracket),
    ("cat", files::cat),
    ("chmod", owners::chmod),
    ("chown", owners::chown),
    ("cp", copy::cp),
    ("date", date::date),
    ("echo", system::echo),
    ("env", system::env),
    ("false", |_, _, _| 1),
    ("get", get::get),
    ("grep", text::grep),
    ("head", text::head),
    ("helper", system::helper),
    ("hostname", system::hostname),
    ("id", system::id),
    ("kill", system::kill),
    ("ls", files::ls),
    ("mkdir", files::mkdir),
    ("nc", net::nc),
    ("nslookup", net::nslookup),
    ("printenv", system::printenv),
    ("ps", system::ps),
    ("pwd", system::pwd),
    ("rm", files::rm),
    ("sh", sh::sh),
    ("sleep", system::sleep),
    ("tail", text::tail),
    ("tar", tar::tar),
    ("test", system::test),
    ("touch", files::touch),
    ("true", |_, _, _| 0),
    ("wc", text::wc),
    ("wget", net::wget),
    ("whoami", system::whoami),
];

/// Names of all tools, sorted: an image can have them as links to the program.
#[must_use]
pub fn names() -> Vec<&'static str> {
    TOOLS.iter().map(|(name, _)| *name).collect()
}

/// Whether there is a tool of this name.
#[must_use]
pub fn exists(name: &str) -> bool {
    TOOLS.iter().any(|(known, _)| *known == name)
}

/// The streams and surroundings of one tool's run.
pub struct Io<'a> {
    pub stdin: &'a mut dyn Read,
    pub stdout: &'a mut dyn Write,
    pub stderr: &'a mut dyn Write,
    /// Where relative paths begin.
    pub cwd: String,
    pub env: BTreeMap<String, String>,
    /// A person sits at the other end: `sh` shows a prompt.
    pub tty: bool,
}

impl<'a> Io<'a> {
    /// Streams, with the root as working directory and an empty environment.
    pub fn new(stdin: &'a mut dyn Read, stdout: &'a mut dyn Write, stderr: &'a mut dyn Write) -> Self {
        Self { stdin, stdout, stderr, cwd: "/".into(), env: BTreeMap::new(), tty: false }
    }

    /// A reader that went away is no reason to stop: the tool ends by itself soon after.
    fn out(&mut self, text: &str) {
        drop(self.stdout.write_all(text.as_bytes()));
    }

    fn line(&mut self, text: &str) {
        self.out(&format!("{text}\n"));
    }

    fn bytes(&mut self, bytes: &[u8]) {
        drop(self.stdout.write_all(bytes));
    }

    /// Say what is wrong, and fail.
    fn complain(&mut self, text: &str) -> i32 {
        drop(self.stderr.write_all(format!("{text}\n").as_bytes()));
        1
    }

    /// An absolute path without `.` and `..`.
    fn path(&self, path: &str) -> String {
        let whole = if path.starts_with('/') { path.to_owned() } else { format!("{}/{path}", self.cwd) };
        let mut parts: Vec<&str> = Vec::new();
        for part in whole.split('/') {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop()),
                other => parts.push(other),
            }
        }
        format!("/{}", parts.join("/"))
    }

    fn read_stdin(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        drop(self.stdin.read_to_end(&mut bytes));
        bytes
    }
}

/// Run a tool in the container's environment; `argv` begins with the tool's name or with the program's own
/// (`/workload cat /x`). Returns its exit code, 127 where there is no such tool.
pub fn run(
    argv: &[String],
    stdin: &mut dyn Read,
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
    machine: &mut dyn Machine,
) -> i32 {
    let mut io = Io::new(stdin, stdout, stderr);
    io.env = machine.env();
    run_with(argv, &mut io, machine)
}

/// The same with working directory, environment and terminal as `io` says.
pub fn run_with(argv: &[String], io: &mut Io, machine: &mut dyn Machine) -> i32 {
    let Some((name, arguments)) = named(argv) else {
        let name = argv.first().map(String::as_str).unwrap_or_default();
        io.complain(&format!("{name}: not found"));
        return NOT_FOUND;
    };
    match TOOLS.iter().find(|(known, _)| *known == name) {
        Some((_, tool)) => tool(arguments, io, machine),
        None => {
            io.complain(&format!("{name}: not found"));
            NOT_FOUND
        }
    }
}

/// The tool's name and its arguments.
fn named(argv: &[String]) -> Option<(&str, &[String])> {
    let (first, rest) = argv.split_first()?;
    let name = first.rsplit('/').next().unwrap_or(first);
    match rest.split_first() {
        Some((second, rest)) if name == "workload" && exists(second) => Some((second, rest)),
        _ => Some((name, rest)),
    }
}

#[cfg(test)]
mod tests;
