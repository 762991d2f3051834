//! Further processes: helpers that the program starts, and orphans that the kernel gives to process number 1.

use std::{
    io,
    process::{Command, Stdio},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// From one look for ended orphans to the next.
const PAUSE: Duration = Duration::from_millis(100);

/// Held while a child of our own is waited for, which nobody else may then do.
static WAITING: Mutex<()> = Mutex::new(());

/// Whether orphans are waited for.
static REAPS: AtomicBool = AtomicBool::new(false);

#[expect(unsafe_code, reason = "the standard library waits for its own children only")]
mod c {
    const WNOHANG: i32 = 1;

    unsafe extern "C" {
        fn waitpid(pid: i32, status: *mut i32, options: i32) -> i32;
    }

    /// Ask how one ended child ended, and forget it; whether there was one.
    pub fn reap() -> bool {
        // SAFETY: the status is not asked for.
        unsafe { waitpid(-1, std::ptr::null_mut(), WNOHANG) > 0 }
    }
}

fn turn() -> MutexGuard<'static, ()> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Start this program with other arguments.
pub fn spawn(arguments: &[&str], wait: bool) -> Result<(), String> {
    let words = |error: io::Error| {
        let text = error.to_string();
        text.split(" (os error").next().unwrap_or_default().to_owned()
    };
    let _turn = turn();
    // Whoever waits for orphans has waited for all that have ended, however many come in a row.
    if REAPS.load(Ordering::Relaxed) {
        while c::reap() {}
    }
    // By its own name, which is what a list of processes shows.
    let program = std::env::current_exe().unwrap_or_else(|_| "/proc/self/exe".into());
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    let mut child = command.spawn().map_err(words)?;
    if !wait {
        return Ok(());
    }
    let ended = child.wait().map_err(words)?;
    if ended.success() { Ok(()) } else { Err(ended.to_string()) }
}

/// Wait for orphans as they end, in a thread of its own, for ever.
pub fn reap() {
    REAPS.store(true, Ordering::Relaxed);
    thread::spawn(|| {
        loop {
            {
                let _turn = turn();
                while c::reap() {}
            }
            thread::sleep(PAUSE);
        }
    });
}
