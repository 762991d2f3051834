//! Being told that something of a lab has changed, so that watching costs nothing while nothing happens.

use std::time::{Duration, Instant};

use async_trait::async_trait;

/// How often a target is looked at whose API tells nobody anything.
const POLL: Duration = Duration::from_secs(2);

/// What has happened, as far as it matters to whoever looks again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Happened {
    /// The system moved by itself: a status, a restart, an endpoint.
    Moved,
    /// Somebody asked for something else: an object made, edited or removed. Also what must be assumed where nothing was told for a while.
    Edited,
}

/// Where a target tells what happens to a lab, but for what the grader's own probes do.
#[async_trait]
pub trait Changes: Send {
    /// Returns when something has happened since the last call; at first, when telling begins. Never an error: a stream that breaks is taken up again, and counts as a
    /// change, since nobody knows what it has missed. Dropped before it returns, it loses nothing.
    async fn next(&mut self) -> Happened;
}

/// Changes that come together count as one: waits for a first, then until `quiet` has passed without another, `at_most` so long.
/// The weightiest goes into `seen` as soon as it is known, so that nothing is lost where this is dropped before it returns.
pub async fn coalesced(changes: &mut dyn Changes, seen: &mut Option<Happened>, quiet: Duration, at_most: Duration) {
    let first = changes.next().await;
    *seen = (*seen).max(Some(first));
    gather(changes, seen, quiet, at_most).await;
}

/// Takes what has happened already and what still comes, until `quiet` has passed without anything, `at_most` so long.
pub async fn drained(changes: &mut dyn Changes, quiet: Duration, at_most: Duration) -> Option<Happened> {
    let mut most = None;
    gather(changes, &mut most, quiet, at_most).await;
    most
}

async fn gather(changes: &mut dyn Changes, most: &mut Option<Happened>, quiet: Duration, at_most: Duration) {
    let all = async {
        while let Ok(next) = tokio::time::timeout(quiet, changes.next()).await {
            *most = (*most).max(Some(next));
        }
    };
    // Past `at_most` it is not quiet yet; what comes later is another change.
    let _ = tokio::time::timeout(at_most, all).await;
}

/// The pauses before a broken stream is taken up again: twice as long each time, until something comes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pauses {
    /// Attempts that came to nothing, in a row.
    failures: u32,
}

impl Pauses {
    const MIN: Duration = Duration::from_millis(500);
    const MAX: Duration = Duration::from_secs(10);
    /// A stream that ends sooner and has said nothing is broken, not merely at its end.
    const LASTS: Duration = Duration::from_secs(1);

    /// An attempt came to nothing.
    pub(crate) fn failed(&mut self) {
        self.failures = self.failures.saturating_add(1);
    }

    /// A stream has ended that began then.
    pub(crate) fn ended(&mut self, begun: Instant) {
        if begun.elapsed() < Self::LASTS {
            self.failed();
        }
    }

    /// Something came.
    pub(crate) fn over(&mut self) {
        self.failures = 0;
    }

    /// How long to wait before the next attempt.
    pub(crate) fn next(self) -> Duration {
        match self.failures {
            0 => Duration::ZERO,
            failures => Self::MIN.saturating_mul(1 << (failures - 1).min(8)).min(Self::MAX),
        }
    }
}

/// For an API without any stream: something may have happened every two seconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Polled;

#[async_trait]
impl Changes for Polled {
    async fn next(&mut self) -> Happened {
        tokio::time::sleep(POLL).await;
        Happened::Moved
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    /// Each after so many milliseconds.
    struct Script(VecDeque<(u64, Happened)>);

    #[async_trait]
    impl Changes for Script {
        async fn next(&mut self) -> Happened {
            let Some((after, what)) = self.0.front().copied() else { return std::future::pending().await };
            tokio::time::sleep(Duration::from_millis(after)).await;
            self.0.pop_front();
            what
        }
    }

    fn run(script: &[(u64, Happened)], quiet: u64, at_most: u64) -> (Option<Happened>, usize) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut script = Script(script.iter().copied().collect());
        let quiet = Duration::from_millis(quiet);
        let mut seen = None;
        runtime.block_on(coalesced(&mut script, &mut seen, quiet, Duration::from_millis(at_most)));
        (seen, script.0.len())
    }

    #[test]
    fn what_was_seen_is_known_though_nobody_waited_for_quiet() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut script = Script([(0, Happened::Edited)].into());
        let (mut seen, long) = (None, Duration::from_secs(3600));
        runtime.block_on(async {
            let waiting = coalesced(&mut script, &mut seen, long, long);
            assert!(tokio::time::timeout(Duration::from_millis(50), waiting).await.is_err());
        });
        assert_eq!(seen, Some(Happened::Edited));
    }

    #[test]
    fn pauses_grow_to_a_limit_and_end_with_success() {
        let mut pauses = Pauses::default();
        assert_eq!(pauses.next(), Duration::ZERO);
        pauses.ended(Instant::now());
        assert_eq!(pauses.next(), Duration::from_millis(500));
        pauses.failed();
        assert_eq!(pauses.next(), Duration::from_secs(1));
        for _ in 0..100 {
            pauses.failed();
        }
        assert_eq!(pauses.next(), Duration::from_secs(10));
        pauses.over();
        assert_eq!(pauses.next(), Duration::ZERO);
    }

    #[test]
    fn a_burst_is_one_change_and_the_weightiest_of_it_counts() {
        let burst = [(0, Happened::Moved), (5, Happened::Edited), (5, Happened::Moved), (5000, Happened::Moved)];
        assert_eq!(run(&burst, 200, 2000), (Some(Happened::Edited), 1));
        assert_eq!(run(&burst[..1], 50, 2000), (Some(Happened::Moved), 0));
    }

    #[test]
    fn a_system_that_is_never_quiet_is_looked_at_all_the_same() {
        let storm = vec![(20, Happened::Moved); 100];
        let (what, left) = run(&storm, 200, 300);
        assert_eq!(what, Some(Happened::Moved));
        assert!(left > 50, "it stopped waiting with {left} left");
    }
}
