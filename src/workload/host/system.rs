//! The machine as the program sees it.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read, Write},
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use breakfix_workload::{
    CallError, DnsReply, FileError, LockError, Machine, NoReply, Process, RecordKind, Records, Request, Response,
    SignalError, Stat, Stream,
    User, WriteMode,
};

use super::{children, files, names, network};

/// The port of name servers.
const DNS_PORT: u16 = 53;
/// Supplementary groups that are asked for; Linux allows more, containers have a few.
const GROUPS_MAX: i32 = 1024;

#[expect(unsafe_code, reason = "the standard library has no calls for these")]
mod c {
    unsafe extern "C" {
        pub safe fn getuid() -> u32;
        pub safe fn getgid() -> u32;
        pub safe fn kill(pid: i32, signal: i32) -> i32;
        pub fn getgroups(size: i32, list: *mut u32) -> i32;
    }

    /// The supplementary groups of the process.
    pub fn groups(max: i32) -> Vec<u32> {
        let mut list = vec![0; usize::try_from(max).unwrap_or_default()];
        // SAFETY: the list has room for as many entries as the call is told.
        let count = unsafe { getgroups(max, list.as_mut_ptr()) };
        list.truncate(usize::try_from(count).unwrap_or_default());
        list
    }
}

/// The system that this process runs on.
#[derive(Clone, Copy)]
pub struct Linux {
    started: Instant,
}

impl Linux {
    pub fn new() -> Self {
        Self { started: Instant::now() }
    }
}

/// Standard input, byte for byte: the standard library's own would read ahead what belongs to the next command.
pub struct Input;

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        use std::os::fd::AsFd;
        let file = fs::File::from(io::stdin().as_fd().try_clone_to_owned()?);
        (&file).read(buffer)
    }
}

impl Machine for Linux {
    fn pid(&self) -> u32 {
        std::process::id()
    }

    fn env(&self) -> BTreeMap<String, String> {
        let text = |value: std::ffi::OsString| value.to_string_lossy().into_owned();
        std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect()
    }

    fn hostname(&self) -> String {
        let name = fs::read_to_string("/proc/sys/kernel/hostname").or_else(|_| fs::read_to_string("/etc/hostname"));
        name.map(|name| name.trim().to_owned()).unwrap_or_default()
    }

    fn user(&self) -> User {
        User { uid: c::getuid(), gid: c::getgid(), groups: c::groups(GROUPS_MAX) }
    }

    fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    fn unix_millis(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn random(&mut self) -> u64 {
        let mut bytes = [0; 8];
        let read = fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
        if read.is_err() {
            // Without the device the clock and the process number must do: the value marks a start, it guards nothing.
            let clock = u64::from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().subsec_nanos());
            return (clock << 32 | u64::from(std::process::id())).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
        u64::from_ne_bytes(bytes)
    }

    fn sleep(&mut self, time: Duration) {
        std::thread::sleep(time);
    }

    fn print(&mut self, stream: Stream, line: &str) {
        let line = format!("{line}\n");
        // A log that nobody reads any more is no reason to stop.
        drop(match stream {
            Stream::Out => io::stdout().write_all(line.as_bytes()),
            Stream::Err => io::stderr().write_all(line.as_bytes()),
        });
    }

    fn read(&mut self, path: &str) -> Result<Vec<u8>, FileError> {
        files::read(path)
    }

    fn write(&mut self, path: &str, bytes: &[u8], mode: WriteMode) -> Result<(), FileError> {
        files::write(path, bytes, mode)
    }

    fn stat(&mut self, path: &str) -> Result<Stat, FileError> {
        files::stat(path)
    }

    fn list(&mut self, path: &str) -> Result<Vec<String>, FileError> {
        files::list(path)
    }

    fn remove(&mut self, path: &str) -> Result<(), FileError> {
        files::remove(path)
    }

    fn make_directory(&mut self, path: &str) -> Result<(), FileError> {
        files::make_directory(path)
    }

    fn set_mode(&mut self, path: &str, mode: u32) -> Result<(), FileError> {
        files::set_mode(path, mode)
    }

    fn set_owner(&mut self, path: &str, uid: u32, gid: u32) -> Result<(), FileError> {
        files::set_owner(path, uid, gid)
    }

    fn lock(&mut self, path: &str) -> Result<(), LockError> {
        files::lock(path)
    }

    fn ask(&mut self, server: IpAddr, name: &str, timeout: Duration) -> Result<DnsReply, NoReply> {
        let id = u16::try_from(self.random() & 0xffff).unwrap_or_default();
        names::ask(SocketAddr::new(server, DNS_PORT), name, id, timeout)
    }

    fn ask_records(
        &mut self,
        server: IpAddr,
        name: &str,
        kind: RecordKind,
        timeout: Duration,
    ) -> Result<Records, NoReply> {
        let id = u16::try_from(self.random() & 0xffff).unwrap_or_default();
        names::ask_records(SocketAddr::new(server, DNS_PORT), name, kind, id, timeout)
    }

    fn connect(&mut self, to: SocketAddr, timeout: Duration) -> Result<(), CallError> {
        network::connect(to, timeout).map(drop)
    }

    fn exchange(&mut self, to: SocketAddr, request: &Request, timeout: Duration) -> Result<Response, CallError> {
        network::exchange(to, request, timeout)
    }

    fn processes(&self) -> Vec<Process> {
        let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
        let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        let mut processes: Vec<Process> = pids.filter_map(process).collect();
        processes.sort_by_key(|process| process.pid);
        processes
    }

    fn spawn(&mut self, arguments: &[&str], wait: bool) -> Result<(), String> {
        children::spawn(arguments, wait)
    }

    fn signal(&mut self, pid: u32, signal: i32) -> Result<(), SignalError> {
        let pid = i32::try_from(pid).map_err(|_| SignalError::NoSuchProcess)?;
        if c::kill(pid, signal) == 0 {
            return Ok(());
        }
        match io::Error::last_os_error().kind() {
            io::ErrorKind::PermissionDenied => Err(SignalError::Denied),
            _ => Err(SignalError::NoSuchProcess),
        }
    }
}

/// One process of /proc; `None` where it is gone or a kernel thread. One that has ended shows no command line any more, only its name.
fn process(pid: u32) -> Option<Process> {
    use std::os::unix::fs::MetadataExt;
    let folder = format!("/proc/{pid}");
    let uid = fs::metadata(&folder).ok()?.uid();
    let line = fs::read(format!("{folder}/cmdline")).ok()?;
    let words = line.split(|byte| *byte == 0).filter(|word| !word.is_empty());
    let mut argv: Vec<String> = words.map(|word| String::from_utf8_lossy(word).into_owned()).collect();
    // `12 (name) S 1 …`; a name may hold anything, brackets too.
    let stat = fs::read_to_string(format!("{folder}/stat")).ok()?;
    let (before, after) = stat.rsplit_once(')')?;
    let state = after.trim_start().chars().next()?;
    if argv.is_empty() && state == 'Z' {
        argv.push(format!("[{}]", before.split_once('(')?.1));
    }
    (!argv.is_empty()).then_some(Process { pid, uid, state, argv })
}
