//! Waiting for the system: steps that grow, on the target's own clock, up to a limit.

use std::time::{Duration, Instant};

use super::host::Host;
use crate::target::TargetError;

/// The first and the longest step where waiting costs time; each is twice the one before.
const REAL: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));
/// The same where it costs the work of a request, and time nothing.
const VIRTUAL: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(1));

/// How long to go on waiting.
pub(crate) struct Wait {
    limit: Duration,
    passed: Duration,
    step: Option<Duration>,
    began: Instant,
}

impl Wait {
    pub(crate) fn up_to(limit: Duration) -> Self {
        Self { limit, passed: Duration::ZERO, step: None, began: Instant::now() }
    }

    /// Lets the next step pass; false once the limit is reached. A simulator's clock moves on by the steps alone; on a real
    /// system the requests in between count too.
    pub(crate) async fn next(&mut self, host: &dyn Host) -> Result<bool, TargetError> {
        let spent = self.passed.max(self.began.elapsed());
        let Some(left) = self.limit.checked_sub(spent).filter(|left| !left.is_zero()) else {
            return Ok(false);
        };
        let (first, longest) = if host.skips_time() { VIRTUAL } else { REAL };
        let step = self.step.map_or(first, |last| (last * 2).min(longest)).min(left);
        host.pass(step).await?;
        self.passed += step;
        self.step = Some(step);
        Ok(true)
    }
}
