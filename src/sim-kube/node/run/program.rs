//! The life of a run's program: start, clock work, signals, memory.

use std::time::Duration;

use breakfix_sim::SimTime;
use breakfix_workload::{Boot, End, Reaction, SIGKILL, SIGTERM, Stream};

use super::{Ending, Inside, Process, Shared, console, end};
use crate::{
    Cluster,
    event::{Event, PodStep},
    node::{eviction, resident, spec},
};

/// No process comes and goes in no time: the kernel needs some to start it and to clear it away.
const PROCESS_LEAST: Duration = Duration::from_millis(20);
const PROCESS_JITTER_MILLIS: u64 = 60;
/// Memory that the program needs for itself.
const BASE_BYTES: u64 = 2 << 20;

/// Starts the program of a run, which has been created, now.
pub fn boot(cluster: &mut Cluster, uid: &str, container: &str, number: u32) {
    let now = cluster.now();
    let Some(run) = cluster.nodes.pods.get_mut(uid).and_then(|pod| pod.run_mut(container, number)) else { return };
    run.started = Some(now);
    let argv = run.argv.clone();
    if let Some(program) = resident::of(&run.image) {
        for line in &program.greeting {
            run.log.print(now, Stream::Out, line);
        }
        run.process = Process::Resident(program);
        return;
    }
    let least = PROCESS_LEAST + Duration::from_millis(cluster.chance.below(PROCESS_JITTER_MILLIS));
    if let Some(console) = console::open(cluster, uid, container, number) {
        if let Some(run) = cluster.nodes.pods.get_mut(uid).and_then(|pod| pod.run_mut(container, number)) {
            run.process = Process::Console(console);
        }
        return;
    }
    let mut inside = Inside::main(cluster, uid, container, number, Duration::ZERO, 0);
    let booted = breakfix_workload::boot(&argv, &mut inside);
    let at = inside.now();
    let Some(run) = cluster.nodes.pods.get_mut(uid).and_then(|pod| pod.run_mut(container, number)) else { return };
    match booted {
        Boot::Running(program) => run.process = Process::Workload(Shared::new(program)),
        Boot::Ended(end) => run.ending = Some(Ending { at: at.max(now + least), end, is_oom: false }),
    }
    rearm(cluster, uid, container, number);
}

/// The program's own moment has come: it goes on, or ends.
pub fn wake(cluster: &mut Cluster, uid: &str, container: &str, number: u32) {
    let now = cluster.now();
    let Some(run) = cluster.nodes.pods.get_mut(uid).and_then(|pod| pod.run_mut(container, number)) else { return };
    run.wake = None;
    if let Some(ending) = run.ending.filter(|ending| ending.at <= now) {
        end::over(cluster, uid, container, number, ending);
        return;
    }
    if let Some(program) = run.program() {
        let mut inside = Inside::main(cluster, uid, container, number, Duration::ZERO, 0);
        let ended = program.tick(&mut inside);
        let at = inside.now();
        if let Some(end) = ended {
            crash(cluster, uid, container, number, Ending { at, end, is_oom: false });
            return;
        }
    }
    rearm(cluster, uid, container, number);
}

/// Queues the program's next moment, after it was asked something; ends it where its memory is used up.
pub fn rearm(cluster: &mut Cluster, uid: &str, container: &str, number: u32) {
    let now = cluster.now();
    let Some(pod) = cluster.nodes.pods.get_mut(uid) else { return };
    let limit = spec::memory_limit(&pod.pod, container);
    let Some(run) = pod.run_mut(container, number).filter(|run| run.is_running()) else { return };
    let started = run.started.unwrap_or(now);
    let mut due = run.ending.map(|ending| ending.at);
    if let Some(program) = run.program() {
        if due.is_none() && limit.is_some_and(|limit| BASE_BYTES + program.held_bytes(now - started) > limit) {
            run.ending = Some(Ending { at: now, end: End::Signal(SIGKILL), is_oom: true });
            due = Some(now);
        }
        // A program whose end is decided has nothing left to do: its last call may still be under way.
        let wakes = program.wakes_at().filter(|_| run.ending.is_none());
        let wakes = wakes.map(|uptime| (started + uptime).max(now));
        due = due.into_iter().chain(wakes).min();
    }
    set_wake(cluster, uid, container, number, due.map(|due| due.max(now)));
    eviction::moved(cluster, uid, container);
}

/// Whether the program holds more memory than it may, at a moment that its process has reached.
pub fn is_over_memory(cluster: &Cluster, uid: &str, container: &str, at: SimTime) -> bool {
    let pod = cluster.nodes.pods.get(uid);
    let limit = pod.and_then(|pod| spec::memory_limit(&pod.pod, container));
    limit.is_some_and(|limit| held_bytes(cluster, uid, container, at).is_some_and(|held| held > limit))
}

/// The memory that a running program holds at a moment, in bytes; a program of others holds the least.
pub fn held_bytes(cluster: &Cluster, uid: &str, container: &str, at: SimTime) -> Option<u64> {
    let run = cluster.nodes.pods.get(uid)?.containers.get(container)?.run.as_ref()?;
    let started = run.started.filter(|_| run.is_running())?;
    Some(BASE_BYTES + run.program().map_or(0, |program| program.held_bytes(at - started)))
}

/// Ends the run at a moment, unless an earlier end is decided.
pub fn crash(cluster: &mut Cluster, uid: &str, container: &str, number: u32, ending: Ending) {
    let Some(run) = cluster.nodes.pods.get_mut(uid).and_then(|pod| pod.run_mut(container, number)) else { return };
    if run.ending.is_none_or(|present| ending.at < present.at) {
        run.ending = Some(ending);
    }
    rearm(cluster, uid, container, number);
}

/// Sends a signal to the main process, `lead` ahead of the cluster's clock.
pub fn interrupt(cluster: &mut Cluster, uid: &str, container: &str, number: u32, signal: i32, lead: Duration) {
    let at = cluster.now() + lead;
    let end = |end: End| Ending { at, end, is_oom: false };
    if signal == SIGKILL {
        crash(cluster, uid, container, number, end(End::Signal(SIGKILL)));
        return;
    }
    let Some(run) = cluster.nodes.pods.get_mut(uid).and_then(|pod| pod.run_mut(container, number)) else { return };
    if let Process::Resident(_) = run.process {
        if signal == SIGTERM {
            crash(cluster, uid, container, number, end(End::Exit(0)));
        }
        return;
    }
    // A tool that is PID 1 has no handlers: signals pass it by.
    let Some(program) = run.program() else { return };
    let mut inside = Inside::main(cluster, uid, container, number, lead, 0);
    match program.signal(signal, &mut inside) {
        Reaction::Ended(ended) => crash(cluster, uid, container, number, end(ended)),
        Reaction::Stopping | Reaction::Ignored => rearm(cluster, uid, container, number),
    }
}

fn set_wake(cluster: &mut Cluster, uid: &str, container: &str, number: u32, due: Option<SimTime>) {
    let Some(pod) = cluster.nodes.pods.get_mut(uid) else { return };
    let key = pod.key.clone();
    let Some(run) = pod.run_mut(container, number) else { return };
    let present = run.wake;
    if present.map(|(at, _)| at) == due {
        return;
    }
    if let Some((_, ticket)) = present {
        cluster.queue.cancel(ticket);
    }
    let wake = due.map(|due| {
        let step = PodStep::Program { container: container.to_owned(), run: number };
        (due, cluster.queue.push(due, Event::Pod { key, uid: uid.to_owned(), step }))
    });
    if let Some(run) = cluster.nodes.pods.get_mut(uid).and_then(|pod| pod.run_mut(container, number)) {
        run.wake = wake;
    }
}
