//! Making a list of changes: one after the other, with the waiting for checks that stands between them.

use std::time::{Duration, Instant};

use breakfix_grade::{Case, Verdict};
use breakfix_lab::{Change, change::Await};
use jiff::Timestamp;

use crate::{Target, TargetError, journal::Undo, target::Cause};

/// How long an `await` waits where it does not say.
const AWAIT_DEFAULT: Duration = Duration::from_secs(60);
/// The pause between two looks.
const PAUSE: Duration = Duration::from_secs(1);

/// Makes the changes in their order. The `case` judges what is awaited.
///
/// # Errors
/// The first change that could not be made; those before it stay made.
pub(super) async fn make(
    target: &dyn Target,
    undo: &dyn Undo,
    case: &Case,
    changes: &[Change],
) -> Result<(), TargetError> {
    for change in changes {
        match change {
            Change::Await(awaited) => wait_for(target, case, awaited).await?,
            change => target.change(change, undo).await?,
        }
    }
    Ok(())
}

async fn wait_for(target: &dyn Target, case: &Case, awaited: &Await) -> Result<(), TargetError> {
    let limit = awaited.at_most.map_or(AWAIT_DEFAULT, |span| span.0);
    let queries = case.queries(&awaited.check);
    let (since, began) = (Timestamp::now(), Instant::now());
    let mut passed = Duration::ZERO;
    loop {
        let verdict = case.judge(&awaited.check, &target.observe(&queries, since).await);
        let spent = if target.skips_time() { passed } else { began.elapsed() };
        let (cause, why) = match verdict {
            Verdict::Met { .. } => return Ok(()),
            Verdict::NotMet { reason, .. } => (Cause::Denied, reason),
            Verdict::Unknown { reason } => (Cause::Answered, reason),
        };
        if spent >= limit {
            let what = format!("wait for what must come first: after {} s {why}", limit.as_secs());
            return Err(TargetError::new(cause, what));
        }
        target.pass(PAUSE).await?;
        passed += PAUSE;
    }
}
