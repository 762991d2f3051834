//! What a signal does to a process: its own handler, the kernel's default, and PID 1's immunity.

use std::time::Duration;

use crate::{End, Reaction};

/// `SIGHUP` of signal(7), as on every Linux.
pub const SIGHUP: i32 = 1;
/// `SIGINT`.
pub const SIGINT: i32 = 2;
/// `SIGQUIT`.
pub const SIGQUIT: i32 = 3;
/// `SIGKILL`.
pub const SIGKILL: i32 = 9;
/// `SIGTERM`.
pub const SIGTERM: i32 = 15;

/// Signals whose default action is not to end the process: CHLD, CONT, STOP, TSTP, TTIN, TTOU, URG, WINCH.
const HARMLESS: [i32; 8] = [17, 18, 19, 20, 21, 22, 23, 28];

/// What the program does about SIGTERM and SIGINT (setting `STOP`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum StopRule {
    /// A handler ends the program in good order: `STOP=term`.
    Handle,
    /// No handler: the kernel's default, which PID 1 is spared from: `STOP=none`.
    Default,
    /// The signals are ignored: `STOP=ignore`.
    Ignore,
}

impl StopRule {
    /// Read the setting's value.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "term" => Some(Self::Handle),
            "none" => Some(Self::Default),
            "ignore" => Some(Self::Ignore),
            _ => None,
        }
    }

    /// Whether this signal reaches a handler of the program.
    #[must_use]
    pub fn handles(self, signal: i32) -> bool {
        self == Self::Handle && matches!(signal, SIGTERM | SIGINT)
    }

    /// What the kernel does with a signal that no handler takes.
    ///
    /// A PID namespace's first process gets only signals that it has a handler for; KILL from outside the namespace
    /// always counts (pid_namespaces(7)).
    #[must_use]
    pub fn without_handler(self, signal: i32, pid: u32) -> Reaction {
        let ignored = self == Self::Ignore && matches!(signal, SIGTERM | SIGINT);
        if signal == SIGKILL {
            Reaction::Ended(End::Signal(SIGKILL))
        } else if ignored || pid == 1 || HARMLESS.contains(&signal) {
            Reaction::Ignored
        } else {
            Reaction::Ended(End::Signal(signal))
        }
    }
}

/// An end that has been decided and comes at a moment of the process's uptime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Ending {
    pub(crate) end: End,
    pub(crate) at: Duration,
}

impl Ending {
    /// The end, once its time has come.
    pub(crate) fn due(self, now: Duration) -> Option<End> {
        (now >= self.at).then_some(self.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pid_1_without_a_handler_does_not_notice_term() {
        assert_eq!(StopRule::Default.without_handler(SIGTERM, 1), Reaction::Ignored);
        assert_eq!(StopRule::Default.without_handler(SIGTERM, 7), Reaction::Ended(End::Signal(SIGTERM)));
        assert_eq!(StopRule::Default.without_handler(SIGKILL, 1), Reaction::Ended(End::Signal(SIGKILL)));
    }

    #[test]
    fn an_ignored_term_is_ignored_everywhere_and_others_are_not() {
        assert_eq!(StopRule::Ignore.without_handler(SIGTERM, 7), Reaction::Ignored);
        assert_eq!(StopRule::Ignore.without_handler(SIGHUP, 7), Reaction::Ended(End::Signal(SIGHUP)));
        assert_eq!(StopRule::Handle.without_handler(17, 7), Reaction::Ignored);
    }
}
