//! What went through the balancers, counted by the minute: what CloudWatch is told.

use serde::{Deserialize, Serialize};

use crate::Cloud;

/// One minute of one target group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Minute {
    /// Minutes since the simulation began.
    pub number: u64,
    /// Requests that a target was asked (`RequestCount`).
    pub requests: u64,
    /// Answers of targets by class (`HTTPCode_Target_2XX_Count` …).
    pub target_2xx: u64,
    pub target_3xx: u64,
    pub target_4xx: u64,
    pub target_5xx: u64,
    /// The balancer's own 502, 503 and 504 (`HTTPCode_ELB_5XX_Count`).
    pub elb_5xx: u64,
    /// Milliseconds that targets took, together (`TargetResponseTime`).
    pub millis: u64,
}

/// Minutes that are kept: three hours.
const KEPT: usize = 180;

/// What came of one request.
pub(super) enum Answered {
    /// A target's answer with this status, after so many milliseconds.
    ByTarget(u16, u64),
    /// The balancer's own error.
    ByBalancer,
}

pub(super) fn count(cloud: &mut Cloud, group: &str, answered: &Answered) {
    let number = cloud.now().0 / 60_000;
    let minutes = cloud.elbv2.minutes.entry(group.to_owned()).or_default();
    if minutes.last().is_none_or(|it| it.number != number) {
        minutes.push(Minute { number, ..Minute::default() });
        let surplus = minutes.len().saturating_sub(KEPT);
        minutes.drain(..surplus);
    }
    let Some(minute) = minutes.last_mut() else { return };
    minute.requests += 1;
    match answered {
        Answered::ByTarget(status, millis) => {
            minute.millis += millis;
            match status {
                200..300 => minute.target_2xx += 1,
                300..400 => minute.target_3xx += 1,
                400..500 => minute.target_4xx += 1,
                _ => minute.target_5xx += 1,
            }
        }
        Answered::ByBalancer => minute.elb_5xx += 1,
    }
}
