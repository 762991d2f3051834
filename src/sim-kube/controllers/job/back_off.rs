//! How long failures hold up the next pod: 10 s after the first, doubled with each, 10 min at most (`backoff_utils.go`).

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use breakfix_sim::{Key, SimTime};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::object::{entries, text};

/// `DefaultJobPodFailureBackOff`.
const FIRST: Duration = Duration::from_secs(10);
/// `MaxJobPodFailureBackOff`.
const MAX: Duration = Duration::from_secs(600);

/// The failures since the last success, by Job.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct BackOffs {
    records: BTreeMap<String, Record>,
}

/// The failures of one Job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    failures: u32,
    /// A moment, not a date: dates are moved when a simulation's past is.
    last: Option<SimTime>,
}

impl BackOffs {
    /// The record with pods that ended since.
    pub(super) fn with(
        &self,
        key: &Key,
        succeeded: &[Arc<Value>],
        failed: &[Arc<Value>],
        (now, today): (SimTime, Timestamp),
    ) -> Record {
        let mut record = self.records.get(&id(key)).cloned().unwrap_or_default();
        let last_success = succeeded.iter().map(|pod| end(pod, today)).max();
        if last_success.is_some() {
            record = Record::default();
        }
        let mut ends: Vec<Timestamp> = failed.iter().map(|pod| end(pod, today)).collect();
        ends.sort_unstable();
        for end in ends.into_iter().filter(|end| last_success.is_none_or(|success| *end > success)) {
            record.failures += 1;
            record.last = Some(moment(end, now, today));
        }
        record
    }

    pub(super) fn keep(&mut self, key: &Key, record: Record) {
        if record == Record::default() {
            self.records.remove(&id(key));
        } else {
            self.records.insert(id(key), record);
        }
    }

    pub(super) fn forget(&mut self, key: &Key) {
        self.records.remove(&id(key));
    }
}

impl Record {
    /// How long the next pod still has to wait.
    pub(super) fn left(&self, now: SimTime) -> Duration {
        self.last.map_or(Duration::ZERO, |last| left_after(self.failures, last, now))
    }
}

/// What is left of the wait after so many failures, the last of them at a moment.
pub(super) fn left_after(failures: u32, last: SimTime, now: SimTime) -> Duration {
    let Some(doublings) = failures.checked_sub(1) else { return Duration::ZERO };
    let delay = FIRST.saturating_mul(2_u32.saturating_pow(doublings)).min(MAX);
    delay.saturating_sub(now - last)
}

/// When a pod ended, as a moment.
pub(super) fn moment_of_end(pod: &Value, now: SimTime, today: Timestamp) -> SimTime {
    moment(end(pod, today), now, today)
}

fn moment(date: Timestamp, now: SimTime, today: Timestamp) -> SimTime {
    let ago = u64::try_from(today.as_millisecond() - date.as_millisecond()).unwrap_or(0);
    SimTime(now.0.saturating_sub(ago))
}

fn id(key: &Key) -> String {
    format!("{}/{}", key.namespace, key.name)
}

/// When a pod ended: its last container's end, or, where none tells, its deletion's beginning.
fn end(pod: &Value, today: Timestamp) -> Timestamp {
    let of_containers = ["/status/containerStatuses", "/status/initContainerStatuses"]
        .into_iter()
        .flat_map(|list| entries(pod, list))
        .filter_map(|status| text(status, "/state/terminated/finishedAt").parse().ok())
        .max();
    of_containers
        .or_else(|| {
            let due: Timestamp = text(pod, "/metadata/deletionTimestamp").parse().ok()?;
            let grace = pod["metadata"]["deletionGracePeriodSeconds"].as_i64().unwrap_or(0);
            due.checked_sub(jiff::SignedDuration::from_secs(grace)).ok()
        })
        .unwrap_or(today)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn failed(second: i64) -> Arc<Value> {
        let at = crate::date::seconds(Timestamp::from_second(second).unwrap());
        Arc::new(json!({"status": {"containerStatuses": [{"state": {"terminated": {"finishedAt": at}}}]}}))
    }

    /// Recorded on 1.36 (`job-backofflimit`): the second pod 10 s after the first one's end, the third 20 s after the second's.
    #[test]
    fn each_failure_doubles_the_wait_and_a_success_ends_it() {
        let key = Key::new("jobs.batch", "shop", "a");
        // The simulation began at second 50.
        let at = |second: i64| (sim_time(second), Timestamp::from_second(second).unwrap());
        let mut back_offs = BackOffs::default();
        let first = back_offs.with(&key, &[], &[failed(100)], at(101));
        assert_eq!(first.left(sim_time(101)), Duration::from_secs(9));
        back_offs.keep(&key, first);
        let second = back_offs.with(&key, &[], &[failed(111)], at(111));
        assert_eq!(second.left(sim_time(111)), Duration::from_secs(20));
        back_offs.keep(&key, second);
        let after = back_offs.with(&key, &[failed(140)], &[], at(141));
        assert_eq!(after.left(sim_time(141)), Duration::ZERO);
    }

    fn sim_time(second: i64) -> SimTime {
        SimTime(u64::try_from(second - 50).unwrap() * 1000)
    }
}
