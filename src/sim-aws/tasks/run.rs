//! One run of a container: its program from start to end, its signals, its memory.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use breakfix_sim::{SimTime, queue::Ticket};
use breakfix_workload::{BASE_BYTES, Boot, End, Program, Reaction, SIGKILL, Stream};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{
    TaskEvent,
    files::{Disk, Mount},
    life,
    machine::Inside,
    task::State,
};
use crate::{Cloud, event::Event};

/// No process comes and goes in no time.
const PROCESS_LEAST: Duration = Duration::from_millis(20);
const MIB: u64 = 1 << 20;

/// One run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Run {
    pub argv: Vec<String>,
    pub env: BTreeMap<String, String>,
    pub cwd: String,
    pub started: SimTime,
    pub program: Option<Shared>,
    pub root: Disk,
    pub is_root_read_only: bool,
    pub mounts: Vec<Mount>,
    /// An end that is decided and comes at a moment.
    pub ending: Option<Ending>,
    pub wake: Option<(SimTime, Ticket)>,
    pub is_term_sent: bool,
}

/// An end to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    pub at: SimTime,
    pub end: End,
    /// The kernel killed it because its memory was used up.
    pub is_oom: bool,
}

/// A program that can be asked something while the cloud around it is changed; a copy of the cloud has a program of its own.
#[derive(Debug)]
pub struct Shared(Arc<Program>);

impl Shared {
    pub fn new(program: Program) -> Self {
        Self(Arc::new(program))
    }
}

impl Clone for Shared {
    fn clone(&self) -> Self {
        Self(Arc::new(Program::clone(&self.0)))
    }
}

impl Serialize for Shared {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Program::serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Shared {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Program::deserialize(deserializer).map(Self::new)
    }
}

/// The run of a container, while it lives.
pub(super) fn of<'a>(cloud: &'a Cloud, task: &str, container: &str) -> Option<&'a Run> {
    cloud.tasks.get(task)?.container(container)?.run.as_ref()
}

pub(super) fn of_mut<'a>(cloud: &'a mut Cloud, task: &str, container: &str) -> Option<&'a mut Run> {
    cloud.tasks.get_mut(task)?.container_mut(container)?.run.as_mut()
}

/// The program itself, not a copy, while it lives.
pub(super) fn program(cloud: &Cloud, task: &str, container: &str) -> Option<Arc<Program>> {
    of(cloud, task, container)?.program.as_ref().map(|program| Arc::clone(&program.0))
}

/// Starts a run now; it is the container's from here on.
pub(super) fn boot(cloud: &mut Cloud, task: &str, container: &str, run: Run) {
    let now = cloud.now();
    let argv = run.argv.clone();
    if let Some(held) = cloud.tasks.get_mut(task).and_then(|task| task.container_mut(container)) {
        held.run = Some(run);
        held.state = State::Running;
    }
    let least = PROCESS_LEAST + Duration::from_millis(cloud.chance.below(60));
    let mut inside = Inside::main(cloud, task, container, Duration::ZERO);
    let booted = match inside.missing_program(&argv) {
        None => breakfix_workload::boot(&argv, &mut inside),
        Some(line) => {
            breakfix_workload::Machine::print(&mut inside, Stream::Err, &line);
            Boot::Ended(End::Exit(127))
        }
    };
    let at = now + inside.lead;
    if let Some(run) = of_mut(cloud, task, container) {
        match booted {
            Boot::Running(program) => run.program = Some(Shared::new(program)),
            Boot::Ended(end) => run.ending = Some(Ending { at: at.max(now + least), end, is_oom: false }),
        }
    }
    rearm(cloud, task, container);
}

/// The program's own moment has come: it goes on, or ends.
pub(super) fn wake(cloud: &mut Cloud, task: &str, container: &str) {
    let now = cloud.now();
    let Some(run) = of_mut(cloud, task, container) else { return };
    run.wake = None;
    if let Some(ending) = run.ending.filter(|ending| ending.at <= now) {
        over(cloud, task, container, ending);
        return;
    }
    if let Some(program) = program(cloud, task, container) {
        let mut inside = Inside::main(cloud, task, container, Duration::ZERO);
        let ended = program.tick(&mut inside);
        let at = now + inside.lead;
        if let Some(end) = ended {
            end_at(cloud, task, container, Ending { at, end, is_oom: false });
            return;
        }
    }
    rearm(cloud, task, container);
}

fn over(cloud: &mut Cloud, task: &str, container: &str, ending: Ending) {
    let holder = format!("{task}/{container}");
    cloud.tasks.locks.retain(|_, held_by| *held_by != holder);
    let run = cloud.tasks.get_mut(task).and_then(|task| task.container_mut(container)).and_then(|it| it.run.take());
    if let Some((_, ticket)) = run.and_then(|run| run.wake) {
        cloud.queue.cancel(ticket);
    }
    life::container_ended(cloud, task, container, ending.end.code(), ending.is_oom);
}

/// Ends the run at a moment, unless an earlier end is decided.
pub(super) fn end_at(cloud: &mut Cloud, task: &str, container: &str, ending: Ending) {
    if let Some(run) = of_mut(cloud, task, container)
        && run.ending.is_none_or(|present| ending.at < present.at)
    {
        run.ending = Some(ending);
    }
    rearm(cloud, task, container);
}

/// Queues the program's next moment, after it was asked something; ends it where memory is used up.
pub(super) fn rearm(cloud: &mut Cloud, task: &str, container: &str) {
    let now = cloud.now();
    if let Some(victim) = out_of_memory(cloud, task, container, now)
        && let Some(run) = of_mut(cloud, task, &victim)
        && run.ending.is_none()
    {
        run.ending = Some(Ending { at: now, end: End::Signal(SIGKILL), is_oom: true });
        if victim != container {
            set_wake(cloud, task, &victim, Some(now));
        }
    }
    let Some(run) = of(cloud, task, container) else { return };
    let ends = run.ending.map(|ending| ending.at.max(now));
    let started = run.started;
    let wakes = program(cloud, task, container).and_then(|it| it.wakes_at()).map(|uptime| (started + uptime).max(now));
    set_wake(cloud, task, container, ends.into_iter().chain(wakes).min());
}

/// Which container of a task the kernel ends because memory is used up: the one over its own limit, or the largest of a task over its.
pub(super) fn out_of_memory(cloud: &Cloud, task: &str, container: &str, at: SimTime) -> Option<String> {
    let found = cloud.tasks.get(task)?;
    let held = |name: &str| held_bytes(cloud, task, name, at);
    let limit = found.plan.container(container)?.memory.map(|mib| mib * MIB);
    if limit.is_some_and(|limit| held(container) > limit) {
        return Some(container.to_owned());
    }
    let limit = found.plan.memory? * MIB;
    let all: u64 = found.containers.iter().map(|it| held(&it.name)).sum();
    let largest = found.containers.iter().max_by_key(|it| held(&it.name))?;
    (all > limit).then(|| largest.name.clone())
}

/// Bytes that a running container holds at a moment.
fn held_bytes(cloud: &Cloud, task: &str, container: &str, at: SimTime) -> u64 {
    let Some(run) = of(cloud, task, container) else { return 0 };
    BASE_BYTES + program(cloud, task, container).map_or(0, |program| program.held_bytes(at - run.started))
}

/// Sends a signal to the main process.
pub(super) fn interrupt(cloud: &mut Cloud, task: &str, container: &str, signal: i32, lead: Duration) {
    let at = cloud.now() + lead;
    if signal == SIGKILL {
        end_at(cloud, task, container, Ending { at, end: End::Signal(SIGKILL), is_oom: false });
        return;
    }
    // A tool that is PID 1 has no handlers: signals pass it by.
    let Some(program) = program(cloud, task, container) else { return };
    let mut inside = Inside::main(cloud, task, container, lead);
    match program.signal(signal, &mut inside) {
        Reaction::Ended(end) => end_at(cloud, task, container, Ending { at, end, is_oom: false }),
        Reaction::Stopping | Reaction::Ignored => rearm(cloud, task, container),
    }
}

fn set_wake(cloud: &mut Cloud, task: &str, container: &str, due: Option<SimTime>) {
    let Some(run) = of_mut(cloud, task, container) else { return };
    let present = run.wake;
    if present.map(|(at, _)| at) == due {
        return;
    }
    run.wake = None;
    if let Some((_, ticket)) = present {
        cloud.queue.cancel(ticket);
    }
    let event = || Event::Task(TaskEvent::Program { task: task.to_owned(), container: container.to_owned() });
    let wake = due.map(|due| (due, cloud.queue.push(due, event())));
    if let Some(run) = of_mut(cloud, task, container) {
        run.wake = wake;
    }
}
