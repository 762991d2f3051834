//! Virtual time: milliseconds since a simulator began, and how they read as dates.

use std::{
    ops::{Add, Sub},
    time::Duration,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A moment of a simulation: milliseconds since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SimTime(pub u64);

impl Add<Duration> for SimTime {
    type Output = Self;

    fn add(self, time: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)))
    }
}

impl Sub for SimTime {
    type Output = Duration;

    /// How long after `earlier` this is; zero if it is not.
    fn sub(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// The simulation's clock: where it stands, and the date on which it began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Clock {
    now: SimTime,
    /// The date of [`SimTime`] zero, in milliseconds since 1970.
    began_unix_ms: i64,
}

impl Clock {
    /// A clock that stands at its beginning, on this date.
    pub fn starting_at(date: Timestamp) -> Self {
        Self { now: SimTime(0), began_unix_ms: date.as_millisecond() }
    }

    pub fn now(&self) -> SimTime {
        self.now
    }

    /// Moves on to `time`; a clock never goes back.
    pub fn move_to(&mut self, time: SimTime) {
        self.now = self.now.max(time);
    }

    /// The date of a moment.
    pub fn date(&self, time: SimTime) -> Timestamp {
        let offset = i64::try_from(time.0).unwrap_or(i64::MAX);
        Timestamp::from_millisecond(self.began_unix_ms.saturating_add(offset)).unwrap_or(Timestamp::MAX)
    }

    /// The present date.
    pub fn today(&self) -> Timestamp {
        self.date(self.now)
    }

    /// Makes everything that has happened so far lie further in the past by `time`. Used after time was skipped: the simulation
    /// then stands at the caller's own date again, and what it lived through meanwhile is history. Dates that were already
    /// written into objects must be moved by the simulator that owns them.
    pub fn push_into_the_past(&mut self, time: Duration) {
        let millis = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        self.shift_date(millis.saturating_neg());
    }

    /// Moves the date by so many milliseconds, forwards or back, and the simulation's own time not at all.
    pub fn shift_date(&mut self, millis: i64) {
        self.began_unix_ms = self.began_unix_ms.saturating_add(millis);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_never_goes_back() {
        let mut clock = Clock::starting_at(Timestamp::UNIX_EPOCH);
        clock.move_to(SimTime(5));
        clock.move_to(SimTime(3));
        assert_eq!(clock.now(), SimTime(5));
    }

    #[test]
    fn skipped_time_becomes_the_past() {
        let mut clock = Clock::starting_at(Timestamp::from_second(1_000).unwrap());
        clock.move_to(SimTime(60_000));
        assert_eq!(clock.today(), Timestamp::from_second(1_060).unwrap());
        clock.push_into_the_past(Duration::from_secs(60));
        assert_eq!(clock.today(), Timestamp::from_second(1_000).unwrap());
        assert_eq!(clock.now(), SimTime(60_000), "the simulation's own time is untouched");
    }
}
