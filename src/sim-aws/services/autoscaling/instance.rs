//! The instances of a group, one by one.

use serde_json::{Value, json};

use super::{Group, Life, Member, bad, hold, page};
use crate::{AwsError, Cloud, input};

pub(super) fn view(cloud: &Cloud, group: &Group, id: &str, member: &Member) -> Value {
    let instance = cloud.ec2.instances.get(id);
    json!({
        "InstanceId": id,
        "InstanceType": instance.map(|it| it.kind.as_str()),
        "AvailabilityZone": instance.map_or("", |it| it.zone.as_str()),
        "LifecycleState": member.life,
        "HealthStatus": if member.is_healthy { "Healthy" } else { "Unhealthy" },
        "LaunchTemplate": group.template,
        "ProtectedFromScaleIn": member.is_protected,
    })
}

/// `DescribeAutoScalingInstances`.
pub(super) fn describe(cloud: &Cloud, request: &Value) -> Result<Value, AwsError> {
    let wanted = input::texts(request, "InstanceIds");
    let mut views = Vec::new();
    for (name, group) in &cloud.autoscaling.groups {
        for (id, member) in &group.members {
            if !wanted.is_empty() && !wanted.contains(&id.as_str()) {
                continue;
            }
            let mut view = view(cloud, group, id, member);
            if let Some(members) = view.as_object_mut() {
                members.insert("AutoScalingGroupName".to_owned(), json!(name));
                // Here the health is written in capitals.
                let health = if member.is_healthy { "HEALTHY" } else { "UNHEALTHY" };
                members.insert("HealthStatus".to_owned(), json!(health));
            }
            views.push(view);
        }
    }
    page(request, "AutoScalingInstances", views)
}

fn group_of(cloud: &Cloud, id: &str) -> Result<String, AwsError> {
    let found = cloud.autoscaling.groups.iter().find(|(_, it)| it.members.contains_key(id));
    found
        .map(|(name, _)| name.clone())
        .ok_or_else(|| bad(format!("Instance Id not found - No managed instance found for instance ID {id}")))
}

/// `TerminateInstanceInAutoScalingGroup`, with another one in its place unless the group is to be smaller.
pub(super) fn terminate(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let id = input::text(request, "InstanceId").unwrap_or_default();
    let name = group_of(cloud, id)?;
    let shrinks = input::flag(request, "ShouldDecrementDesiredCapacity")
        .ok_or_else(|| bad("ShouldDecrementDesiredCapacity is required"))?;
    let Some(group) = cloud.autoscaling.groups.get_mut(&name) else { return Err(super::group::missing(&name)) };
    if shrinks {
        if group.desired <= group.min {
            return Err(bad(format!(
                "Currently, desiredSize equals minSize ({}). Terminating instance without replacement will violate group's min size \
                 constraint. Either set shouldDecrementDesiredCapacity flag to false or lower group's min size.",
                group.min
            )));
        }
        group.desired -= 1;
    }
    let activity = hold::end(cloud, &name, id, "instance was taken out of service in response to a user request");
    hold::look(cloud, &name);
    Ok(json!({"Activity": activity}))
}

/// Says of an instance that it is healthy or not; an unhealthy one is replaced. Nothing happens where no group has it.
pub fn set_health(cloud: &mut Cloud, id: &str, is_healthy: bool) {
    let Ok(name) = group_of(cloud, id) else { return };
    if let Some(member) = cloud.autoscaling.groups.get_mut(&name).and_then(|it| it.members.get_mut(id)) {
        member.is_healthy = is_healthy;
    }
    hold::look(cloud, &name);
}

/// `SetInstanceHealth`.
pub(super) fn set_instance_health(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let id = input::text(request, "InstanceId").unwrap_or_default();
    let name = group_of(cloud, id)?;
    let is_healthy = match input::text(request, "HealthStatus").unwrap_or_default() {
        "Healthy" => true,
        "Unhealthy" => false,
        other => return Err(bad(format!("{other} is not a valid health status"))),
    };
    let in_grace = cloud.autoscaling.groups.get(&name).and_then(|group| {
        let since = group.members.get(id)?.since;
        Some(cloud.now() - since < std::time::Duration::from_secs(group.grace.into()))
    });
    let respects_grace = input::flag(request, "ShouldRespectGracePeriod").unwrap_or(true);
    if !(respects_grace && in_grace.unwrap_or(false)) {
        set_health(cloud, id, is_healthy);
    }
    Ok(json!({}))
}

/// `SetInstanceProtection`.
pub(super) fn protect(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let protects = input::flag(request, "ProtectedFromScaleIn").unwrap_or(false);
    let ids = input::texts(request, "InstanceIds");
    for id in &ids {
        group_of(cloud, id)?;
    }
    for group in cloud.autoscaling.groups.values_mut() {
        for (id, member) in &mut group.members {
            if ids.contains(&id.as_str()) && member.life != Life::Terminating {
                member.is_protected = protects;
            }
        }
    }
    Ok(json!({}))
}
