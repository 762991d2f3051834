//! Scalable targets.

use serde_json::{Value, json};

use super::{
    PAGES, desired,
    state::{Suspended, Target},
};
use crate::{AwsError, Call, Cloud, input, moment};

/// The one dimension of an ECS service.
pub const DIMENSION: &str = "ecs:service:DesiredCount";

/// The resource of a request: a service of ECS.
///
/// # Errors
/// Another namespace, dimension or form.
pub fn resource(call: &Call) -> Result<&str, AwsError> {
    if input::required(call, "ServiceNamespace")? != "ecs" {
        return Err(AwsError::new("ValidationException", "the breakfix simulator scales services of ECS only"));
    }
    let resource = input::required(call, "ResourceId")?;
    let parts = resource.split('/').collect::<Vec<_>>();
    if parts.len() != 3 || parts.first() != Some(&"service") {
        let sentence = format!("Unsupported service namespace, resource type or scalable dimension: {resource}");
        return Err(AwsError::new("ValidationException", sentence));
    }
    match input::text(&call.input, "ScalableDimension") {
        Some(DIMENSION) => Ok(resource),
        _ => Err(AwsError::new(
            "ValidationException",
            "Unsupported service namespace, resource type or scalable dimension",
        )),
    }
}

/// Registers or changes a target, and brings the service between its bounds.
pub fn register(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let resource = resource(call)?.to_owned();
    let current = desired::read(cloud, &resource)
        .ok_or_else(|| AwsError::new("ValidationException", format!("ECS service doesn't exist: {resource}")))?;
    let before = cloud.application_autoscaling.targets.get(&resource).cloned();
    let bound = |member: &str, before: Option<u64>| {
        let wish = input::integer(&call.input, member).and_then(|it| u64::try_from(it).ok());
        wish.or(before).ok_or_else(|| {
            AwsError::new(
                "ValidationException",
                format!("{member} must be specified when a scalable target is registered"),
            )
        })
    };
    let min = bound("MinCapacity", before.as_ref().map(|it| it.min))?;
    let max = bound("MaxCapacity", before.as_ref().map(|it| it.max))?;
    if min > max {
        let sentence = "Maximum capacity cannot be less than minimum capacity";
        return Err(AwsError::new("ValidationException", sentence));
    }
    let mut suspended = before.as_ref().map(|it| it.suspended).unwrap_or_default();
    if let Some(state) = call.input.get("SuspendedState") {
        let flag = |member: &str, before: bool| input::flag(state, member).unwrap_or(before);
        suspended = Suspended {
            scaling_in: flag("DynamicScalingInSuspended", suspended.scaling_in),
            scaling_out: flag("DynamicScalingOutSuspended", suspended.scaling_out),
            scheduled: flag("ScheduledScalingSuspended", suspended.scheduled),
        };
    }
    let (region, account) = (cloud.config.region.clone(), cloud.config.account.clone());
    let fresh = || {
        let role = "aws-service-role/ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService";
        (format!("arn:aws:iam::{account}:role/{role}"), cloud.now())
    };
    let (role, created) = before.as_ref().map_or_else(fresh, |it| (it.role.clone(), it.created));
    let arn = match before {
        Some(target) => target.arn,
        None => {
            let id = cloud.chance.text(b"0123456789abcdef", 32);
            format!("arn:aws:application-autoscaling:{region}:{account}:scalable-target/{id}")
        }
    };
    let target = Target { arn: arn.clone(), min, max, role, created, suspended };
    cloud.application_autoscaling.targets.insert(resource.clone(), target);
    if current < min {
        desired::set(cloud, &resource, min, &format!("minimum capacity was set to {min}"));
    } else if current > max {
        desired::set(cloud, &resource, max, &format!("maximum capacity was set to {max}"));
    }
    Ok(json!({"ScalableTargetARN": arn}))
}

/// With its policies and their alarms.
pub fn deregister(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let resource = resource(call)?;
    if cloud.application_autoscaling.targets.remove(resource).is_none() {
        return Err(no_target(resource));
    }
    let of = cloud.application_autoscaling.policies.values().filter(|policy| policy.resource == resource);
    let arns = of.map(|policy| policy.arn.clone()).collect::<Vec<_>>();
    for arn in arns {
        super::policies::remove(cloud, &arn);
    }
    Ok(json!({}))
}

pub fn no_target(resource: &str) -> AwsError {
    let sentence = format!(
        "No scalable target found for service namespace: ecs, resource ID: {resource}, scalable dimension: {DIMENSION}"
    );
    AwsError::new("ObjectNotFoundException", sentence)
}

pub fn describe(cloud: &Cloud, call: &Call) -> Value {
    let wanted = input::texts(&call.input, "ResourceIds");
    let all = cloud.application_autoscaling.targets.iter();
    let some = all.filter(|(resource, _)| wanted.is_empty() || wanted.contains(&resource.as_str()));
    let view = |(resource, target): (&String, &Target)| {
        json!({
            "ServiceNamespace": "ecs", "ResourceId": resource, "ScalableDimension": DIMENSION, "MinCapacity": target.min,
            "MaxCapacity": target.max, "RoleARN": target.role, "CreationTime": moment::of(cloud, target.created),
            "ScalableTargetARN": target.arn,
            "SuspendedState": {
                "DynamicScalingInSuspended": target.suspended.scaling_in,
                "DynamicScalingOutSuspended": target.suspended.scaling_out,
                "ScheduledScalingSuspended": target.suspended.scheduled,
            },
        })
    };
    PAGES.answer(&call.input, "ScalableTargets", some.map(view).collect())
}
