//! The engine of this machine in a test: taken in turns, listed, and reached by a way that can be cut, slowed down or made to answer nonsense.

#![allow(dead_code, reason = "each file of tests uses a part of it, and none the same")]

use std::{
    io::{Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use crate::learner::{Learner, have};

/// Where Docker's engine listens unless it was told otherwise.
const USUAL: &str = "/var/run/docker.sock";

static TURN: Mutex<()> = Mutex::new(());

/// The engine, for one test at a time, as names on it are everybody's; nothing where there is none.
pub fn turn() -> Option<MutexGuard<'static, ()>> {
    have("docker").then(|| TURN.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Everything on the engine that a lab could leave behind.
pub fn inventory(learner: &Learner) -> String {
    let list = |arguments: &[&str]| {
        // Past any way of the test's.
        let output = learner.command("docker").env_remove("DOCKER_HOST").args(arguments).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let mut lines: Vec<String> = [
        list(&["ps", "-a", "--format", "container {{.Names}} {{.ID}}"]),
        list(&["network", "ls", "--format", "network {{.Name}} {{.ID}}"]),
        list(&["volume", "ls", "--format", "volume {{.Name}}"]),
        list(&["images", "-a", "--format", "image {{.Repository}}:{{.Tag}} {{.ID}}"]),
    ]
    .concat()
    .lines()
    .map(str::to_owned)
    .collect();
    lines.sort();
    lines.join("\n")
}

/// A way to the engine: a socket that hands on what comes, as long as it is let.
pub struct Way {
    pub socket: PathBuf,
    state: Arc<State>,
}

struct State {
    /// How many connections may still pass; `usize::MAX` for any number.
    left: AtomicUsize,
    passed: AtomicUsize,
    /// How long each answer is kept back, in milliseconds.
    delay: AtomicU64,
    /// What comes next on a connection that may not pass.
    then: Mutex<Then>,
}

/// What becomes of a connection that may not pass.
#[derive(Clone, Copy)]
pub enum Then {
    /// It is closed at once, as by an engine that is being stopped.
    Cut,
    /// It gets an answer that no engine gives.
    Nonsense,
    /// What would write is answered as by an engine whose disk is full; all else passes.
    DiskFull,
}

impl Way {
    /// Nothing where the engine is not at its usual socket, which is said.
    pub fn to_the_engine(folder: &Path) -> Option<Self> {
        if !Path::new(USUAL).exists() {
            println!("skipped: no Docker engine at {USUAL}");
            return None;
        }
        let socket = folder.join("engine.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let state = Arc::new(State {
            left: AtomicUsize::new(usize::MAX),
            passed: AtomicUsize::new(0),
            delay: AtomicU64::new(0),
            then: Mutex::new(Then::Cut),
        });
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                thread::spawn(move || serve(client, &state));
            }
        });
        Some(Self { socket, state })
    }

    pub fn host(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    /// From here on so many connections pass, and then none.
    pub fn only(&self, connections: usize, then: Then) {
        *self.state.then.lock().unwrap() = then;
        self.state.left.store(connections, Ordering::SeqCst);
    }

    /// Everything passes again.
    pub fn mend(&self) {
        self.state.left.store(usize::MAX, Ordering::SeqCst);
        self.state.delay.store(0, Ordering::SeqCst);
    }

    pub fn slow_down(&self, delay: Duration) {
        self.state.delay.store(delay.as_millis() as u64, Ordering::SeqCst);
    }

    /// How many connections have passed since this was last asked.
    pub fn passed(&self) -> usize {
        self.state.passed.swap(0, Ordering::SeqCst)
    }
}

/// What an engine says when its disk is full, in its own words.
const NO_SPACE: &str = "HTTP/1.1 500 Internal Server Error\r\nApi-Version: 1.41\r\nContent-Type: application/json\r\nContent-Length: 81\r\n\r\n\
    {\"message\":\"mkdir /var/lib/docker/overlay2/0a1b2c3d4e: no space left on device\"}\n";

/// Answers, and reads what is still coming: who is cut off while sending does not see the answer.
fn refuse(mut client: UnixStream, answer: &str) {
    drop(client.write_all(answer.as_bytes()));
    drop(client.set_read_timeout(Some(Duration::from_millis(200))));
    drop(std::io::copy(&mut client, &mut std::io::sink()));
}

fn serve(mut client: UnixStream, state: &State) {
    let may = state.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| match left {
        usize::MAX => Some(left),
        left => left.checked_sub(1),
    });
    let mut begun = Vec::new();
    if may.is_err() {
        let then = *state.then.lock().unwrap();
        if let Then::Cut = then {
            return;
        }
        let mut asked = [0; 4096];
        let read = client.read(&mut asked).unwrap_or(0);
        begun.extend_from_slice(&asked[..read]);
        match then {
            Then::DiskFull if !begun.starts_with(b"P") => {}
            Then::DiskFull => return refuse(client, NO_SPACE),
            Then::Nonsense | Then::Cut => {
                return refuse(client, "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 6\r\n\r\n<html>");
            }
        }
    }
    state.passed.fetch_add(1, Ordering::SeqCst);
    let Ok(mut engine) = UnixStream::connect(USUAL) else { return };
    if engine.write_all(&begun).is_err() {
        return;
    }
    let (mut to, mut from) = (engine.try_clone().unwrap(), client.try_clone().unwrap());
    thread::spawn(move || std::io::copy(&mut from, &mut to).map(|_| to.shutdown(std::net::Shutdown::Write)));
    thread::sleep(Duration::from_millis(state.delay.load(Ordering::SeqCst)));
    let mut back = engine;
    drop(std::io::copy(&mut back, &mut client));
    drop(client.shutdown(std::net::Shutdown::Both));
}
