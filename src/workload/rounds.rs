//! Work that comes again and again until it is told to end: when the next round is due, and the end once it is decided.

use std::time::Duration;

use crate::{End, stop::Ending};

/// When a program that works in rounds has something to do.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Rounds {
    /// Uptime of the next round.
    pub(crate) next: Duration,
    ending: Option<Ending>,
}

/// What is due.
pub(crate) enum Due {
    /// The process is over.
    End(End),
    Round,
    Nothing,
}

impl Rounds {
    /// No more rounds: it ends well, now.
    pub(crate) fn stop(&mut self, now: Duration) {
        self.ending = Some(Ending { end: End::Exit(0), at: now });
    }

    pub(crate) fn wakes_at(&self) -> Duration {
        self.ending.map_or(self.next, |ending| ending.at)
    }

    pub(crate) fn due(&self, now: Duration) -> Due {
        match self.ending.and_then(|ending| ending.due(now)) {
            Some(end) => Due::End(end),
            None if now < self.next => Due::Nothing,
            None => Due::Round,
        }
    }
}
