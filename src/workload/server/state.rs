//! What changes while a server runs.

use std::{collections::BTreeMap, time::Duration};

use crate::stop::Ending;

use super::config::{Config, MIB};

/// Memory that each page leaves in the cache, until CACHE_MB is reached.
const CACHE_STEP: u64 = 8 * MIB;
/// The cache is dropped this long after the last page.
const CACHE_TIME: Duration = Duration::from_secs(60);

#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct State {
    /// Answers by status.
    pub(super) answers: BTreeMap<u16, u64>,
    /// Requests that came in, for the request ids.
    pub(super) requests: u64,
    pub(super) announced: bool,
    pub(super) broken: bool,
    pub(super) unready: bool,
    pub(super) hung: bool,
    pub(super) stopping: bool,
    pub(super) ending: Option<Ending>,
    /// What probes were told last, by path: only changes are logged.
    pub(super) probes: BTreeMap<String, u16>,
    /// What a cache keeps: value, and until when.
    pub(super) items: BTreeMap<String, (String, Duration)>,
    /// When a follower asks its leader next.
    pub(super) next_sync: Duration,
    pub(super) out_of_sync: Option<String>,
    /// What the last sync came to, so that a change is told.
    pub(super) sync_told: String,
    cache: Held,
    load: Held,
}

/// Memory held until a moment.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Held {
    bytes: u64,
    until: Duration,
}

impl Held {
    fn at(self, now: Duration) -> u64 {
        if now < self.until { self.bytes } else { 0 }
    }
}

impl State {
    /// A page was asked for: the cache grows and lives on.
    pub(super) fn fill_cache(&mut self, config: &Config, now: Duration) {
        let bytes = self.cache.at(now).saturating_add(CACHE_STEP).min(config.cache_bytes);
        self.cache = Held { bytes, until: now + CACHE_TIME };
    }

    pub(super) fn load(&mut self, bytes: u64, until: Duration) {
        self.load = Held { bytes, until };
    }

    /// Cache and load are the same customers' memory: the larger one counts.
    pub(super) fn held_bytes(&self, now: Duration) -> u64 {
        self.cache.at(now).max(self.load.at(now))
    }

    /// Moments at which memory is given back, and the end.
    pub(super) fn wakes_at(&self) -> Option<Duration> {
        let held = [self.cache, self.load].into_iter().filter(|held| held.bytes > 0).map(|held| held.until);
        held.chain(self.ending.map(|ending| ending.at)).min()
    }

    /// Forget memory whose time is over.
    pub(super) fn release(&mut self, now: Duration) {
        for held in [&mut self.cache, &mut self.load] {
            if held.at(now) == 0 {
                *held = Held::default();
            }
        }
    }
}
