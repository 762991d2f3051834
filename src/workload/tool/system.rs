//! Tools about the process and its machine: `env`, `id`, `ps`, `kill`, `test` and their like.

use crate::{FileKind, Machine, Process, User, json::Object, parse_span};

use super::{Io, arguments::Arguments, run_with};

/// Signals by name, for `kill`.
const SIGNALS: &[(&str, i32)] = &[
    ("HUP", 1),
    ("INT", 2),
    ("QUIT", 3),
    ("KILL", 9),
    ("USR1", 10),
    ("USR2", 12),
    ("TERM", 15),
    ("CONT", 18),
    ("STOP", 19),
];

/// `env [NAME=VALUE…] [COMMAND…]`.
pub(super) fn env(arguments: &[String], io: &mut Io, machine: &mut dyn Machine) -> i32 {
    let assignments = arguments.iter().take_while(|argument| argument.contains('=')).count();
    let (pairs, command) = arguments.split_at(assignments);
    let before = io.env.clone();
    io.env.extend(pairs.iter().filter_map(|pair| pair.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())));
    let code = if command.is_empty() {
        for (name, value) in io.env.clone() {
            io.line(&format!("{name}={value}"));
        }
        0
    } else {
        run_with(command, io, machine)
    };
    io.env = before;
    code
}

/// `printenv [NAME…]`.
pub(super) fn printenv(arguments: &[String], io: &mut Io, machine: &mut dyn Machine) -> i32 {
    if arguments.is_empty() {
        return env(&[], io, machine);
    }
    let mut code = 0;
    for name in arguments {
        match io.env.get(name).cloned() {
            Some(value) => io.line(&value),
            None => code = 1,
        }
    }
    code
}

/// `id [-u] [-g] [-G] [-n]`.
pub(super) fn id(arguments: &[String], io: &mut Io, machine: &mut dyn Machine) -> i32 {
    let arguments = match Arguments::read(arguments, "u g G n") {
        Ok(arguments) => arguments,
        Err(error) => return io.complain(&format!("id: {error}")),
    };
    let User { uid, gid, groups } = machine.user();
    let all: Vec<u32> = std::iter::once(gid).chain(groups.into_iter().filter(|group| *group != gid)).collect();
    let text = if arguments.has("u") {
        if arguments.has("n") { name_of(uid, machine) } else { uid.to_string() }
    } else if arguments.has("g") {
        gid.to_string()
    } else if arguments.has("G") {
        all.iter().map(u32::to_string).collect::<Vec<_>>().join(" ")
    } else {
        let groups = all.iter().map(|group| group.to_string() + root_mark(*group)).collect::<Vec<_>>().join(",");
        format!("uid={uid}{} gid={gid}{} groups={groups}", root_mark(uid), root_mark(gid))
    };
    io.line(&text);
    0
}

fn root_mark(id: u32) -> &'static str {
    if id == 0 { "(root)" } else { "" }
}

/// A user's name by `/etc/passwd`; the number where it has none.
fn name_of(uid: u32, machine: &mut dyn Machine) -> String {
    let text =
        machine.read("/etc/passwd").map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let number = uid.to_string();
    let line = text.lines().find(|line| line.split(':').nth(2) == Some(&number));
    match line.and_then(|line| line.split(':').next()) {
        Some(name) => name.to_owned(),
        None if uid == 0 => "root".to_owned(),
        None => number,
    }
}

/// `whoami`.
pub(super) fn whoami(_: &[String], io: &mut Io, machine: &mut dyn Machine) -> i32 {
    let uid = machine.user().uid;
    let name = name_of(uid, machine);
    if name == uid.to_string() {
        return io.complain(&format!("whoami: unknown uid {uid}"));
    }
    io.line(&name);
    0
}

/// `hostname`.
pub(super) fn hostname(arguments: &[String], io: &mut Io, machine: &mut dyn Machine) -> i32 {
    if !arguments.is_empty() {
        return io.complain("hostname: it can only be shown here");
    }
    io.line(&machine.hostname());
    0
}

/// `ps`, whatever its flags: all processes of the container. `ps --json`: an object a line, for programs.
pub(super) fn ps(arguments: &[String], io: &mut Io, machine: &mut dyn Machine) -> i32 {
    let json = arguments.iter().any(|argument| argument == "--json");
    if !json {
        io.line("PID   USER     STAT COMMAND");
    }
    let own = machine.pid();
    for Process { pid, uid, state, argv } in machine.processes() {
        if json && pid != own {
            let object = Object::new().number("pid", pid.into()).number("uid", uid.into());
            io.line(&object.text("state", &state.to_string()).text("command", &argv.join(" ")).finish());
        } else if !json {
            let user = name_of(uid, machine);
            io.line(&format!("{pid:>5} {user:<8} {state:<4} {}", argv.join(" ")));
        }
    }
    0
}

/// How long the process lives that `helper` leaves behind.
const LEFT_BEHIND: &str = "30ms";

/// `helper`: starts a process that outlives it, and ends. Whoever is process number 1 becomes that one's parent.
pub(super) fn helper(_: &[String], io: &mut Io, machine: &mut dyn Machine) -> i32 {
    match machine.spawn(&["sleep", LEFT_BEHIND], false) {
        Ok(()) => 0,
        Err(error) => io.complain(&format!("helper: can't start a process: {error}")),
    }
}

/// `pwd`.
pub(super) fn pwd(_: &[String], io: &mut Io, _: &mut dyn Machine) -> i32 {
    let cwd = io.cwd.clone();
    io.line(&cwd);
    0
}

/// `sleep TIME…`.
pub(super) fn sleep(arguments: &[String], io: &mut Io, machine: &mut dyn Machine) -> i32 {
    if arguments.is_empty() {
        return io.complain("sleep: a time is wanted");
    }
    for time in arguments {
        match parse_span(time) {
            Some(span) => machine.sleep(span),
            None if time == "infinity" => machine.sleep(std::time::Duration::MAX),
            None => return io.complain(&format!("sleep: invalid number '{time}'")),
        }
    }
    0
}

/// `kill [-SIGNAL | -s SIGNAL] PID…`.
pub(super) fn kill(arguments: &[String], io: &mut Io, machine: &mut dyn Machine) -> i32 {
    let (signal, pids) = match arguments {
        [list] if list == "-l" => {
            let names: Vec<&str> = SIGNALS.iter().map(|(name, _)| *name).collect();
            io.line(&names.join(" "));
            return 0;
        }
        [s, name, pids @ ..] if s == "-s" => (name.as_str(), pids),
        [first, pids @ ..] if first.starts_with('-') => (first.trim_start_matches('-'), pids),
        pids => ("TERM", pids),
    };
    let Some(number) = signal_number(signal) else {
        return io.complain(&format!("kill: bad signal name '{signal}'"));
    };
    if pids.is_empty() {
        return io.complain("kill: you need to specify whom to kill");
    }
    let mut code = 0;
    for pid in pids {
        let sent = match pid.parse() {
            Ok(pid) => machine.signal(pid, number).map_err(|error| error.to_string()),
            Err(_) => Err("invalid number".to_owned()),
        };
        if let Err(error) = sent {
            code = io.complain(&format!("kill: can't kill pid {pid}: {error}"));
        }
    }
    code
}

fn signal_number(name: &str) -> Option<i32> {
    if let Ok(number) = name.parse() {
        return (0..=64).contains(&number).then_some(number);
    }
    let upper = name.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    SIGNALS.iter().find(|(known, _)| *known == name).map(|(_, number)| *number)
}

/// `echo [-n] TEXT…`.
pub(super) fn echo(arguments: &[String], io: &mut Io, _: &mut dyn Machine) -> i32 {
    match arguments.split_first() {
        Some((n, rest)) if n == "-n" => io.out(&rest.join(" ")),
        _ => io.line(&arguments.join(" ")),
    }
    0
}

/// `[ EXPRESSION ]`.
pub(super) fn bracket(arguments: &[String], io: &mut Io, machine: &mut dyn Machine) -> i32 {
    match arguments.split_last() {
        Some((last, rest)) if last == "]" => test(rest, io, machine),
        _ => io.complain("[: missing ]") + 1,
    }
}

/// `test EXPRESSION`: one comparison, perhaps with `!` before it.
pub(super) fn test(arguments: &[String], io: &mut Io, machine: &mut dyn Machine) -> i32 {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let ["!", rest @ ..] = words.as_slice()
        && !rest.is_empty()
    {
        let rest: Vec<String> = rest.iter().map(|word| (*word).to_owned()).collect();
        return match test(&rest, io, machine) {
            0 => 1,
            1 => 0,
            other => other,
        };
    }
    let truth = match words.as_slice() {
        [] => false,
        [text] => !text.is_empty(),
        ["-n", text] => !text.is_empty(),
        ["-z", text] => text.is_empty(),
        [flag @ ("-e" | "-f" | "-d" | "-s" | "-r"), path] => is_file(flag, &io.path(path), machine),
        [left, "=" | "==", right] => left == right,
        [left, "!=", right] => left != right,
        [left, operator, right] => match (left.parse::<i64>(), right.parse::<i64>()) {
            (Ok(left), Ok(right)) => match *operator {
                "-eq" => left == right,
                "-ne" => left != right,
                "-lt" => left < right,
                "-le" => left <= right,
                "-gt" => left > right,
                "-ge" => left >= right,
                _ => return io.complain(&format!("test: {operator}: unknown operator")) + 1,
            },
            _ => return io.complain(&format!("test: {left} {operator} {right}: not supported")) + 1,
        },
        _ => return io.complain("test: only one comparison at a time is supported") + 1,
    };
    i32::from(!truth)
}

fn is_file(flag: &str, path: &str, machine: &mut dyn Machine) -> bool {
    let Ok(stat) = machine.stat(path) else { return false };
    match flag {
        "-d" => stat.kind == FileKind::Directory || machine.list(path).is_ok(),
        "-f" => stat.kind != FileKind::Directory && machine.list(path).is_err(),
        "-s" => stat.size > 0,
        "-r" => machine.read(path).is_ok() || machine.list(path).is_ok(),
        _ => true,
    }
}
