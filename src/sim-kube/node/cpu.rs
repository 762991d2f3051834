//! What a processor limit does to work: the kernel lets a container compute for its quota in each period of 100 ms, and then not until the
//! next (CFS bandwidth control, `cpu.cfs_period_us`). Nothing is killed; everything takes longer.

use std::time::Duration;

use breakfix_sim::SimTime;
use serde::{Deserialize, Serialize};

/// `cpu.cfs_period_us` as kubelet sets it, in microseconds.
const PERIOD: u64 = 100_000;
/// The least quota that the kernel takes.
const QUOTA_LEAST: u64 = 1_000;

/// What a container has used up, up to a moment that may still be to come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Throttle {
    /// When the last work was through, in microseconds of the cluster's time.
    through: u64,
    /// What was used of the quota in the period of that moment.
    used: u64,
}

impl Throttle {
    /// Work that comes at a moment and needs so much of a processor: how long it takes under a limit in thousandths of a processor. Work
    /// that comes before the last is through waits for it, as they share the quota.
    pub fn work(&mut self, at: SimTime, cpu: Duration, limit: Option<u64>) -> Duration {
        let Some(limit) = limit else { return cpu };
        let quota = limit.saturating_mul(PERIOD / 1000).max(QUOTA_LEAST);
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let came = at.0.saturating_mul(1000);
        let need = micros(cpu);
        if need == 0 {
            return cpu;
        }
        if came > self.through {
            if came / PERIOD != self.through / PERIOD {
                self.used = 0;
            }
            self.through = came;
        }
        // More than one processor's worth of quota is never used up by one piece of work at a time.
        let each = quota.min(PERIOD);
        let mut left = need;
        let here = quota.saturating_sub(self.used).min(PERIOD - self.through % PERIOD).min(left);
        self.through += here;
        self.used += here;
        left -= here;
        if left > 0 {
            // Whole periods at a time, then what is left in the last one.
            let periods = left.div_ceil(each);
            let last = left - (periods - 1) * each;
            let next = (self.through / PERIOD + u64::from(!self.through.is_multiple_of(PERIOD))) * PERIOD;
            self.through = next + (periods - 1) * PERIOD + last;
            self.used = last;
        }
        Duration::from_micros(self.through - came)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// 10m is 1 ms of each 100: 50 ms of work end in the fiftieth period.
    #[test]
    fn a_small_quota_stretches_work_over_periods() {
        let mut throttle = Throttle::default();
        assert_eq!(throttle.work(SimTime(1000), millis(50), Some(10)), millis(49 * 100 + 1));
        assert_eq!(
            Throttle::default().work(SimTime(1000), millis(50), Some(500)),
            millis(50),
            "half of a period is enough"
        );
        assert_eq!(Throttle::default().work(SimTime(1000), millis(50), Some(200)), millis(210));
        assert_eq!(Throttle::default().work(SimTime(1000), millis(50), None), millis(50));
        assert_eq!(Throttle::default().work(SimTime(1000), millis(250), Some(4000)), millis(250), "four processors");
    }

    /// What one request has used up is missing to the next; a new period has its own quota.
    #[test]
    fn requests_share_the_quota() {
        let mut throttle = Throttle::default();
        assert_eq!(throttle.work(SimTime(1000), millis(30), Some(500)), millis(30));
        assert_eq!(
            throttle.work(SimTime(1030), millis(30), Some(500)),
            millis(80),
            "20 ms now, 10 ms in the next period"
        );
        assert_eq!(throttle.work(SimTime(1090), millis(10), Some(500)), millis(30), "it waits for the one before");
        assert_eq!(throttle.work(SimTime(5000), millis(50), Some(500)), millis(50));
    }

    /// A quota of 20 % is used up by the first of a burst: the rest waits.
    #[test]
    fn a_burst_waits_in_line() {
        let mut throttle = Throttle::default();
        let took: Vec<u128> = (0..3).map(|_| throttle.work(SimTime(0), millis(20), Some(200)).as_millis()).collect();
        assert_eq!(took, [20, 120, 220]);
    }
}
