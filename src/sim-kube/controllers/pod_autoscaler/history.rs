//! What an autoscaler remembers: what it would have had lately, and by how much it scaled.

use std::{collections::BTreeMap, time::Duration};

use breakfix_sim::{Key, SimTime};
use serde::{Deserialize, Serialize};

/// Longer than any window that can be asked for (an hour).
const KEPT: Duration = Duration::from_secs(3700);

/// By autoscaler.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Histories {
    histories: BTreeMap<String, History>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct History {
    recommendations: Vec<(SimTime, i64)>,
    changes: Vec<(SimTime, i64)>,
}

impl Histories {
    /// The first look: what there is counts as recommended.
    pub(super) fn begin(&mut self, key: &Key, current: i64, now: SimTime) {
        let history = self.histories.entry(id(key)).or_default();
        if history.recommendations.is_empty() {
            history.recommendations.push((now, current));
        }
    }

    /// What was recommended within a time.
    pub(super) fn recommended(&self, key: &Key, within: Duration, now: SimTime) -> Vec<i64> {
        let history = self.histories.get(&id(key));
        let list = history.map_or(&[][..], |history| &history.recommendations);
        list.iter().filter(|(at, _)| now - *at < within).map(|(_, replicas)| *replicas).collect()
    }

    pub(super) fn recommend(&mut self, key: &Key, replicas: i64, now: SimTime) {
        let history = self.histories.entry(id(key)).or_default();
        history.recommendations.retain(|(at, _)| now - *at < KEPT);
        history.recommendations.push((now, replicas));
    }

    pub(super) fn scaled(&mut self, key: &Key, change: i64, now: SimTime) {
        let history = self.histories.entry(id(key)).or_default();
        history.changes.retain(|(at, _)| now - *at < KEPT);
        history.changes.push((now, change));
    }

    /// How many replicas came (or, for `up` false, went) within a time.
    pub(super) fn change(&self, key: &Key, up: bool, within: Duration, now: SimTime) -> i64 {
        let history = self.histories.get(&id(key));
        let list = history.map_or(&[][..], |history| &history.changes);
        let recent = list.iter().filter(|(at, change)| now - *at < within && (*change > 0) == up);
        recent.map(|(_, change)| change.abs()).sum()
    }

    pub(super) fn forget(&mut self, key: &Key) {
        self.histories.remove(&id(key));
    }
}

fn id(key: &Key) -> String {
    format!("{}/{}", key.namespace, key.name)
}
