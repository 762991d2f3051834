//! A machine in memory, for tests: of this crate and of whoever wants to try a program without a host.

mod files;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use crate::{
    CallError, DnsReply, FileError, LockError, Machine, NoReply, Process, RecordKind, Records, Request, Response,
    SignalError, Stat, Stream, User, WriteMode,
};

pub use files::MemoryFiles;

/// What a call costs on the machine's clock.
const CALL_TIME: Duration = Duration::from_millis(2);

/// Surroundings made of plain data. Calls are answered from `answers`; what is not named there is refused.
#[derive(Clone, Debug, Default)]
pub struct MemoryMachine {
    pub env: BTreeMap<String, String>,
    pub hostname: String,
    pub user: User,
    pub pid: u32,
    pub now: Duration,
    /// Milliseconds since 1970 at uptime zero.
    pub epoch_millis: u64,
    pub files: MemoryFiles,
    /// Names that name servers know, by absolute name.
    pub names: BTreeMap<String, DnsReply>,
    /// What name servers answer to questions for other records.
    pub records: BTreeMap<(String, RecordKind), Records>,
    pub name_servers_silent: bool,
    /// What is answered at which address; an error is what the caller sees.
    pub answers: BTreeMap<SocketAddr, Result<Response, CallError>>,
    pub processes: Vec<Process>,
    /// Lines printed.
    pub printed: Vec<(Stream, String)>,
    /// Requests sent.
    pub calls: Vec<(SocketAddr, Request)>,
    /// Signals sent, as (pid, signal).
    pub signals: Vec<(u32, i32)>,
    /// Command lines of further processes that were started, each a text.
    pub spawned: Vec<String>,
    /// Why no further process is started; empty: one is.
    pub spawn_refused: String,
    locks: BTreeSet<String>,
    seed: u64,
}

impl MemoryMachine {
    /// A machine called `here`, its process being PID 1 of root, at uptime zero, with empty files and network.
    #[must_use]
    pub fn new() -> Self {
        Self::with_seed(1)
    }

    /// The same with other random values.
    #[must_use]
    pub fn with_seed(seed: u64) -> Self {
        let init = Process { pid: 1, uid: 0, state: 'S', argv: vec!["/workload".into(), "serve".into()] };
        Self { hostname: "here".into(), pid: 1, processes: vec![init], seed, ..Self::default() }
    }

    /// Set variables of the environment.
    #[must_use]
    pub fn with_env(mut self, env: &[(&str, &str)]) -> Self {
        self.env.extend(env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self
    }

    /// Make a name known with one address.
    pub fn name(&mut self, name: &str, address: [u8; 4]) {
        let addresses = vec![IpAddr::from(address)];
        self.names.insert(name.to_owned(), DnsReply::Addresses { canonical: name.to_owned(), addresses });
    }

    /// What is answered at an address.
    pub fn answer(&mut self, address: [u8; 4], port: u16, answer: Result<Response, CallError>) {
        self.answers.insert(SocketAddr::from((address, port)), answer);
    }

    /// The process that held the locks is gone.
    pub fn release_locks(&mut self) {
        self.locks.clear();
    }

    /// All lines printed, one below the other.
    #[must_use]
    pub fn log(&self) -> String {
        self.printed.iter().map(|(_, line)| format!("{line}\n")).collect()
    }

    /// Take `time` off the clock, or less when `what` came sooner.
    fn spend(&mut self, what: &Result<(), CallError>, timeout: Duration) {
        self.now += if matches!(what, Err(CallError::TimedOut)) { timeout } else { CALL_TIME };
    }
}

impl Machine for MemoryMachine {
    fn pid(&self) -> u32 {
        self.pid
    }

    fn env(&self) -> BTreeMap<String, String> {
        self.env.clone()
    }

    fn hostname(&self) -> String {
        self.hostname.clone()
    }

    fn user(&self) -> User {
        self.user.clone()
    }

    fn uptime(&self) -> Duration {
        self.now
    }

    fn unix_millis(&self) -> u64 {
        self.epoch_millis + u64::try_from(self.now.as_millis()).unwrap_or(u64::MAX)
    }

    fn random(&mut self) -> u64 {
        // splitmix64
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.seed;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    }

    fn sleep(&mut self, time: Duration) {
        self.now = self.now.saturating_add(time);
    }

    fn print(&mut self, stream: Stream, line: &str) {
        self.printed.push((stream, line.to_owned()));
    }

    fn read(&mut self, path: &str) -> Result<Vec<u8>, FileError> {
        self.files.read(path)
    }

    fn write(&mut self, path: &str, bytes: &[u8], mode: WriteMode) -> Result<(), FileError> {
        let mut all = match mode {
            WriteMode::Append => self.files.read(path).unwrap_or_default(),
            WriteMode::Replace => Vec::new(),
        };
        all.extend_from_slice(bytes);
        self.files.write(path, &all)
    }

    fn stat(&mut self, path: &str) -> Result<Stat, FileError> {
        self.files.stat(path)
    }

    fn list(&mut self, path: &str) -> Result<Vec<String>, FileError> {
        self.files.list(path)
    }

    fn remove(&mut self, path: &str) -> Result<(), FileError> {
        self.files.remove(path)
    }

    fn make_directory(&mut self, path: &str) -> Result<(), FileError> {
        self.files.make_directory(path)
    }

    fn set_mode(&mut self, path: &str, mode: u32) -> Result<(), FileError> {
        self.files.set_mode(path, mode)
    }

    fn set_owner(&mut self, path: &str, uid: u32, gid: u32) -> Result<(), FileError> {
        self.files.set_owner(path, uid, gid)
    }

    fn lock(&mut self, path: &str) -> Result<(), LockError> {
        if self.locks.contains(path) {
            return Err(LockError::Held);
        }
        self.files.write(path, b"").map_err(LockError::File)?;
        self.locks.insert(path.to_owned());
        Ok(())
    }

    fn ask(&mut self, _server: IpAddr, name: &str, timeout: Duration) -> Result<DnsReply, NoReply> {
        if self.name_servers_silent {
            self.now += timeout;
            return Err(NoReply::TimedOut);
        }
        Ok(self.names.get(name).cloned().unwrap_or(DnsReply::NoSuchName))
    }

    fn ask_records(
        &mut self,
        _server: IpAddr,
        name: &str,
        kind: RecordKind,
        timeout: Duration,
    ) -> Result<Records, NoReply> {
        if self.name_servers_silent {
            self.now += timeout;
            return Err(NoReply::TimedOut);
        }
        Ok(self.records.get(&(name.to_owned(), kind)).cloned().unwrap_or(Records::NoSuchName))
    }

    fn connect(&mut self, to: SocketAddr, timeout: Duration) -> Result<(), CallError> {
        let outcome = match self.answers.get(&to) {
            None => Err(CallError::Refused),
            Some(Err(error @ (CallError::Refused | CallError::TimedOut | CallError::Unreachable))) => {
                Err(error.clone())
            }
            Some(_) => Ok(()),
        };
        self.spend(&outcome, timeout);
        outcome
    }

    fn exchange(&mut self, to: SocketAddr, request: &Request, timeout: Duration) -> Result<Response, CallError> {
        self.calls.push((to, request.clone()));
        let outcome = self.answers.get(&to).cloned().unwrap_or(Err(CallError::Refused));
        self.spend(&outcome.as_ref().map(|_| ()).map_err(Clone::clone), timeout);
        outcome
    }

    fn processes(&self) -> Vec<Process> {
        self.processes.clone()
    }

    fn spawn(&mut self, arguments: &[&str], _wait: bool) -> Result<(), String> {
        if !self.spawn_refused.is_empty() {
            return Err(self.spawn_refused.clone());
        }
        self.spawned.push(arguments.join(" "));
        Ok(())
    }

    fn signal(&mut self, pid: u32, signal: i32) -> Result<(), SignalError> {
        if !self.processes.iter().any(|process| process.pid == pid) {
            return Err(SignalError::NoSuchProcess);
        }
        self.signals.push((pid, signal));
        Ok(())
    }
}

/// Starts a program by its command line, for tests: words are parted by single blanks.
#[cfg(test)]
pub(crate) fn start(line: &str, machine: &mut MemoryMachine) -> crate::Program {
    let argv: Vec<String> = line.split(' ').map(str::to_owned).collect();
    match crate::boot(&argv, machine) {
        crate::Boot::Running(program) => program,
        crate::Boot::Ended(end) => panic!("ended with {end:?}: {}", machine.log()),
    }
}
