//! The program on real systems: threads, sockets, files and signals around the library.
//!
//! `build.rs` compiles it, static and without dependencies; cargo does not know it as a program.

mod host;

use std::{
    io::{self, IsTerminal},
    process::ExitCode,
};

use breakfix_workload::{Boot, Machine, boot, tool, tool_of};

fn main() -> ExitCode {
    let argv: Vec<String> = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect();
    let mut machine = host::Linux::new();
    let env = machine.env();
    if let Some(tool) = tool_of(&argv, &env) {
        return ended(run_tool(&tool, &mut machine));
    }
    host::hold_signals();
    match boot(&argv, &mut machine) {
        Boot::Ended(end) => ended(end.code()),
        Boot::Running(program) => host::run(program, machine),
    }
}

fn run_tool(argv: &[String], machine: &mut host::Linux) -> i32 {
    let (mut stdin, mut stdout, mut stderr) = (host::Input, io::stdout(), io::stderr());
    let tty = io::stdin().is_terminal() && io::stdout().is_terminal();
    let mut io = tool::Io::new(&mut stdin, &mut stdout, &mut stderr);
    io.env = machine.env();
    io.cwd = std::env::current_dir().map_or_else(|_| "/".to_owned(), |path| path.to_string_lossy().into_owned());
    io.tty = tty;
    tool::run_with(argv, &mut io, machine)
}

fn ended(code: i32) -> ExitCode {
    ExitCode::from(u8::try_from(code & 0xff).unwrap_or(1))
}
