//! Commands in a running container: health checks, and whoever looks inside.

use std::{io::Cursor, time::Duration};

use breakfix_workload::tool::{self, Io};

use super::{machine::Inside, run};
use crate::Cloud;

/// What a command left behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecResult {
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    pub exit: i32,
    pub took: Duration,
}

/// Runs a command in a running container of a task; `None` where there is no such container or it does not run.
pub fn exec(cloud: &mut Cloud, task: &str, container: &str, argv: &[String]) -> Option<ExecResult> {
    run::of(cloud, task, container)?;
    let ran = run_inside(cloud, task, container, argv);
    super::health::stir(cloud, task);
    Some(ran)
}

pub(super) fn run_inside(cloud: &mut Cloud, task: &str, container: &str, argv: &[String]) -> ExecResult {
    let cwd = run::of(cloud, task, container).map_or_else(|| "/".to_owned(), |run| run.cwd.clone());
    let mut inside = Inside::beside(cloud, task, container, argv);
    if let Some(line) = inside.missing_program(argv) {
        return ExecResult { stderr: format!("{line}\n").into_bytes(), exit: 127, ..ExecResult::default() };
    }
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let exit = {
        let mut input = Cursor::new(Vec::new());
        let mut io = Io::new(&mut input, &mut stdout, &mut stderr);
        io.cwd = cwd;
        io.env = breakfix_workload::Machine::env(&inside);
        tool::run_with(argv, &mut io, &mut inside)
    };
    let took = inside.lead;
    run::rearm(cloud, task, container);
    ExecResult { stdout, stderr, exit: exit & 0xff, took }
}
