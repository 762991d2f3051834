//! Exponential back-off as kubelet keeps it (client-go `util/flowcontrol/backoff.go`).

use std::time::Duration;

use breakfix_sim::SimTime;
use serde::{Deserialize, Serialize};

/// `backOffPeriod` of crashed containers and of failed pulls.
const FIRST: Duration = Duration::from_secs(10);
/// `MaxCrashLoopBackOff`, and the same for images.
const MAX: Duration = Duration::from_secs(300);

/// One back-off: how long, and since when that is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackOff {
    pub length: Duration,
    updated: SimTime,
}

impl BackOff {
    /// The end of the back-off after something that happened at `event`; `None` if it does not hold any more at `now`.
    pub fn until(entry: Option<&Self>, event: SimTime, now: SimTime) -> Option<SimTime> {
        let entry = entry.filter(|entry| !entry.is_forgotten(event))?;
        let until = event + entry.length;
        (now < until).then_some(until)
    }

    /// The next, longer one.
    #[must_use]
    pub fn next(entry: Option<&Self>, event: SimTime, now: SimTime) -> Self {
        let length = match entry.filter(|entry| !entry.is_forgotten(event)) {
            None => FIRST,
            Some(entry) => entry.length.saturating_mul(2).min(MAX),
        };
        Self { length, updated: now }
    }

    /// What went well for ten minutes is forgiven.
    fn is_forgotten(&self, event: SimTime) -> bool {
        event - self.updated > MAX * 2
    }
}

/// A length as Go prints it: `10s`, `1m20s`, `5m0s`.
pub fn go_duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 60, seconds % 60) {
        (0, seconds) => format!("{seconds}s"),
        (minutes, seconds) => format!("{minutes}m{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recorded: crash-loop of a 1.36 cluster: at once, then 10, 20, 40 … 300 s.
    #[test]
    fn a_crash_loop_grows_to_five_minutes_and_is_forgotten_after_ten() {
        let second = |seconds: u64| SimTime(seconds * 1000);
        assert_eq!(BackOff::until(None, second(1), second(1)), None, "the first restart is immediate");
        let mut entry = BackOff::next(None, second(1), second(1));
        let mut lengths = vec![entry.length.as_secs()];
        let mut now = 1;
        for _ in 0..6 {
            assert_eq!(BackOff::until(Some(&entry), second(now), second(now + 1)), Some(second(now) + entry.length));
            now += entry.length.as_secs();
            entry = BackOff::next(Some(&entry), second(now), second(now));
            lengths.push(entry.length.as_secs());
        }
        assert_eq!(lengths, [10, 20, 40, 80, 160, 300, 300]);
        assert_eq!(BackOff::until(Some(&entry), second(now + 601), second(now + 601)), None);
    }

    #[test]
    fn lengths_read_as_go_prints_them() {
        let texts: Vec<String> =
            [10, 80, 300].into_iter().map(|seconds| go_duration(Duration::from_secs(seconds))).collect();
        assert_eq!(texts, ["10s", "1m20s", "5m0s"]);
    }
}
