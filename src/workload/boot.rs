//! From a command line to a running program, or to its early end.

use std::collections::BTreeMap;

use crate::{
    Client, End, Machine, Program, Server, Settings, Ship, Stream, Timer, USAGE, WaitFor, Worker,
    tool::{self, Io},
};

/// Names of the roles, as the first argument or the variable `ROLE` gives them.
pub const ROLES: &[&str] = &["serve", "store", "cache", "client", "worker", "job", "ship", "wait-for"];

/// What became of a start.
#[expect(clippy::large_enum_variant, reason = "there is one for each start, and it is taken apart at once")]
#[derive(Clone, Debug)]
pub enum Boot {
    /// It is over; what it had to say is printed.
    Ended(End),
    Running(Program),
}

/// What a command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Tool(Vec<String>),
    Role { name: String, arguments: Vec<String> },
}

/// Start the program as the container's command line says.
///
/// `argv` includes the program's own name: `/workload serve --port=80`, or `sleep 5` where a tool is called by its own
/// name. Without a role, `ROLE` decides, and then `serve`.
pub fn boot(argv: &[String], machine: &mut dyn Machine) -> Boot {
    let env = machine.env();
    boot_with(argv, env, machine)
}

/// The tool that this command line calls, with its own arguments; `None` where it names a role. Real hosts run tools
/// with their own standard streams instead of through [`boot`].
#[must_use]
pub fn tool_of(argv: &[String], env: &BTreeMap<String, String>) -> Option<Vec<String>> {
    match command(argv, env) {
        Command::Tool(argv) => Some(argv),
        Command::Role { .. } => None,
    }
}

pub(crate) fn boot_with(argv: &[String], env: BTreeMap<String, String>, machine: &mut dyn Machine) -> Boot {
    match command(argv, &env) {
        Command::Tool(argv) => boot_tool(&argv, env, machine),
        Command::Role { name, arguments } => boot_role(&name, &arguments, env, machine),
    }
}

fn command(argv: &[String], env: &BTreeMap<String, String>) -> Command {
    let own = argv.first().map(|name| basename(name)).unwrap_or_default();
    if tool::exists(own) {
        return Command::Tool(std::iter::once(own.to_owned()).chain(argv.iter().skip(1).cloned()).collect());
    }
    let rest = argv.get(1..).unwrap_or_default();
    match rest.split_first() {
        Some((first, arguments)) if ROLES.contains(&first.as_str()) => {
            Command::Role { name: first.clone(), arguments: arguments.to_vec() }
        }
        Some((first, _)) if tool::exists(first) => Command::Tool(rest.to_vec()),
        Some((first, arguments)) if !first.starts_with("--") => {
            Command::Role { name: first.clone(), arguments: arguments.to_vec() }
        }
        _ => {
            let role = env.get("ROLE").filter(|role| !role.is_empty());
            Command::Role { name: role.cloned().unwrap_or_else(|| "serve".to_owned()), arguments: rest.to_vec() }
        }
    }
}

fn boot_role(name: &str, arguments: &[String], env: BTreeMap<String, String>, machine: &mut dyn Machine) -> Boot {
    let settings = match Settings::read(arguments, env) {
        Ok(settings) => settings,
        Err(error) => return refused(&error.to_string(), End::Exit(USAGE), machine),
    };
    let started = match name {
        "serve" | "store" | "cache" => {
            Server::start(&settings, name, machine).map(|server| Program::Server(Box::new(server)))
        }
        "worker" => Worker::start(&settings, machine).map(Program::Worker),
        "ship" => Ship::start(&settings).map(Program::Ship),
        "client" => Client::start(&settings, machine).map(Program::Client),
        "job" => Timer::job(&settings).map(Program::Timer),
        "wait-for" => WaitFor::start(&settings, machine).map(Program::WaitFor),
        other => {
            let known = ROLES.join(", ");
            Err(NotStarted {
                line: format!("no role or tool is called \"{other}\" (roles: {known})"),
                end: End::Exit(USAGE),
            })
        }
    };
    match started {
        Ok(program) => Boot::Running(program),
        Err(refusal) => refused(&refusal.line, refusal.end, machine),
    }
}

/// Why a role did not start: one line for the log, and the exit code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotStarted {
    pub(crate) line: String,
    pub(crate) end: End,
}

impl NotStarted {
    /// Something that the configuration should have said.
    pub(crate) fn misconfigured(line: impl Into<String>) -> Self {
        Self { line: line.into(), end: End::Exit(crate::MISCONFIGURED) }
    }
}

impl From<crate::SettingError> for NotStarted {
    fn from(error: crate::SettingError) -> Self {
        Self::misconfigured(error.to_string())
    }
}

fn refused(line: &str, end: End, machine: &mut dyn Machine) -> Boot {
    machine.print(Stream::Err, line);
    Boot::Ended(end)
}

/// A tool as the container's main process, with nothing to read; its output goes to the log.
fn boot_tool(argv: &[String], env: BTreeMap<String, String>, machine: &mut dyn Machine) -> Boot {
    // A tool that only waits is waited for by the host, which can then stop it in between.
    if let [name, times @ ..] = argv
        && name == "sleep"
        && let Some(timer) = Timer::sleep(times)
    {
        return Boot::Running(Program::Timer(timer));
    }
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = {
        let mut nothing = std::io::empty();
        let mut io = Io::new(&mut nothing, &mut out, &mut err);
        io.env = env;
        tool::run_with(argv, &mut io, machine)
    };
    for (stream, bytes) in [(Stream::Out, out), (Stream::Err, err)] {
        for line in String::from_utf8_lossy(&bytes).lines() {
            machine.print(stream, line);
        }
    }
    Boot::Ended(End::Exit(code))
}

/// The last part of a path.
fn basename(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
