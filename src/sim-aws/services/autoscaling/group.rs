//! The groups themselves.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Group, bad, hold, page};
use crate::{AwsError, Cloud, input, moment};

fn name(request: &Value) -> Result<&str, AwsError> {
    input::text(request, "AutoScalingGroupName").ok_or_else(|| bad("AutoScalingGroupName is required"))
}

pub(super) fn missing(name: &str) -> AwsError {
    bad(format!("AutoScalingGroup name not found - AutoScalingGroup '{name}' not found"))
}

fn whole(request: &Value, member: &str) -> Result<Option<u32>, AwsError> {
    let Some(number) = input::integer(request, member) else { return Ok(None) };
    u32::try_from(number).map(Some).map_err(|_| bad(format!("{member} must not be negative")))
}

/// Puts the members of a request over a group.
fn read(cloud: &Cloud, request: &Value, group: &mut Group) -> Result<(), AwsError> {
    if let Some(min) = whole(request, "MinSize")? {
        group.min = min;
    }
    if let Some(max) = whole(request, "MaxSize")? {
        group.max = max;
    }
    match whole(request, "DesiredCapacity")? {
        Some(desired) => group.desired = desired,
        // Without a wish of its own the group stays within its bounds.
        None if group.min <= group.max => group.desired = group.desired.clamp(group.min, group.max),
        None => {}
    }
    if group.min > group.max {
        return Err(bad("Max bound must be greater than or equal to min bound"));
    }
    if group.desired > group.max {
        return Err(bad(format!(
            "Desired capacity:{} must be between the specified min size:{} and max size:{}",
            group.desired, group.min, group.max
        )));
    }
    if group.desired < group.min {
        return Err(bad(format!(
            "Desired capacity:{} must be between the specified min size:{} and max size:{}",
            group.desired, group.min, group.max
        )));
    }
    if let Some(template) = request.get("LaunchTemplate").filter(|it| !it.is_null()) {
        group.template = crate::services::ec2::launch_template_named(cloud, template).map_err(|_| {
            bad("You must use a valid fully-formed launch template. The specified launch template does not exist.")
        })?;
    }
    if let Some(subnets) = input::text(request, "VPCZoneIdentifier") {
        group.subnets = subnets.split(',').map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned).collect();
        if let Some(wrong) = group.subnets.iter().find(|id| !cloud.ec2.subnets.contains_key(*id)) {
            return Err(bad(format!("The subnet ID '{wrong}' does not exist")));
        }
    }
    if let Some(check) = input::text(request, "HealthCheckType") {
        check.clone_into(&mut group.check);
    }
    if let Some(grace) = whole(request, "HealthCheckGracePeriod")? {
        group.grace = grace;
    }
    if let Some(protects) = input::flag(request, "NewInstancesProtectedFromScaleIn") {
        group.protects_new = protects;
    }
    Ok(())
}

/// `CreateAutoScalingGroup`.
pub(super) fn create(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let name = name(request)?;
    if cloud.autoscaling.groups.contains_key(name) {
        let text =
            format!("AutoScalingGroup by this name already exists - A group with the name {name} already exists");
        return Err(AwsError::new("AlreadyExists", text));
    }
    if !input::has(request, "LaunchTemplate") {
        return Err(AwsError::not_simulated("autoscaling", "CreateAutoScalingGroup without a LaunchTemplate"));
    }
    let uuid = cloud.chance.uuid();
    let (region, account) = (&cloud.config.region, &cloud.config.account);
    let mut group = Group {
        arn: format!("arn:aws:autoscaling:{region}:{account}:autoScalingGroup:{uuid}:autoScalingGroupName/{name}"),
        min: 0,
        max: 0,
        desired: 0,
        template: Value::Null,
        subnets: Vec::new(),
        target_groups: input::texts(request, "TargetGroupARNs").into_iter().map(str::to_owned).collect(),
        check: "EC2".to_owned(),
        grace: 0,
        protects_new: false,
        created: cloud.now(),
        tags: input::list(request, "Tags").to_vec(),
        members: BTreeMap::new(),
    };
    read(cloud, request, &mut group)?;
    if group.subnets.is_empty() {
        return Err(bad("At least one Availability Zone or VPC Subnet is required."));
    }
    if let Some(wrong) = group.target_groups.iter().find(|arn| !cloud.elbv2.groups.contains_key(*arn)) {
        return Err(bad(format!(
            "Provided Target Groups may not be valid. Please ensure they exist and try again. ({wrong})"
        )));
    }
    cloud.autoscaling.groups.insert(name.to_owned(), group);
    hold::look(cloud, name);
    Ok(json!({}))
}

/// `UpdateAutoScalingGroup`. Instances that are there stay as they are; new ones follow the new template.
pub(super) fn update(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let name = name(request)?;
    let mut group = cloud.autoscaling.groups.get(name).cloned().ok_or_else(|| missing(name))?;
    read(cloud, request, &mut group)?;
    cloud.autoscaling.groups.insert(name.to_owned(), group);
    hold::look(cloud, name);
    Ok(json!({}))
}

/// `DeleteAutoScalingGroup`: refused while it has instances, unless forced.
pub(super) fn delete(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let name = name(request)?;
    let group = cloud.autoscaling.groups.get(name).ok_or_else(|| missing(name))?;
    let members: Vec<String> = group.members.keys().cloned().collect();
    if !members.is_empty() && input::flag(request, "ForceDelete") != Some(true) {
        let text = "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still in the group.";
        return Err(AwsError::new("ResourceInUse", text));
    }
    cloud.autoscaling.groups.remove(name);
    crate::services::ec2::terminate_instances(cloud, &members);
    Ok(json!({}))
}

/// Sets how many instances a group is to have, as ECS managed scaling does; within its bounds. Nothing happens where there is no such group.
pub fn set_desired(cloud: &mut Cloud, name: &str, desired: u32) {
    if let Some(group) = cloud.autoscaling.groups.get_mut(name) {
        group.desired = desired.min(group.max).max(group.min);
        hold::look(cloud, name);
    }
}

/// `SetDesiredCapacity`.
pub(super) fn set_desired_capacity(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let name = name(request)?;
    let desired = whole(request, "DesiredCapacity")?.ok_or_else(|| bad("DesiredCapacity is required"))?;
    let Some(group) = cloud.autoscaling.groups.get_mut(name) else { return Err(missing(name)) };
    let refusal = |side: &str, bound: u32| {
        bad(format!("New SetDesiredCapacity value {desired} is {side} value {bound} for the AutoScalingGroup."))
    };
    if desired > group.max {
        return Err(refusal("above max", group.max));
    }
    if desired < group.min {
        return Err(refusal("below min", group.min));
    }
    group.desired = desired;
    hold::look(cloud, name);
    Ok(json!({}))
}

/// `CreateOrUpdateTags`.
pub(super) fn tag(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    for tag in input::list(request, "Tags") {
        let name = input::text(tag, "ResourceId").unwrap_or_default();
        let Some(group) = cloud.autoscaling.groups.get_mut(name) else { return Err(missing(name)) };
        group.tags.retain(|it| it.get("Key") != tag.get("Key"));
        group.tags.push(tag.clone());
    }
    Ok(json!({}))
}

/// `DescribeAutoScalingGroups`.
pub(super) fn describe(cloud: &Cloud, request: &Value) -> Result<Value, AwsError> {
    let wanted = input::texts(request, "AutoScalingGroupNames");
    let chosen =
        cloud.autoscaling.groups.iter().filter(|(name, _)| wanted.is_empty() || wanted.contains(&name.as_str()));
    page(request, "AutoScalingGroups", chosen.map(|(name, it)| view(cloud, name, it)).collect())
}

fn view(cloud: &Cloud, name: &str, it: &Group) -> Value {
    let mut zones: Vec<&str> =
        it.subnets.iter().filter_map(|id| Some(cloud.ec2.subnets.get(id)?.zone.as_str())).collect();
    zones.sort_unstable();
    zones.dedup();
    let instances: Vec<Value> =
        it.members.iter().map(|(id, member)| super::instance::view(cloud, it, id, member)).collect();
    let tags: Vec<Value> = it
        .tags
        .iter()
        .map(|tag| {
            json!({
                "ResourceId": name,
                "ResourceType": "auto-scaling-group",
                "Key": tag.get("Key"),
                "Value": tag.get("Value"),
                "PropagateAtLaunch": input::flag(tag, "PropagateAtLaunch").unwrap_or(false),
            })
        })
        .collect();
    json!({
        "AutoScalingGroupName": name,
        "AutoScalingGroupARN": it.arn,
        "LaunchTemplate": it.template,
        "MinSize": it.min,
        "MaxSize": it.max,
        "DesiredCapacity": it.desired,
        "DefaultCooldown": 300,
        "AvailabilityZones": zones,
        "LoadBalancerNames": [],
        "TargetGroupARNs": it.target_groups,
        "HealthCheckType": it.check,
        "HealthCheckGracePeriod": it.grace,
        "Instances": instances,
        "CreatedTime": moment::of(cloud, it.created),
        "SuspendedProcesses": [],
        "VPCZoneIdentifier": it.subnets.join(","),
        "EnabledMetrics": [],
        "Tags": tags,
        "TerminationPolicies": ["Default"],
        "NewInstancesProtectedFromScaleIn": it.protects_new,
    })
}
