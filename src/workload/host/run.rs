//! The main thread: signals, the program's own clock work, and the end.

use std::{
    process::ExitCode,
    sync::{
        Arc,
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use breakfix_workload::{End, Listen, Machine, Program, Reaction, SIGINT, SIGTERM, StopRule};

use super::{
    children,
    hold::hold,
    serve::{in_hand, listen},
    system::Linux,
};

/// Requests in hand when the end comes get this long.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// What wakes the main thread.
pub enum Event {
    Signal(i32),
    /// A request may have changed what is due.
    Look,
}

#[expect(unsafe_code, reason = "the standard library knows no signals and no thread clock")]
mod c {
    use std::time::Duration;

    /// `sigset_t` of glibc and musl: 1024 bits.
    type Set = [u64; 16];
    const SIG_BLOCK: i32 = 0;
    const SIG_UNBLOCK: i32 = 1;
    const SIG_IGN: usize = 1;
    const CLOCK_THREAD_CPUTIME_ID: i32 = 3;

    unsafe extern "C" {
        fn pthread_sigmask(how: i32, set: *const Set, old: *mut Set) -> i32;
        fn sigwait(set: *const Set, signal: *mut i32) -> i32;
        fn signal(signal: i32, handler: usize) -> usize;
        fn clock_gettime(clock: i32, time: *mut [i64; 2]) -> i32;
    }

    /// The set of these signals; signal 1 is bit 0.
    fn set(signals: &[i32]) -> Set {
        let mut set = [0; 16];
        set[0] = signals.iter().fold(0, |bits, signal| bits | 1_u64 << (signal - 1));
        set
    }

    /// Keep these signals back in this thread and those that it starts.
    pub fn block(signals: &[i32]) {
        mask(SIG_BLOCK, signals);
    }

    /// Let them through again, also those that have come meanwhile.
    pub fn unblock(signals: &[i32]) {
        mask(SIG_UNBLOCK, signals);
    }

    fn mask(how: i32, signals: &[i32]) {
        let set = set(signals);
        // SAFETY: the set lives as long as the call; the old one is not asked for.
        unsafe { pthread_sigmask(how, &raw const set, std::ptr::null_mut()) };
    }

    /// Wait for one of these signals, which must be blocked.
    pub fn wait(signals: &[i32]) -> i32 {
        let (set, mut signal) = (set(signals), 0);
        // SAFETY: both arguments live as long as the call.
        unsafe { sigwait(&raw const set, &raw mut signal) };
        signal
    }

    pub fn ignore(number: i32) {
        // SAFETY: SIG_IGN is a handler that the kernel knows.
        unsafe { signal(number, SIG_IGN) };
    }

    /// Processor time that this thread has used.
    pub fn thread_time() -> Duration {
        let mut time = [0; 2];
        // SAFETY: `timespec` is two 64-bit numbers on the 64-bit systems that the program is made for.
        unsafe { clock_gettime(CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
        let [seconds, nanos] = time.map(|part| u64::try_from(part).unwrap_or_default());
        Duration::from_secs(seconds) + Duration::from_nanos(nanos)
    }

    /// Write where nothing may be written: the kernel answers with SIGSEGV, whatever the process is.
    pub fn invalid_access() {
        // SAFETY: none; this is what is asked for.
        unsafe { std::ptr::without_provenance_mut::<u8>(8).write_volatile(1) };
    }
}

/// Use this much processor time.
pub fn burn(time: Duration) {
    let until = c::thread_time() + time;
    let mut value: u64 = 1;
    while c::thread_time() < until {
        for _ in 0..1_000 {
            value = std::hint::black_box(value.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
        }
    }
}

/// Run the program to its end.
pub fn run(program: Program, mut machine: Linux) -> ExitCode {
    let (sender, events) = mpsc::channel();
    watch_signals(program.stop_rule(), &sender);
    if program.reaps() {
        children::reap();
    }
    let program = Arc::new(program);
    let mut unopened = program.listens();
    loop {
        if let Some(end) = program.tick(&mut machine) {
            return finish(end);
        }
        if let Some(end) = open(&mut unopened, &program, machine, &sender) {
            return finish(end);
        }
        hold(program.held_bytes(machine.uptime()));
        let wakes_at = program.wakes_at().into_iter().chain(unopened.iter().map(|listen| listen.from)).min();
        let event = match wakes_at {
            Some(at) => events.recv_timeout(at.saturating_sub(machine.uptime())),
            None => events.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        if let Ok(Event::Signal(signal)) = event
            && let Reaction::Ended(end) = program.signal(signal, &mut machine)
        {
            return finish(end);
        }
    }
}

/// Open what is due; an end where that fails.
fn open(unopened: &mut Vec<Listen>, program: &Arc<Program>, mut machine: Linux, sender: &Sender<Event>) -> Option<End> {
    let now = machine.uptime();
    let (due, later) = std::mem::take(unopened).into_iter().partition(|listen| listen.from <= now);
    *unopened = later;
    let due: Vec<Listen> = due;
    for at in due {
        if let Err(error) = listen(at, program, machine, sender) {
            return Some(program.cannot_listen(at, &error.to_string(), &mut machine));
        }
    }
    None
}

/// The signals that `STOP` is about.
const STOP_SIGNALS: [i32; 2] = [SIGTERM, SIGINT];

/// Keep signals for later: one that comes while the program still reads its settings must not be lost. This must come
/// before all threads.
pub fn hold_signals() {
    c::block(&STOP_SIGNALS);
}

/// Signals that the program handles go to a thread of their own; others go where the kernel sends them.
fn watch_signals(rule: StopRule, sender: &Sender<Event>) {
    match rule {
        StopRule::Default => c::unblock(&STOP_SIGNALS),
        StopRule::Ignore => {
            STOP_SIGNALS.into_iter().for_each(c::ignore);
            c::unblock(&STOP_SIGNALS);
        }
        StopRule::Handle => {
            let sender = sender.clone();
            thread::spawn(move || while sender.send(Event::Signal(c::wait(&STOP_SIGNALS))).is_ok() {});
        }
    }
}

fn finish(end: End) -> ExitCode {
    let until = Instant::now() + LAST_ANSWERS;
    while in_hand() > 0 && Instant::now() < until {
        thread::sleep(Duration::from_millis(2));
    }
    if matches!(end, End::Signal(_)) {
        c::invalid_access();
    }
    ExitCode::from(u8::try_from(end.code()).unwrap_or(1))
}
