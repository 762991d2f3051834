//! Amazon EC2 Auto Scaling: groups that hold a number of instances, for ECS capacity.

mod group;
mod hold;
mod instance;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use breakfix_sim::SimTime;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use group::set_desired;
pub(crate) use hold::instance_changed;
pub use instance::set_health;

use super::iam::Need;
use crate::{AwsError, Call, Cloud, input};

/// What the service keeps, by name.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    pub groups: BTreeMap<String, Group>,
    /// The latest last.
    pub activities: Vec<Activity>,
}

/// An Auto Scaling group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Group {
    pub arn: String,
    pub min: u32,
    pub max: u32,
    pub desired: u32,
    /// `LaunchTemplate`, as it was sent.
    pub template: Value,
    pub subnets: Vec<String>,
    pub target_groups: Vec<String>,
    /// `EC2` or `ELB`.
    pub check: String,
    /// Seconds in which a new instance is not judged by its balancer.
    pub grace: u32,
    pub protects_new: bool,
    pub created: SimTime,
    /// `Tags`, as they were sent.
    pub tags: Vec<Value>,
    /// By instance id.
    pub members: BTreeMap<String, Member>,
}

/// An instance of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub life: Life,
    pub is_healthy: bool,
    pub is_protected: bool,
    pub since: SimTime,
}

/// `LifecycleState`, as far as it is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Life {
    Pending,
    InService,
    Terminating,
}

/// What a group did.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Activity {
    pub id: String,
    pub group: String,
    pub description: String,
    pub cause: String,
    pub at: SimTime,
    /// None: it worked.
    pub failure: Option<String>,
}

/// Something of Auto Scaling is due: a group looks after its instances.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ScalingEvent {
    Look(String),
}

/// Lets one event happen.
pub fn happen(cloud: &mut Cloud, event: ScalingEvent) {
    match event {
        ScalingEvent::Look(name) => hold::look(cloud, &name),
    }
}

/// What a request needs before it is looked at.
pub fn needs(_cloud: &Cloud, operation: &str, _input: &Value) -> Vec<Need> {
    vec![Need::anywhere("autoscaling", operation)]
}

/// Answers one request.
///
/// # Errors
/// The service refuses, or the operation is not simulated.
pub fn call(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let request = &call.input;
    match call.operation.as_str() {
        "CreateAutoScalingGroup" => group::create(cloud, request),
        "UpdateAutoScalingGroup" => group::update(cloud, request),
        "DeleteAutoScalingGroup" => group::delete(cloud, request),
        "DescribeAutoScalingGroups" => group::describe(cloud, request),
        "SetDesiredCapacity" => group::set_desired_capacity(cloud, request),
        "CreateOrUpdateTags" => group::tag(cloud, request),
        "DescribeAutoScalingInstances" => instance::describe(cloud, request),
        "TerminateInstanceInAutoScalingGroup" => instance::terminate(cloud, request),
        "SetInstanceHealth" => instance::set_instance_health(cloud, request),
        "SetInstanceProtection" => instance::protect(cloud, request),
        "DescribeScalingActivities" => activities(cloud, request),
        operation => Err(AwsError::not_simulated("autoscaling", operation)),
    }
}

fn bad(text: impl Into<String>) -> AwsError {
    AwsError::new("ValidationError", text)
}

/// `DescribeScalingActivities`: the latest first.
fn activities(cloud: &Cloud, request: &Value) -> Result<Value, AwsError> {
    let wanted = input::text(request, "AutoScalingGroupName");
    let activities = cloud.autoscaling.activities.iter().rev();
    let views = activities
        .filter(|it| wanted.is_none_or(|name| name == it.group))
        .map(|it| {
            json!({
                "ActivityId": it.id,
                "AutoScalingGroupName": it.group,
                "Description": it.description,
                "Cause": it.cause,
                "StartTime": crate::moment::of(cloud, it.at),
                "EndTime": crate::moment::of(cloud, it.at),
                "StatusCode": if it.failure.is_none() { "Successful" } else { "Failed" },
                "StatusMessage": it.failure,
                "Progress": 100,
            })
        })
        .collect();
    page(request, "Activities", views)
}

/// One page of an answer: all of it, unless `MaxRecords` says how much.
fn page(request: &Value, set: &str, views: Vec<Value>) -> Result<Value, AwsError> {
    crate::services::page::whole_unless_asked(request, "MaxRecords", set, views, |token| {
        format!("The token '{token}' is invalid.")
    })
}
