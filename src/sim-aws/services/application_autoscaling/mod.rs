//! Application Auto Scaling, for services of ECS: targets, target tracking, step scaling, suspension.

mod desired;
mod policies;
mod scale;
mod state;
mod targets;
#[cfg(test)]
mod tests;

use serde_json::{Value, json};

pub use self::{
    scale::execute,
    state::{Activity, Policy, State, Suspended, Target},
};
use super::{iam::Need, page::Paging};
use crate::{AwsError, Call, Cloud, input, moment};

const PAGES: Paging = Paging::upper(50);

/// What a request needs before it is looked at.
pub fn needs(cloud: &Cloud, operation: &str, request: &Value) -> Vec<Need> {
    let target =
        input::text(request, "ResourceId").and_then(|resource| cloud.application_autoscaling.targets.get(resource));
    let action = format!("application-autoscaling:{operation}");
    vec![Need::new(action, target.map_or("*", |target| target.arn.as_str()))]
}

/// Answers one request.
///
/// # Errors
/// The service refuses, or the operation is not simulated.
pub fn call(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    match call.operation.as_str() {
        "RegisterScalableTarget" => targets::register(cloud, call),
        "DeregisterScalableTarget" => targets::deregister(cloud, call),
        "DescribeScalableTargets" => Ok(targets::describe(cloud, call)),
        "PutScalingPolicy" => policies::put(cloud, call),
        "DeleteScalingPolicy" => policies::delete(cloud, call),
        "DescribeScalingPolicies" => Ok(policies::describe(cloud, call)),
        "DescribeScalingActivities" => Ok(activities(cloud, call)),
        other => Err(AwsError::not_simulated("application-autoscaling", other)),
    }
}

/// Newest first.
fn activities(cloud: &Cloud, call: &Call) -> Value {
    let resource = input::text(&call.input, "ResourceId");
    let all = cloud.application_autoscaling.activities.iter().rev();
    let view = |it: &Activity| {
        json!({
            "ActivityId": it.id, "ServiceNamespace": "ecs", "ResourceId": it.resource, "ScalableDimension": targets::DIMENSION,
            "Description": it.description, "Cause": it.cause, "StartTime": moment::of(cloud, it.at),
            "EndTime": moment::of(cloud, it.at), "StatusCode": "Successful",
            "StatusMessage": "Successfully set desired count. Change successfully fulfilled by ecs.",
        })
    };
    let some = all.filter(|it| resource.is_none_or(|resource| resource == it.resource)).map(view);
    PAGES.answer(&call.input, "ScalingActivities", some.collect())
}
