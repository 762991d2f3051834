//! `sh`: simple command lines for `exec` and container commands.
//!
//! It knows words, quotes, variables, `;`, `&&`, `||`, pipes between tools, `<`, `>`, `>>`, `2>`, `2>&1`, `cd`, `export`,
//! `unset`, `exit` and `exec`. Everything else is refused by name instead of being half done.

mod syntax;

use std::{
    collections::BTreeMap,
    io::{Cursor, Read},
};

use crate::{FileError, FileKind, Machine, WriteMode};

use super::{Io, NOT_FOUND, run_with};
use syntax::{Command, Piece, Redirect, Script, When, Word};

/// A line that cannot be understood, as shells report it.
const SYNTAX: i32 = 2;
/// Takes everything, on every host.
const NOWHERE: &str = "/dev/null";
/// An input line is cut here.
const LINE_BYTES_MAX: usize = 64 << 10;

/// A shell between two lines: for hosts that feed lines one by one.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Shell {
    cwd: String,
    env: BTreeMap<String, String>,
    /// Variables that are not exported.
    local: BTreeMap<String, String>,
    last: i32,
}

/// What a line led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// The shell waits for the next line.
    Next,
    /// It has ended with this code.
    Exit(i32),
}

impl Shell {
    /// A shell in `/` with this environment.
    #[must_use]
    pub fn new(env: BTreeMap<String, String>) -> Self {
        Self { cwd: "/".into(), env, local: BTreeMap::new(), last: 0 }
    }

    /// What stands before the next line.
    #[must_use]
    pub fn prompt(&self, machine: &dyn Machine) -> String {
        let sign = if machine.user().uid == 0 { '#' } else { '$' };
        format!("{} {sign} ", self.cwd)
    }

    /// The code of the command that ran last.
    #[must_use]
    pub fn last(&self) -> i32 {
        self.last
    }

    /// Run one line or a whole script. Where `io` says its directory and environment, the shell's own count.
    pub fn run(&mut self, text: &str, io: &mut Io, machine: &mut dyn Machine) -> Flow {
        let script = match Script::read(text) {
            Ok(script) => script,
            Err(error) => {
                io.complain(&format!("sh: {error}"));
                self.last = SYNTAX;
                return Flow::Next;
            }
        };
        for step in &script.steps {
            let due = match step.when {
                When::Always => true,
                When::Well => self.last == 0,
                When::Badly => self.last != 0,
            };
            if due && let Flow::Exit(code) = self.pipeline(&step.pipeline, io, machine) {
                return Flow::Exit(code);
            }
        }
        Flow::Next
    }

    /// Commands one after the other, each reading what the one before wrote.
    fn pipeline(&mut self, commands: &[Command], io: &mut Io, machine: &mut dyn Machine) -> Flow {
        let mut piped: Option<Vec<u8>> = None;
        for (at, command) in commands.iter().enumerate() {
            let is_last = at + 1 == commands.len();
            let mut out = Vec::new();
            let flow = {
                let mut cursor = piped.take().map(Cursor::new);
                let stdin: &mut dyn Read = match &mut cursor {
                    Some(cursor) => cursor,
                    None => &mut *io.stdin,
                };
                let mut inner = Io {
                    stdin,
                    stdout: if is_last { &mut *io.stdout } else { &mut out },
                    stderr: &mut *io.stderr,
                    cwd: self.cwd.clone(),
                    env: self.env.clone(),
                    tty: io.tty && commands.len() == 1,
                };
                self.command(command, &mut inner, machine)
            };
            match flow {
                // In a pipe of its own, `exit` ends only its side of it.
                Flow::Exit(code) if commands.len() == 1 => return Flow::Exit(code),
                Flow::Exit(code) => self.last = code,
                Flow::Next => {}
            }
            piped = Some(out);
        }
        Flow::Next
    }

    /// One command with its redirections.
    fn command(&mut self, command: &Command, io: &mut Io, machine: &mut dyn Machine) -> Flow {
        let streams = match self.streams(command, io, machine) {
            Ok(streams) => streams,
            Err(error) => {
                self.last = io.complain(&format!("sh: {error}"));
                return Flow::Next;
            }
        };
        let words: Vec<String> = command.words.iter().flat_map(|word| self.expand(word)).collect();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let flow = {
            let mut cursor = streams.input.map(Cursor::new);
            let mut inner = Io {
                stdin: match &mut cursor {
                    Some(cursor) => cursor,
                    None => &mut *io.stdin,
                },
                stdout: if streams.out.is_some() || streams.out_to_error { &mut out } else { &mut *io.stdout },
                stderr: if streams.err.is_some() || streams.error_to_out { &mut err } else { &mut *io.stderr },
                cwd: io.cwd.clone(),
                env: io.env.clone(),
                tty: io.tty,
            };
            self.words(&words, &mut inner, machine)
        };
        if streams.out_to_error {
            // A stream that nobody reads is no reason to stop.
            if streams.err.is_some() {
                err.append(&mut out)
            } else {
                drop(io.stderr.write_all(&out))
            }
            out.clear();
        }
        if streams.error_to_out {
            if streams.out.is_some() { out.append(&mut err) } else { io.bytes(&err) }
        }
        for (file, bytes) in [(streams.out, out), (streams.err, err)] {
            if let Some(path) = file
                && path != NOWHERE
                && let Err(error) = machine.write(&path, &bytes, WriteMode::Append)
            {
                self.last = io.complain(&format!("sh: can't create {path}: {error}"));
            }
        }
        flow
    }

    /// Open what the redirections name: files to write to are made, or emptied, before the command runs.
    fn streams(&self, command: &Command, io: &Io, machine: &mut dyn Machine) -> Result<Streams, String> {
        let mut streams = Streams::default();
        for redirect in &command.redirects {
            match redirect {
                Redirect::ErrorToOut => streams.error_to_out = true,
                Redirect::OutToError => streams.out_to_error = true,
                Redirect::In(file) => {
                    let path = io.path(&self.expand(file).join(" "));
                    streams.input = Some(machine.read(&path).map_err(|error| format!("can't open {path}: {error}"))?);
                }
                Redirect::Out { error, append, file } => {
                    let path = io.path(&self.expand(file).join(" "));
                    let mode = if *append { WriteMode::Append } else { WriteMode::Replace };
                    let made = if path == NOWHERE { Ok(()) } else { machine.write(&path, b"", mode) };
                    made.map_err(|error| format!("can't create {path}: {error}"))?;
                    *(if *error { &mut streams.err } else { &mut streams.out }) = Some(path);
                }
            }
        }
        Ok(streams)
    }

    /// A command after its words are known: the shell's own, or a tool.
    fn words(&mut self, words: &[String], io: &mut Io, machine: &mut dyn Machine) -> Flow {
        let assignments = words.iter().take_while(|word| assignment(word).is_some()).count();
        let (pairs, command) = words.split_at(assignments);
        let pairs = pairs.iter().filter_map(|pair| assignment(pair));
        let Some((name, arguments)) = command.split_first() else {
            for (name, value) in pairs {
                self.set(name, value);
            }
            self.last = 0;
            return Flow::Next;
        };
        io.env.extend(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
        self.last = match (name.as_str(), arguments) {
            ("exit", _) => {
                return Flow::Exit(arguments.first().and_then(|code| code.parse().ok()).unwrap_or(self.last));
            }
            ("exec", [_, ..]) => return Flow::Exit(run(arguments, io, machine)),
            (":", _) => 0,
            ("cd", _) => self.change_directory(arguments.first().map_or("/", String::as_str), io, machine),
            ("export", _) => self.export(arguments),
            ("unset", _) => {
                for name in arguments {
                    self.local.remove(name);
                    self.env.remove(name);
                }
                0
            }
            _ => run(command, io, machine),
        };
        Flow::Next
    }

    fn change_directory(&mut self, path: &str, io: &mut Io, machine: &mut dyn Machine) -> i32 {
        let full = io.path(path);
        let error = match machine.stat(&full) {
            Ok(stat) if stat.kind == FileKind::Directory || machine.list(&full).is_ok() => {
                self.cwd = full;
                return 0;
            }
            Ok(_) => FileError::NotADirectory,
            Err(error) => error,
        };
        io.complain(&format!("sh: cd: can't cd to {path}: {error}"))
    }

    fn export(&mut self, arguments: &[String]) -> i32 {
        for argument in arguments {
            let (name, value) = match argument.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (argument.as_str(), self.local.remove(argument)),
            };
            if let Some(value) = value {
                self.local.remove(name);
                self.env.insert(name.to_owned(), value);
            }
        }
        0
    }

    fn set(&mut self, name: &str, value: &str) {
        let where_it_is = if self.env.contains_key(name) { &mut self.env } else { &mut self.local };
        where_it_is.insert(name.to_owned(), value.to_owned());
    }

    /// A word with its variables replaced: one word, several, or none where an unquoted variable is empty.
    fn expand(&self, word: &Word) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut is_something = word.quoted;
        for piece in &word.pieces {
            let (value, split) = match piece {
                Piece::Text(text) => (text.clone(), false),
                Piece::Variable { name, quoted } => (self.value(name), !quoted),
            };
            is_something |= !split || !value.trim().is_empty();
            if !split {
                words.last_mut().into_iter().for_each(|last| last.push_str(&value));
                continue;
            }
            for (at, part) in value.split_whitespace().enumerate() {
                if at > 0 {
                    words.push(String::new());
                }
                words.last_mut().into_iter().for_each(|last| last.push_str(part));
            }
        }
        if is_something { words } else { Vec::new() }
    }

    fn value(&self, name: &str) -> String {
        if name == "?" {
            return self.last.to_string();
        }
        self.local.get(name).or_else(|| self.env.get(name)).cloned().unwrap_or_default()
    }
}

/// Where the streams of a command lead, if not where the shell's lead.
#[derive(Default)]
struct Streams {
    input: Option<Vec<u8>>,
    out: Option<String>,
    err: Option<String>,
    error_to_out: bool,
    out_to_error: bool,
}

fn run(command: &[String], io: &mut Io, machine: &mut dyn Machine) -> i32 {
    let name = command.first().map(String::as_str).unwrap_or_default();
    let own = name.rsplit('/').next().unwrap_or(name);
    if own == "workload" && !command.get(1).is_some_and(|tool| super::exists(tool)) {
        io.complain("sh: roles cannot be started from here, only tools");
        return NOT_FOUND;
    }
    if !super::exists(own) && own != "workload" {
        io.complain(&format!("sh: {name}: not found"));
        return NOT_FOUND;
    }
    run_with(command, io, machine)
}

/// `NAME=value`.
fn assignment(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once('=')?;
    let mut letters = name.chars();
    let begins = letters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    (begins && letters.all(|c| c.is_ascii_alphanumeric() || c == '_')).then_some((name, value))
}

/// `sh [-c SCRIPT]`, `sh FILE`, or lines from standard input with a prompt where somebody sits there.
pub(super) fn sh(arguments: &[String], io: &mut Io, machine: &mut dyn Machine) -> i32 {
    let mut shell = Shell::new(io.env.clone());
    shell.cwd = io.cwd.clone();
    match arguments {
        [c, script, ..] if c == "-c" => match shell.run(script, io, machine) {
            Flow::Exit(code) => code,
            Flow::Next => shell.last,
        },
        [] => lines(&mut shell, io, machine),
        [i] if i == "-i" => lines(&mut shell, io, machine),
        [file] if !file.starts_with('-') => match machine.read(&io.path(file)) {
            Ok(script) => match shell.run(&String::from_utf8_lossy(&script), io, machine) {
                Flow::Exit(code) => code,
                Flow::Next => shell.last,
            },
            Err(error) => {
                io.complain(&format!("sh: can't open '{file}': {error}"));
                SYNTAX
            }
        },
        [other, ..] => {
            io.complain(&format!("sh: {other}: only -c and one file are supported"));
            SYNTAX
        }
    }
}

fn lines(shell: &mut Shell, io: &mut Io, machine: &mut dyn Machine) -> i32 {
    loop {
        if io.tty {
            let prompt = shell.prompt(machine);
            io.out(&prompt);
            drop(io.stdout.flush());
        }
        let Some(line) = read_line(io.stdin) else {
            if io.tty {
                io.line("");
            }
            return shell.last;
        };
        if let Flow::Exit(code) = shell.run(&line, io, machine) {
            return code;
        }
    }
}

/// Read byte by byte: what follows the line belongs to the command that it starts.
fn read_line(stdin: &mut dyn Read) -> Option<String> {
    let mut line = Vec::new();
    let mut byte = [0];
    loop {
        match stdin.read(&mut byte) {
            Ok(0) | Err(_) if line.is_empty() => return None,
            Ok(0) | Err(_) => break,
            Ok(_) if byte == [b'\n'] || line.len() >= LINE_BYTES_MAX => break,
            Ok(_) => line.push(byte[0]),
        }
    }
    Some(String::from_utf8_lossy(&line).into_owned())
}

#[cfg(test)]
mod tests;
