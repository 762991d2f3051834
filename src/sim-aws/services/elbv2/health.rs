//! The health of targets: what is seen of it, and what each check makes of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    ElbEvent, TargetRef,
    check::{self, Outcome},
    target::{Target, key},
    watch,
};
use crate::{Cloud, event::Event, services::ec2::InstanceState};

/// `TargetHealth.State`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetState {
    Initial,
    Healthy,
    Unhealthy,
    Unused,
    Draining,
    Unavailable,
}

/// The health of one target as `DescribeTargetHealth` tells it; healthy carries a state only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetHealth {
    pub state: TargetState,
    /// `Target.Timeout` …
    pub reason: Option<String>,
    /// `Request timed out` …
    pub description: Option<String>,
}

/// What the checks have made of a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Known {
    Initial,
    Healthy,
    /// Reason and description of the last failure.
    Unhealthy(String, String),
}

/// How long the balancer's nodes take to learn of a target; then they ask it for the first time.
const LEARNS: Duration = Duration::from_secs(5);
/// Shorter answers count at once; for longer ones (a timeout) the verdict comes when the wait is over.
const AT_ONCE: Duration = Duration::from_secs(1);

impl TargetHealth {
    fn new(state: TargetState, reason: &str, description: &str) -> Self {
        Self { state, reason: Some(reason.to_owned()), description: Some(description.to_owned()) }
    }

    pub(super) fn not_registered() -> Self {
        let text = "Target is not registered to the target group";
        Self::new(TargetState::Unused, "Target.NotRegistered", text)
    }
}

pub(super) fn view(health: &TargetHealth) -> Value {
    let mut view = json!({"State": health.state});
    if let Some(members) = view.as_object_mut() {
        for (member, value) in [("Reason", &health.reason), ("Description", &health.description)] {
            if let Some(value) = value {
                members.insert(member.to_owned(), json!(value));
            }
        }
    }
    view
}

/// The present health of a registered (or draining) target; `None` where it is neither, or the group does not exist.
pub fn target_health(cloud: &Cloud, group_arn: &str, id: &str, port: u16) -> Option<TargetHealth> {
    let target = cloud.elbv2.groups.get(group_arn)?.targets.get(&key(id, port))?;
    Some(seen(cloud, group_arn, target))
}

/// Why a target is in no use, if it is in none: no rule sends to its group, its zone has no node of the balancer, its instance does not run.
fn unused(cloud: &Cloud, group_arn: &str, target: &Target) -> Option<TargetHealth> {
    let Some((_, balancer)) = cloud.elbv2.balancer_of(group_arn) else {
        let text = "Target group is not configured to receive traffic from the load balancer";
        return Some(TargetHealth::new(TargetState::Unused, "Target.NotInUse", text));
    };
    let mut zones = balancer.subnets.keys().filter_map(|id| cloud.ec2.subnets.get(id)).map(|it| it.zone.as_str());
    let zone = target.zone.as_deref().unwrap_or("all");
    if zone != "all" && !zones.any(|it| it == zone) {
        let text = "Target is in an Availability Zone that is not enabled for the load balancer";
        return Some(TargetHealth::new(TargetState::Unused, "Target.NotInUse", text));
    }
    let word = match cloud.ec2.instances.get(&target.id).map(|it| it.state) {
        Some(InstanceState::Stopping | InstanceState::Stopped) => "stopped",
        Some(InstanceState::ShuttingDown | InstanceState::Terminated) => "terminated",
        _ => return None,
    };
    let text = format!("Target is in the {word} state");
    Some(TargetHealth::new(TargetState::Unused, "Target.InvalidState", &text))
}

pub(super) fn seen(cloud: &Cloud, group_arn: &str, target: &Target) -> TargetHealth {
    if target.is_draining {
        let text = "Target deregistration is in progress";
        return TargetHealth::new(TargetState::Draining, "Target.DeregistrationInProgress", text);
    }
    if let Some(health) = unused(cloud, group_arn, target) {
        return health;
    }
    match &target.known {
        Known::Healthy => TargetHealth { state: TargetState::Healthy, reason: None, description: None },
        Known::Unhealthy(reason, description) => TargetHealth::new(TargetState::Unhealthy, reason, description),
        Known::Initial if target.is_asked => {
            let text = "Initial health checks in progress";
            TargetHealth::new(TargetState::Initial, "Elb.InitialHealthChecking", text)
        }
        Known::Initial => {
            let text = "Target registration is in progress";
            TargetHealth::new(TargetState::Initial, "Elb.RegistrationInProgress", text)
        }
    }
}

/// Begins to check the targets that have come into use, and ends it for those that have not.
pub(super) fn settle(cloud: &mut Cloud) {
    let mut changes = Vec::new();
    for (arn, group) in &cloud.elbv2.groups {
        let is_up = cloud.elbv2.balancer_of(arn).is_some_and(|(_, it)| it.is_active);
        for (place, target) in group.targets.iter().filter(|(_, it)| !it.is_draining) {
            let is_wanted = is_up && unused(cloud, arn, target).is_none();
            if is_wanted != target.is_checked {
                changes.push((arn.clone(), place.clone(), is_wanted));
            }
        }
    }
    for (group, place, is_wanted) in changes {
        let found = cloud.elbv2.groups.get_mut(&group).and_then(|it| it.targets.get_mut(&place));
        let Some(target) = found else { continue };
        target.is_checked = is_wanted;
        target.is_asked = false;
        target.known = Known::Initial;
        (target.passes, target.fails) = (0, 0);
        target.serial += 1;
        if is_wanted {
            let at = TargetRef { group, id: target.id.clone(), port: target.port, serial: target.serial };
            cloud.after(LEARNS, Event::Elb(ElbEvent::Check(at)));
        }
    }
}

/// The target of an event, if the event is still about its present life.
fn alive<'a>(cloud: &'a mut Cloud, at: &TargetRef) -> Option<&'a mut Target> {
    let target = cloud.elbv2.groups.get_mut(&at.group)?.targets.get_mut(&key(&at.id, at.port))?;
    (target.serial == at.serial && target.is_checked).then_some(target)
}

/// A check is due.
pub(super) fn check(cloud: &mut Cloud, at: &TargetRef) {
    if alive(cloud, at).is_none() {
        return;
    }
    let Some((outcome, took)) = check::ask(cloud, at) else { return };
    let interval = cloud.elbv2.groups.get(&at.group).map_or(30, |group| group.check.interval);
    cloud.after(Duration::from_secs(interval.into()), Event::Elb(ElbEvent::Check(at.clone())));
    if took < AT_ONCE {
        verdict(cloud, at, outcome);
    } else {
        cloud.after(took, Event::Elb(ElbEvent::Verdict(at.clone(), outcome)));
    }
}

/// What a check came to counts now. A new target is healthy after one pass; one that has been unhealthy needs `HealthyThresholdCount` in a row.
pub(super) fn verdict(cloud: &mut Cloud, at: &TargetRef, outcome: Outcome) {
    if alive(cloud, at).is_none() {
        return;
    }
    let Some((healthy, unhealthy)) = cloud.elbv2.groups.get(&at.group).map(|it| (it.check.healthy, it.check.unhealthy))
    else {
        return;
    };
    watch(cloud, |cloud| {
        let Some(target) = alive(cloud, at) else { return };
        target.is_asked = true;
        match outcome {
            Outcome::Pass => {
                target.fails = 0;
                target.passes = target.passes.saturating_add(1);
                if target.known == Known::Initial || target.passes >= healthy {
                    target.known = Known::Healthy;
                }
            }
            Outcome::Fail { reason, description } => {
                target.passes = 0;
                target.fails = target.fails.saturating_add(1);
                if matches!(target.known, Known::Unhealthy(..)) || target.fails >= unhealthy {
                    target.known = Known::Unhealthy(reason, description);
                }
            }
        }
    });
}
