//! How moments read in objects: whole seconds (`metav1.Time`) or microseconds (`metav1.MicroTime`), in UTC.

use breakfix_sim::SimTime;
use jiff::{SignedDuration, Timestamp};

use crate::Cluster;

impl Cluster {
    /// A moment of the simulation as objects give it: `2026-11-21T11:07:31Z`.
    pub fn date(&self, time: SimTime) -> String {
        seconds(self.clock.date(time))
    }

    /// The present as objects give it.
    pub fn today(&self) -> String {
        self.date(self.now())
    }
}

/// A date in whole seconds.
pub fn seconds(date: Timestamp) -> String {
    date.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// How long after `earlier` a date written in an object lies; `None` if one cannot be read.
pub fn since(earlier: &str, now: Timestamp) -> Option<SignedDuration> {
    earlier.parse::<Timestamp>().ok().map(|earlier| now.duration_since(earlier))
}
