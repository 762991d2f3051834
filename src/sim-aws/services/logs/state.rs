//! What CloudWatch Logs keeps: groups, streams, events.

use std::collections::{BTreeMap, VecDeque};

use breakfix_sim::SimTime;
use serde::{Deserialize, Serialize};

/// A stream keeps so many events; of a longer one the oldest are gone. The real service keeps them all until they expire.
pub const EVENTS_MAX: usize = 5_000;

/// What the service keeps.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// By name.
    pub groups: BTreeMap<String, Group>,
    /// Numbers events, so that each has an id and ties keep their order.
    pub written: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Group {
    pub name: String,
    pub created: SimTime,
    pub retention_days: Option<u32>,
    pub kms_key: Option<String>,
    /// `STANDARD`, `INFREQUENT_ACCESS`, `DELIVERY`.
    pub class: String,
    pub tags: BTreeMap<String, String>,
    /// By name.
    pub streams: BTreeMap<String, Stream>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stream {
    pub name: String,
    pub created: SimTime,
    /// By time, and as they came in.
    pub events: VecDeque<LogEvent>,
    pub last_ingestion: Option<SimTime>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogEvent {
    /// Milliseconds since the simulation began; a writer's own clock may say a time before it.
    pub at: i64,
    pub ingested: SimTime,
    pub number: u64,
    pub message: String,
}

impl Stream {
    /// Puts an event at its place by time; most come in order.
    pub fn put(&mut self, event: LogEvent) {
        let place = self.events.iter().rposition(|other| other.at <= event.at).map_or(0, |place| place + 1);
        self.events.insert(place, event);
        if self.events.len() > EVENTS_MAX {
            self.events.pop_front();
        }
    }
}
