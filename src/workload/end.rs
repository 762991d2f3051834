//! How a process ends, and the exit codes that mean something.

/// Something went wrong that another try may cure; also an address that cannot be listened on.
pub const FAILED: i32 = 1;
/// The command line is wrong (`EX_USAGE` of sysexits.h).
pub const USAGE: i32 = 64;
/// The data folder is in use by another process (`EX_TEMPFAIL` of sysexits.h).
pub const DATA_IN_USE: i32 = 75;
/// The configuration is missing or wrong (`EX_CONFIG` of sysexits.h).
pub const MISCONFIGURED: i32 = 78;

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum End {
    Exit(i32),
    /// Killed by this signal.
    Signal(i32),
}

impl End {
    /// The exit code that container runtimes report: a signal counts 128 and its number.
    #[must_use]
    pub fn code(self) -> i32 {
        match self {
            Self::Exit(code) => code & 0xff,
            Self::Signal(signal) => 128 + signal,
        }
    }
}
