//! The bounds of a proposal where the autoscaler has no `behavior` (`normalizeDesiredReplicas`).

use std::time::Duration;

use super::{ABLE, Look, say_limited};
use crate::Cluster;

/// `--horizontal-pod-autoscaler-downscale-stabilization`.
pub(super) const DOWN_WINDOW: Duration = Duration::from_secs(300);

/// Between what the replicas must stay.
#[derive(Clone, Copy, Debug)]
pub(super) struct Range {
    pub(super) current: i64,
    pub(super) least: i64,
    pub(super) most: i64,
}

/// A number of replicas, and what kept it there.
pub(super) type Limited = (i64, &'static str, &'static str);

pub(super) const TOO_MANY: (&str, &str) =
    ("TooManyReplicas", "the desired replica count is more than the maximum replica count");
pub(super) const TOO_FEW: (&str, &str) =
    ("TooFewReplicas", "the desired replica count is less than the minimum replica count");
pub(super) const TOO_FAST: (&str, &str) =
    ("ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate");
pub(super) const WITHIN: (&str, &str) = ("DesiredWithinRange", "the desired count is within the acceptable range");

pub(super) fn limit(cluster: &mut Cluster, look: &mut Look, range: Range, proposed: i64) -> i64 {
    let now = cluster.now();
    let recent = cluster.controllers.autoscalers.recommended(&look.key, DOWN_WINDOW, now);
    let stable = recent.into_iter().max().map_or(proposed, |highest| highest.max(proposed));
    cluster.controllers.autoscalers.recommend(&look.key, proposed, now);
    if stable == proposed {
        look.condition(cluster, ABLE, true, "ReadyForNewScale", "recommended size matches current size");
    } else {
        let words = "recent recommendations were higher than current one, applying the highest recent recommendation";
        look.condition(cluster, ABLE, true, "ScaleDownStabilized", words);
    }
    let (desired, reason, message) = by_rules(range, stable);
    say_limited(cluster, look, desired != stable, reason, message);
    desired
}

/// At most twice as many at once, or four (`convertDesiredReplicasWithRules`).
fn by_rules(range: Range, wanted: i64) -> Limited {
    let rate = (range.current * 2).max(4);
    let (most, why) = if range.most > rate { (rate, TOO_FAST) } else { (range.most, TOO_MANY) };
    let (desired, (reason, message)) = if wanted < range.least {
        (range.least, TOO_FEW)
    } else if wanted > most {
        (most, why)
    } else {
        (wanted, WITHIN)
    };
    (desired, reason, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicas_at_most_double_and_stay_in_range() {
        let range = Range { current: 3, least: 2, most: 20 };
        assert_eq!(by_rules(range, 9), (6, TOO_FAST.0, TOO_FAST.1));
        assert_eq!(by_rules(range, 1), (2, TOO_FEW.0, TOO_FEW.1));
        assert_eq!(by_rules(Range { most: 5, ..range }, 9), (5, TOO_MANY.0, TOO_MANY.1));
        assert_eq!(by_rules(Range { current: 1, ..range }, 4).0, 4, "from one to four at once");
        assert_eq!(by_rules(range, 4), (4, WITHIN.0, WITHIN.1));
    }
}
