//! From what pods use to how many there should be (`replica_calculator.go`).

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    controllers::pod_state,
    metrics::Sample,
    object::{is_deleting, name, text},
};

/// `--horizontal-pod-autoscaler-cpu-initialization-period`.
const INITIALIZATION: Duration = Duration::from_secs(300);
/// `--horizontal-pod-autoscaler-initial-readiness-delay`.
const FIRST_READINESS: Duration = Duration::from_secs(30);

/// What one pod of the target is to the arithmetic.
pub(super) struct Groups {
    /// Pods that count as they are.
    pub(super) ready: Vec<String>,
    pub(super) unready: Vec<String>,
    /// Pods that have not been measured.
    pub(super) missing: Vec<String>,
}

/// `groupPods`.
pub(super) fn group(pods: &[Arc<Value>], samples: &BTreeMap<String, Sample>, is_cpu: bool, now: Timestamp) -> Groups {
    let mut groups = Groups { ready: Vec::new(), unready: Vec::new(), missing: Vec::new() };
    for pod in pods {
        if is_deleting(pod) || text(pod, "/status/phase") == "Failed" {
            continue;
        }
        let list = match samples.get(name(pod)) {
            _ if text(pod, "/status/phase") == "Pending" => &mut groups.unready,
            None => &mut groups.missing,
            Some(sample) if is_cpu && is_warming_up(pod, sample, now) => &mut groups.unready,
            Some(_) => &mut groups.ready,
        };
        list.push(name(pod).to_owned());
    }
    groups
}

/// Whether what a pod computes is still its start.
fn is_warming_up(pod: &Value, sample: &Sample, now: Timestamp) -> bool {
    let date = |text: &str| text.parse::<Timestamp>().ok();
    let ready = pod_state::condition(pod, "Ready");
    let (Some(ready), Some(started)) = (ready, date(text(pod, "/status/startTime"))) else { return true };
    let since = date(text(ready, "/lastTransitionTime")).unwrap_or(started);
    let is_unready = text(ready, "/status") == "False";
    let after = |moment: Timestamp, time: Duration| {
        moment.as_millisecond().saturating_add(i64::try_from(time.as_millis()).unwrap_or(i64::MAX))
    };
    if after(started, INITIALIZATION) > now.as_millisecond() {
        return is_unready || sample.at.as_millisecond() < after(since, sample.window);
    }
    is_unready && after(started, FIRST_READINESS) > since.as_millisecond()
}

/// What deviation is let pass: upwards and downwards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Tolerance {
    pub(super) up: f64,
    pub(super) down: f64,
}

impl Tolerance {
    /// `--horizontal-pod-autoscaler-tolerance`, or that of the autoscaler's own `behavior`.
    pub(super) fn of(scaler: &Value) -> Self {
        let own = |direction: &str| {
            let value = scaler["spec"]["behavior"][direction].get("tolerance")?;
            let value = value.as_str().map(str::to_owned).unwrap_or_else(|| value.to_string());
            let milli = crate::api::quantity::Quantity::parse(&value).ok()?.milli();
            i32::try_from(milli).ok().map(|milli| f64::from(milli) / 1000.0)
        };
        Self { up: own("scaleUp").unwrap_or(0.1), down: own("scaleDown").unwrap_or(0.1) }
    }

    fn allows(self, ratio: f64) -> bool {
        (1.0 - self.down..=1.0 + self.up).contains(&ratio)
    }
}

/// What the pods should use.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target<'a> {
    /// A share of what they ask for, in percent.
    Share(i64, &'a BTreeMap<String, i64>),
    /// An amount each, in thousandths.
    Each(i64),
}

impl Target<'_> {
    /// How far the measured pods are from it; 1 is right on it.
    fn ratio(&self, samples: &BTreeMap<String, i64>) -> Option<f64> {
        let sum: i64 = samples.values().sum();
        match self {
            Target::Share(percent, requests) => {
                let asked: i64 = samples.keys().filter_map(|pod| requests.get(pod)).sum();
                if asked == 0 || *percent == 0 {
                    return None;
                }
                let used = sum.saturating_mul(100) / asked;
                Some(float(used) / float(*percent))
            }
            Target::Each(amount) => {
                let count = i64::try_from(samples.len()).ok().filter(|count| *count > 0)?;
                let mean = sum / count;
                if *amount == 0 { None } else { Some(float(mean) / float(*amount)) }
            }
        }
    }

    /// What a pod that was not measured is taken to use, where that would speak against removing any.
    fn pessimistic(&self, pod: &str) -> i64 {
        match self {
            Target::Share(percent, requests) => {
                requests.get(pod).copied().unwrap_or(0).saturating_mul((*percent).max(100)) / 100
            }
            Target::Each(amount) => *amount,
        }
    }
}

fn float(number: i64) -> f64 {
    // Metrics are far below 2^53.
    #[expect(clippy::cast_precision_loss, reason = "amounts of milli-units are far below 2^53")]
    let float = number as f64;
    float
}

/// So many replicas as a ratio calls for.
pub(super) fn scaled(ratio: f64, count: usize) -> i64 {
    let wanted = (ratio * float(i64::try_from(count).unwrap_or(i64::MAX))).ceil();
    // The limits come later; here only what cannot be a number of pods is cut.
    #[expect(clippy::cast_possible_truncation, reason = "clamped to what an i32 holds")]
    let wanted = wanted.clamp(0.0, f64::from(i32::MAX)) as i64;
    wanted
}

/// Replicas for pods that are measured one by one. `None` where nothing was measured.
pub(super) fn replicas(
    current: i64,
    groups: &Groups,
    samples: &BTreeMap<String, Sample>,
    target: Target<'_>,
    tolerance: Tolerance,
) -> Option<i64> {
    let mut used: BTreeMap<String, i64> =
        groups.ready.iter().filter_map(|pod| Some((pod.clone(), samples.get(pod)?.milli))).collect();
    let first = target.ratio(&used)?;
    let up_with_unready = !groups.unready.is_empty() && first > 1.0;
    if !up_with_unready && groups.missing.is_empty() {
        return Some(if tolerance.allows(first) { current } else { scaled(first, groups.ready.len()) });
    }
    for pod in &groups.missing {
        if first < 1.0 {
            used.insert(pod.clone(), target.pessimistic(pod));
        } else if first > 1.0 {
            used.insert(pod.clone(), 0);
        }
    }
    if up_with_unready {
        used.extend(groups.unready.iter().map(|pod| (pod.clone(), 0)));
    }
    let second = target.ratio(&used)?;
    if tolerance.allows(second) || (first < 1.0) != (second < 1.0) {
        return Some(current);
    }
    let wanted = scaled(second, used.len());
    // A cautious second look may not turn the direction round.
    let turned = (second < 1.0 && wanted > current) || (second > 1.0 && wanted < current);
    Some(if turned { current } else { wanted })
}

/// Replicas for one amount that all pods share.
pub(super) fn of_total(current: i64, used: i64, wanted: i64, ready: usize, tolerance: Tolerance) -> i64 {
    if wanted == 0 {
        return current;
    }
    let ratio = float(used) / float(wanted);
    if tolerance.allows(ratio) { current } else { scaled(ratio, ready) }
}

/// Replicas so that each has its part of an amount.
pub(super) fn of_share(current: i64, used: i64, each: i64, tolerance: Tolerance) -> i64 {
    if each == 0 || current == 0 {
        return current;
    }
    let ratio = float(used) / (float(each) * float(current));
    if tolerance.allows(ratio) { current } else { scaled(float(used) / float(each), 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENTH: Tolerance = Tolerance { up: 0.1, down: 0.1 };

    fn sample(milli: i64) -> Sample {
        Sample { milli, at: Timestamp::UNIX_EPOCH, window: Duration::from_secs(15) }
    }

    fn of(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    /// Two pods that ask for 100m each and should use half of it.
    fn wanted(used: &[(&str, i64)], groups: &Groups, current: i64) -> Option<i64> {
        let requests = ["a", "b", "c"].iter().map(|pod| ((*pod).to_owned(), 100)).collect();
        let samples = used.iter().map(|(pod, milli)| ((*pod).to_owned(), sample(*milli))).collect();
        replicas(current, groups, &samples, Target::Share(50, &requests), TENTH)
    }

    #[test]
    fn replicas_follow_the_load_and_small_deviations_do_not_count() {
        let both = Groups { ready: of(&["a", "b"]), unready: Vec::new(), missing: Vec::new() };
        assert_eq!(wanted(&[("a", 100), ("b", 100)], &both, 2), Some(4));
        assert_eq!(wanted(&[("a", 54), ("b", 54)], &both, 2), Some(2), "within a tenth");
        assert_eq!(wanted(&[("a", 20), ("b", 20)], &both, 2), Some(1));
    }

    #[test]
    fn pods_that_were_not_measured_make_it_cautious() {
        let one = Groups { ready: of(&["a", "b"]), unready: Vec::new(), missing: of(&["c"]) };
        // Down: the third is taken to use all it asks for.
        assert_eq!(wanted(&[("a", 10), ("b", 10)], &one, 3), Some(3));
        // Up: the third is taken to use nothing.
        assert_eq!(wanted(&[("a", 100), ("b", 100)], &one, 3), Some(4));
        let none = Groups { ready: Vec::new(), unready: Vec::new(), missing: of(&["a"]) };
        assert_eq!(wanted(&[], &none, 1), None);
    }

    #[test]
    fn an_amount_is_shared_out() {
        assert_eq!(of_share(2, 9000, 2000, TENTH), 5);
        assert_eq!(of_share(2, 4100, 2000, TENTH), 2);
        assert_eq!(of_total(2, 300, 100, 2, TENTH), 6);
    }
}
