//! Which moment of a schedule is due (`mostRecentScheduleTime`, `nextScheduleTime`).

use std::time::Duration;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::Value;

use crate::{
    cron::Schedule,
    object::{number, text},
};

/// More missed moments than this are an event.
const MISSED_MAX: usize = 100;
/// More moments than this are not gone through one by one.
const STEPS_MAX: usize = 100_000;

/// What a schedule calls for now.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Due {
    /// The last moment that has come and was not used.
    pub(super) moment: Option<Timestamp>,
    /// The first moment to come.
    pub(super) next: Option<Timestamp>,
    pub(super) missed_many: bool,
}

pub(super) fn due(cron: &Value, status: &Value, schedule: &Schedule, zone: &TimeZone, now: Timestamp) -> Due {
    let date = |object: &Value, field: &str| text(object, field).parse::<Timestamp>().ok();
    let born = date(cron, "/metadata/creationTimestamp").unwrap_or(now);
    let mut earliest = date(status, "/lastScheduleTime").unwrap_or(born);
    if let Some(seconds) = number(cron, "/spec/startingDeadlineSeconds")
        && let Ok(deadline) = now.checked_sub(SignedDuration::from_secs(seconds))
    {
        earliest = earliest.max(deadline);
    }
    let mut due = Due { moment: None, next: None, missed_many: false };
    let mut at = earliest;
    for step in 0..STEPS_MAX {
        let Some(moment) = schedule.next(at, zone) else { return due };
        if moment > now {
            due.next = Some(moment);
            return due;
        }
        due.moment = Some(moment);
        due.missed_many = step >= MISSED_MAX;
        at = moment;
    }
    // A long sleep: what was missed on the way is of no interest.
    due.next = schedule.next(now, zone);
    due
}

/// How long from now to a moment.
pub(super) fn until(moment: Timestamp, now: Timestamp) -> Duration {
    Duration::from_millis(u64::try_from(moment.as_millisecond() - now.as_millisecond()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn only_the_last_missed_moment_is_made_up_for() {
        let cron = json!({"metadata": {"creationTimestamp": "2026-11-21T11:00:30Z"}, "spec": {}});
        let schedule = Schedule::parse("* * * * *").unwrap();
        let due_at = |now: &str| due(&cron, &json!({}), &schedule, &TimeZone::UTC, at(now));
        assert_eq!(due_at("2026-11-21T11:00:40Z").moment, None);
        let late = due_at("2026-11-21T11:03:10Z");
        assert_eq!((late.moment, late.next), (Some(at("2026-11-21T11:03:00Z")), Some(at("2026-11-21T11:04:00Z"))));
        assert!(!late.missed_many);
        assert!(due_at("2026-11-21T13:00:10Z").missed_many);
    }

    #[test]
    fn a_deadline_limits_how_far_back_is_looked() {
        let cron =
            json!({"metadata": {"creationTimestamp": "2026-11-21T11:00:30Z"}, "spec": {"startingDeadlineSeconds": 20}});
        let schedule = Schedule::parse("* * * * *").unwrap();
        let due = due(&cron, &json!({}), &schedule, &TimeZone::UTC, at("2026-11-21T11:03:40Z"));
        assert_eq!(due.moment, None);
    }
}
