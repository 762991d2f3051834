//! What a policy does when its alarm goes off. Source: Application Auto Scaling user guide, "How target tracking works", "How step
//! scaling works" (cooldowns, bounds).

use std::time::Duration;

use serde_json::Value;

use super::{desired, state::Policy};
use crate::{
    Cloud, input,
    services::cloudwatch::{self},
};

/// Lets a policy act on an alarm that is in ALARM; it does so every minute until the alarm is over.
pub fn execute(cloud: &mut Cloud, arn: &str, alarm: &str) {
    let Some(policy) = cloud.application_autoscaling.policies.get(arn).cloned() else { return };
    let Some(target) = cloud.application_autoscaling.targets.get(&policy.resource).cloned() else { return };
    let Some(current) = desired::read(cloud, &policy.resource) else { return };
    let Some((value, threshold)) = cloudwatch::latest(cloud, alarm) else { return };
    let wish = match policy.kind.as_str() {
        "TargetTrackingScaling" => tracked(&policy, alarm, current, value),
        _ => stepped(&policy.configuration, current, value - threshold),
    };
    let Some(wish) = wish else { return };
    let count = wish.clamp(target.min, target.max);
    let out = count > current;
    if count == current || (out && target.suspended.scaling_out) || (!out && target.suspended.scaling_in) {
        return;
    }
    if is_cooling(cloud, &policy, out) {
        return;
    }
    let now = cloud.now();
    if let Some(policy) = cloud.application_autoscaling.policies.get_mut(arn) {
        policy.last = Some((now, out));
    }
    let cause = format!("monitor alarm {alarm} in state ALARM triggered policy {}", policy.name);
    desired::set(cloud, &policy.resource, count, &cause);
}

/// Three hundred seconds unless told; after scaling in, scaling out need not wait.
fn is_cooling(cloud: &Cloud, policy: &Policy, out: bool) -> bool {
    let Some((at, was_out)) = policy.last else { return false };
    if out && !was_out {
        return false;
    }
    let member = match (policy.kind.as_str(), out) {
        ("TargetTrackingScaling", true) => "ScaleOutCooldown",
        ("TargetTrackingScaling", false) => "ScaleInCooldown",
        _ => "Cooldown",
    };
    let seconds = input::integer(&policy.configuration, member).and_then(|it| u64::try_from(it).ok()).unwrap_or(300);
    cloud.now() < at + Duration::from_secs(seconds)
}

/// In proportion: twice the value, twice the tasks. In only by the low alarm, and never beyond what the value says.
fn tracked(policy: &Policy, alarm: &str, current: u64, value: f64) -> Option<u64> {
    let target = input::number(&policy.configuration, "TargetValue")?;
    let high = policy.alarms.first().is_some_and(|it| it == alarm);
    let wish = proportional(current, value, target);
    match high {
        true => Some(wish.max(current)),
        false if input::flag(&policy.configuration, "DisableScaleIn") == Some(true) => None,
        false => Some(wish.min(current)),
    }
}

fn proportional(current: u64, value: f64, target: f64) -> u64 {
    // The cast of a float saturates.
    (current as f64 * value / target).ceil().max(0.0) as u64
}

/// The step that the distance from the threshold lies in.
fn stepped(configuration: &Value, current: u64, distance: f64) -> Option<u64> {
    let step = input::list(configuration, "StepAdjustments").iter().find(|step| {
        let lower = input::number(step, "MetricIntervalLowerBound").unwrap_or(f64::NEG_INFINITY);
        let upper = input::number(step, "MetricIntervalUpperBound").unwrap_or(f64::INFINITY);
        distance >= lower && distance < upper || (distance < 0.0 && distance > lower && distance <= upper)
    })?;
    let adjustment = input::number(step, "ScalingAdjustment")?;
    let least = input::number(configuration, "MinAdjustmentMagnitude").unwrap_or(0.0);
    let count = current as f64;
    let wish = match input::text(configuration, "AdjustmentType")? {
        "ExactCapacity" => adjustment,
        "PercentChangeInCapacity" => {
            let change = count * adjustment / 100.0;
            // Up to a whole task away from nothing, and no less than the smallest change.
            let whole = if change.abs() < 1.0 { change.signum() } else { change.trunc() };
            count + if whole.abs() < least { least * whole.signum() } else { whole }
        }
        _ => count + adjustment,
    };
    Some(wish.max(0.0) as u64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tracking_is_proportional() {
        assert_eq!(proportional(2, 200.0, 100.0), 4);
        assert_eq!(proportional(4, 40.0, 100.0), 2);
        assert_eq!(proportional(3, 101.0, 100.0), 4);
        assert_eq!(proportional(3, f64::MAX, 0.1), u64::MAX);
    }

    #[test]
    fn steps_are_chosen_by_the_distance() {
        let steps = |kind: &str| {
            json!({"AdjustmentType": kind, "StepAdjustments": [
                {"MetricIntervalLowerBound": 0.0, "MetricIntervalUpperBound": 10.0, "ScalingAdjustment": 1},
                {"MetricIntervalLowerBound": 10.0, "ScalingAdjustment": 50},
            ]})
        };
        assert_eq!(stepped(&steps("ChangeInCapacity"), 2, 5.0), Some(3));
        assert_eq!(stepped(&steps("ChangeInCapacity"), 2, 10.0), Some(52));
        assert_eq!(stepped(&steps("PercentChangeInCapacity"), 10, 20.0), Some(15));
        assert_eq!(stepped(&steps("ExactCapacity"), 7, 1.0), Some(1));
        assert_eq!(stepped(&steps("ChangeInCapacity"), 2, -1.0), None);
    }
}
