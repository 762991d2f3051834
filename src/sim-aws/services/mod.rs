//! The services, one folder each, and the table that finds one by its signing name.

pub mod application_autoscaling;
pub mod autoscaling;
pub mod cloudwatch;
pub mod ec2;
pub mod ecr;
pub mod ecs;
pub mod efs;
pub mod elbv2;
pub mod iam;
pub mod kms;
pub mod logs;
pub mod outage;
pub mod page;
pub mod secretsmanager;
pub mod servicediscovery;
pub mod ssm;
pub mod sts;
#[cfg(test)]
mod testing;

use serde_json::Value;

use crate::{AwsError, Call, Cloud, event::Event};

/// Hands a request to its service.
///
/// # Errors
/// The service refuses, or is not simulated; before that, IAM refuses what the caller has no right to.
pub fn call(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    iam::authorize(cloud, call, &needs(cloud, call))?;
    match call.service.as_str() {
        "ecs" => ecs::call(cloud, call),
        "elasticloadbalancing" => elbv2::call(cloud, call),
        "ec2" => ec2::call(cloud, call),
        "elasticfilesystem" => efs::call(cloud, call),
        "autoscaling" => autoscaling::call(cloud, call),
        "iam" => iam::call(cloud, call),
        "sts" => sts::call(cloud, call),
        "logs" => logs::call(cloud, call),
        "secretsmanager" => secretsmanager::call(cloud, call),
        "ssm" => ssm::call(cloud, call),
        "kms" => kms::call(cloud, call),
        "ecr" => ecr::call(cloud, call),
        "servicediscovery" => servicediscovery::call(cloud, call),
        "monitoring" => cloudwatch::call(cloud, call),
        "application-autoscaling" => application_autoscaling::call(cloud, call),
        other => Err(AwsError::not_simulated(other, &call.operation)),
    }
}

/// The rights that a request needs; each service says which.
fn needs(cloud: &Cloud, call: &Call) -> Vec<iam::Need> {
    let (operation, input) = (call.operation.as_str(), &call.input);
    match call.service.as_str() {
        "ecs" => ecs::needs(cloud, operation, input),
        "elasticloadbalancing" => elbv2::needs(cloud, operation, input),
        "ec2" => ec2::needs(cloud, operation, input),
        "elasticfilesystem" => efs::needs(cloud, operation, input),
        "autoscaling" => autoscaling::needs(cloud, operation, input),
        "iam" => iam::needs(cloud, operation, input),
        "sts" => sts::needs(cloud, operation, input),
        "logs" => logs::needs(cloud, operation, input),
        "secretsmanager" => secretsmanager::needs(cloud, operation, input),
        "ssm" => ssm::needs(cloud, operation, input),
        "kms" => kms::needs(cloud, operation, input),
        "ecr" => ecr::needs(cloud, operation, input),
        "servicediscovery" => servicediscovery::needs(cloud, operation, input),
        "monitoring" => cloudwatch::needs(cloud, operation, input),
        "application-autoscaling" => application_autoscaling::needs(cloud, operation, input),
        _ => Vec::new(),
    }
}

/// Lets one event happen.
pub fn happen(cloud: &mut Cloud, event: Event) {
    match event {
        Event::Ec2(event) => ec2::happen(cloud, event),
        Event::Efs(event) => efs::happen(cloud, event),
        Event::Elb(event) => elbv2::happen(cloud, event),
        Event::Scaling(event) => autoscaling::happen(cloud, event),
        Event::CloudWatch(event) => cloudwatch::happen(cloud, event),
        Event::Ecs(event) => ecs::happen(cloud, event),
        Event::Task(event) => crate::tasks::happen(cloud, event),
    }
}
