//! Waiting for the system: steps that grow, on the target's own clock, up to a limit.

use std::time::{Duration, Instant};

use super::host::Host;
use crate::target::TargetError;

/// The first step; each is twice the one before.
const FIRST: Duration = Duration::from_millis(20);
/// The longest step.
const LONGEST: Duration = Duration::from_millis(500);

/// How long to go on waiting.
pub(crate) struct Wait {
    limit: Duration,
    passed: Duration,
    step: Duration,
    began: Instant,
}

impl Wait {
    pub(crate) fn up_to(limit: Duration) -> Self {
        Self { limit, passed: Duration::ZERO, step: FIRST, began: Instant::now() }
    }

    /// Lets the next step pass; false once the limit is reached. A simulator's clock moves on by the steps alone; on a real
    /// system the requests in between count too.
    pub(crate) async fn next(&mut self, host: &dyn Host) -> Result<bool, TargetError> {
        let spent = self.passed.max(self.began.elapsed());
        let Some(left) = self.limit.checked_sub(spent).filter(|left| !left.is_zero()) else {
            return Ok(false);
        };
        let step = self.step.min(left);
        host.pass(step).await?;
        self.passed += step;
        self.step = (self.step * 2).min(LONGEST);
        Ok(true)
    }
}
