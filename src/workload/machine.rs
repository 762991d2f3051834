//! What the program may do to its surroundings: the one seam between it and its two hosts.

use std::{collections::BTreeMap, fmt, net::IpAddr, net::SocketAddr, time::Duration};

use crate::{Request, Response};

/// The surroundings of one process in one container.
///
/// The real host implements it with system calls, a simulator with its model. Calls that take time ([`sleep`](Self::sleep),
/// [`ask`](Self::ask), [`connect`](Self::connect), [`exchange`](Self::exchange)) block on the real host; a simulator
/// moves this machine's own clock on instead, so that [`uptime`](Self::uptime) tells afterwards how long they took and
/// whatever follows (a line printed, an exit) happens that much later.
///
/// Paths are absolute, without `.` and `..`.
pub trait Machine {
    /// The process's number in its PID namespace; 1 is the container's main process.
    fn pid(&self) -> u32;
    /// The environment that the container was started with.
    fn env(&self) -> BTreeMap<String, String>;
    fn hostname(&self) -> String;
    fn user(&self) -> User;
    /// Time since the process started; never goes back.
    fn uptime(&self) -> Duration;
    /// Milliseconds since 1970-01-01 UTC.
    fn unix_millis(&self) -> u64;
    /// A value that nobody can foresee; a simulator takes it from its seed.
    fn random(&mut self) -> u64;
    fn sleep(&mut self, time: Duration);
    /// Write one line (without its line break) to the container's log.
    fn print(&mut self, stream: Stream, line: &str);

    /// A whole file.
    ///
    /// # Errors
    /// As the kernel refuses.
    fn read(&mut self, path: &str) -> Result<Vec<u8>, FileError>;
    /// Write a file and have it on the disk (fsync) before returning; a failed append leaves the file as it was.
    ///
    /// # Errors
    /// As the kernel refuses.
    fn write(&mut self, path: &str, bytes: &[u8], mode: WriteMode) -> Result<(), FileError>;
    /// What is at `path`, without following a link at its end.
    ///
    /// # Errors
    /// As the kernel refuses.
    fn stat(&mut self, path: &str) -> Result<Stat, FileError>;
    /// Names in a directory, without `.` and `..`, in any order.
    ///
    /// # Errors
    /// As the kernel refuses.
    fn list(&mut self, path: &str) -> Result<Vec<String>, FileError>;
    /// Remove a file or an empty directory.
    ///
    /// # Errors
    /// As the kernel refuses.
    fn remove(&mut self, path: &str) -> Result<(), FileError>;
    /// Make one directory.
    ///
    /// # Errors
    /// As the kernel refuses.
    fn make_directory(&mut self, path: &str) -> Result<(), FileError>;
    /// Give what is at `path` these permission bits, without following a link at its end.
    ///
    /// # Errors
    /// As the kernel refuses; a host without this says so in these words.
    fn set_mode(&mut self, _path: &str, _mode: u32) -> Result<(), FileError> {
        Err(FileError::Other("Operation not supported".into()))
    }
    /// Give what is at `path` to this user and group, without following a link at its end.
    ///
    /// # Errors
    /// As the kernel refuses; a host without this says so in these words.
    fn set_owner(&mut self, _path: &str, _uid: u32, _gid: u32) -> Result<(), FileError> {
        Err(FileError::Other("Operation not supported".into()))
    }
    /// Take the exclusive lock of a file (made where it is missing) and keep it until this process ends, however it ends.
    ///
    /// # Errors
    /// Another living process holds it, or the file cannot be made.
    fn lock(&mut self, path: &str) -> Result<(), LockError>;

    /// Ask one name server for the IPv4 addresses of an absolute name (without the final dot). Which servers and names
    /// are asked, the library takes from the files `/etc/resolv.conf` and `/etc/hosts` of this machine.
    ///
    /// # Errors
    /// Nothing came back.
    fn ask(&mut self, server: IpAddr, name: &str, timeout: Duration) -> Result<DnsReply, NoReply>;
    /// Ask one name server for records that are no addresses.
    ///
    /// # Errors
    /// Nothing came back.
    fn ask_records(
        &mut self,
        _server: IpAddr,
        _name: &str,
        _kind: RecordKind,
        _timeout: Duration,
    ) -> Result<Records, NoReply> {
        Ok(Records::Failed)
    }
    /// Open a TCP connection and close it again.
    ///
    /// # Errors
    /// As the network refuses.
    fn connect(&mut self, to: SocketAddr, timeout: Duration) -> Result<(), CallError>;
    /// Send one HTTP request and read its answer; `timeout` covers all of it.
    ///
    /// # Errors
    /// As the network refuses; a status of 400 and above is an answer, not an error.
    fn exchange(&mut self, to: SocketAddr, request: &Request, timeout: Duration) -> Result<Response, CallError>;

    /// The value of a parameter of AWS Systems Manager, asked for with the rights that the container's program has in the account.
    ///
    /// # Errors
    /// The service's own words where it refuses. A host that does not speak to AWS says so.
    fn parameter(&mut self, _name: &str, _timeout: Duration) -> Result<String, ParameterError> {
        Err(ParameterError::NoService)
    }

    /// The processes of this PID namespace, by rising number; those that have ended and that nobody has waited for are among them.
    fn processes(&self) -> Vec<Process>;
    /// Start this same program once more, with other arguments; `wait`: until it has ended.
    ///
    /// # Errors
    /// The kernel's words where it starts no further process, or how it ended where it ended badly. A host that runs no
    /// further processes says so.
    fn spawn(&mut self, _arguments: &[&str], _wait: bool) -> Result<(), String> {
        Err("Function not implemented".into())
    }
    /// Send a signal.
    ///
    /// # Errors
    /// There is no such process, or it belongs to somebody else.
    fn signal(&mut self, pid: u32, signal: i32) -> Result<(), SignalError>;
}

/// Which of the two logs a line goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Stream {
    Out,
    Err,
}

/// Who the process is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct User {
    pub uid: u32,
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
}

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteMode {
    /// The file holds these bytes and no others.
    Replace,
    /// The bytes come after what is there.
    Append,
}

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Stat {
    pub kind: FileKind,
    /// Permission bits, `0o644`.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    /// Bytes.
    pub size: u64,
    /// Seconds since 1970-01-01 UTC.
    pub modified: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum FileKind {
    File,
    Directory,
    /// A symbolic link and what it says.
    Link(String),
    /// A socket, a pipe, a device.
    Special,
}

/// A file operation was refused. Displays as the C library words it, so that what tools print is familiar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileError {
    NotFound,
    Denied,
    NotADirectory,
    IsADirectory,
    DirectoryNotEmpty,
    Exists,
    ReadOnly,
    NoSpace,
    /// Anything else, in the host's own words.
    Other(String),
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFound => "No such file or directory",
            Self::Denied => "Permission denied",
            Self::NotADirectory => "Not a directory",
            Self::IsADirectory => "Is a directory",
            Self::DirectoryNotEmpty => "Directory not empty",
            Self::Exists => "File exists",
            Self::ReadOnly => "Read-only file system",
            Self::NoSpace => "No space left on device",
            Self::Other(words) => words,
        })
    }
}

impl std::error::Error for FileError {}

/// A lock was not given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockError {
    /// Another living process holds it.
    Held,
    File(FileError),
}

/// What a name server said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DnsReply {
    /// The name has these addresses (one at least); `canonical` is the name at the end of its aliases.
    Addresses { canonical: String, addresses: Vec<IpAddr> },
    /// The name is an alias of another one whose addresses did not come along.
    Alias(String),
    /// The name exists and has no IPv4 address.
    NoAddress,
    /// NXDOMAIN.
    NoSuchName,
    /// The server answered and could not or would not say (SERVFAIL, REFUSED …).
    Failed,
}

/// Records that are no addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecordKind {
    /// Where a service of the name is (RFC 2782).
    Srv,
    /// The name of an address (RFC 1035, 3.3.12).
    Ptr,
}

/// What a name server said to a question for such records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Records {
    /// One at least, as zone files write them: `0 100 80 web.shop.svc.cluster.local`, or a name.
    Found(Vec<String>),
    /// The name exists and has no such record.
    None,
    /// NXDOMAIN.
    NoSuchName,
    /// The server answered and could not or would not say.
    Failed,
}

/// Why no name server answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoReply {
    TimedOut,
    /// The server's machine says that nobody listens there.
    Refused,
    Unreachable,
}

/// Why a call got no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallError {
    /// The name has no address.
    NameUnknown(String),
    /// No name server could tell.
    NamesSilent(String),
    Refused,
    TimedOut,
    /// The connection ended before the answer was complete.
    Reset,
    Unreachable,
    /// What came back is not HTTP, or is larger than we read; or the URL cannot be called.
    Garbled(String),
}

impl CallError {
    /// One word for machines: the `outcome` of [`get`](crate::tool).
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::NameUnknown(_) => "name_unknown",
            Self::NamesSilent(_) | Self::TimedOut => "timed_out",
            Self::Refused => "refused",
            Self::Reset => "reset",
            Self::Unreachable | Self::Garbled(_) => "error",
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NameUnknown(name) => write!(f, "name unknown: {name}"),
            Self::NamesSilent(name) => write!(f, "no name server answers for {name}"),
            Self::Refused => f.write_str("connection refused"),
            Self::TimedOut => f.write_str("timed out"),
            Self::Reset => f.write_str("connection reset"),
            Self::Unreachable => f.write_str("no route to host"),
            Self::Garbled(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for CallError {}

/// A parameter could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParameterError {
    /// The service said no: `AccessDeniedException: …`.
    Refused(String),
    TimedOut,
    /// This host speaks to no such service. The real one does not: it has no TLS.
    NoService,
}

impl fmt::Display for ParameterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(why) => f.write_str(why),
            Self::TimedOut => f.write_str("timed out"),
            Self::NoService => f.write_str("no parameter store can be asked from here"),
        }
    }
}

impl std::error::Error for ParameterError {}

/// One line of `ps`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Process {
    pub pid: u32,
    pub uid: u32,
    /// The kernel's letter: `R` runs, `S` sleeps, `Z` has ended and waits for somebody to ask how.
    pub state: char,
    pub argv: Vec<String>,
}

/// A signal was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalError {
    NoSuchProcess,
    Denied,
}

impl fmt::Display for SignalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSuchProcess => "No such process",
            Self::Denied => "Operation not permitted",
        })
    }
}
