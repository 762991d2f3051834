//! `spec.behavior`: windows over which proposals must hold, and how fast replicas may come and go
//! (`normalizeDesiredReplicasWithBehaviors`).

use std::time::Duration;

use serde_json::Value;

use super::{
    ABLE, Look,
    limits::{DOWN_WINDOW, Limited, Range, TOO_FAST, TOO_FEW, TOO_MANY, WITHIN},
    say_limited,
};
use crate::{
    Cluster,
    object::{entries, number, text},
};

pub(super) fn limit(cluster: &mut Cluster, look: &mut Look, range: Range, proposed: i64) -> i64 {
    let (stable, reason, message) = stabilized(cluster, look, range, proposed);
    if stable == proposed {
        look.condition(cluster, ABLE, true, "ReadyForNewScale", "recommended size matches current size");
    } else {
        look.condition(cluster, ABLE, true, reason, message);
    }
    let (desired, reason, message) = by_rate(cluster, look, range, stable);
    say_limited(cluster, look, desired != stable, reason, message);
    desired
}

fn window(look: &Look, direction: &str, default: Duration) -> Duration {
    let seconds = number(&look.scaler, &format!("/spec/behavior/{direction}/stabilizationWindowSeconds"));
    seconds.and_then(|seconds| u64::try_from(seconds).ok()).map_or(default, Duration::from_secs)
}

/// Up only to what all recent proposals agree on, down only to the highest of them.
fn stabilized(cluster: &mut Cluster, look: &Look, range: Range, proposed: i64) -> Limited {
    let now = cluster.now();
    let histories = &mut cluster.controllers.autoscalers;
    let lately = |within| histories.recommended(&look.key, within, now);
    let up =
        lately(window(look, "scaleUp", Duration::ZERO)).into_iter().min().map_or(proposed, |low| low.min(proposed));
    let down = lately(window(look, "scaleDown", DOWN_WINDOW));
    let down = down.into_iter().max().map_or(proposed, |high| high.max(proposed));
    let stable = range.current.max(up).min(down);
    histories.recommend(&look.key, proposed, now);
    if proposed >= range.current {
        let words = "recent recommendations were lower than current one, applying the lowest recent recommendation";
        return (stable, "ScaleUpStabilized", words);
    }
    let words = "recent recommendations were higher than current one, applying the highest recent recommendation";
    (stable, "ScaleDownStabilized", words)
}

fn by_rate(cluster: &Cluster, look: &Look, range: Range, wanted: i64) -> Limited {
    let named = |replicas, (reason, message): (&'static str, &'static str)| (replicas, reason, message);
    if wanted > range.current {
        let rate = rate(cluster, look, range.current, true).max(range.current);
        let (most, why) = if range.most > rate { (rate, TOO_FAST) } else { (range.most, TOO_MANY) };
        if wanted > most {
            return named(most, why);
        }
    } else if wanted < range.current {
        let rate = rate(cluster, look, range.current, false).min(range.current);
        let too_fast = ("ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate");
        let (least, why) = if range.least < rate { (rate, too_fast) } else { (range.least, TOO_FEW) };
        if wanted < least {
            return named(least, why);
        }
    }
    named(wanted, WITHIN)
}

/// As far as the policies allow to go from here (`calculateScaleUpLimitWithScalingRules` and its sister).
fn rate(cluster: &Cluster, look: &Look, current: i64, up: bool) -> i64 {
    let rules = &look.scaler["spec"]["behavior"][if up { "scaleUp" } else { "scaleDown" }];
    let select = text(rules, "/selectPolicy");
    if select == "Disabled" {
        return current;
    }
    let policies = entries(rules, "/policies");
    let limits = policies.iter().map(|policy| by_policy(cluster, look, current, up, policy));
    // "Max" is the greatest change, which is the smallest number on the way down.
    let highest = (select != "Min") == up;
    let limit = if highest { limits.max() } else { limits.min() };
    limit.unwrap_or(if up { i64::MAX } else { 0 })
}

fn by_policy(cluster: &Cluster, look: &Look, current: i64, up: bool, policy: &Value) -> i64 {
    let period = u64::try_from(number(policy, "/periodSeconds").unwrap_or(0)).unwrap_or(0);
    let changed = cluster.controllers.autoscalers.change(&look.key, up, Duration::from_secs(period), cluster.now());
    let (start, sign) = if up { (current - changed, 1) } else { (current + changed, -1) };
    let value = number(policy, "/value").unwrap_or(0);
    if text(policy, "/type") == "Pods" {
        return start + sign * value;
    }
    let hundredths = start.saturating_mul(100 + sign * value);
    // Up rounds up; down drops the fraction.
    if up { (hundredths + 99).div_euclid(100) } else { hundredths.div_euclid(100) }
}
