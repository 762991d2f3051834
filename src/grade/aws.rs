//! Reading what AWS describes: tasks of a service, their addresses, the targets of a group, times.
//!
//! Objects are as the API describes them. Beside the API's members the fetching side adds `Name` (what the lab calls the object), to a Service
//! `TaskDefinition` (the revision that it names), to a TargetGroup `TargetHealthDescriptions` and `Attributes`, to a Role its policies.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::object::{at, list, number, text};

/// A moment: the JSON protocols write seconds since 1970 as a number, the query protocols RFC 3339.
pub(crate) fn time(object: &Value, path: &[&str]) -> Option<Timestamp> {
    let value = at(object, path)?;
    if let Some(text) = value.as_str() {
        return text.parse().ok();
    }
    let seconds = SignedDuration::try_from_secs_f64(value.as_f64()?).ok()?;
    Timestamp::UNIX_EPOCH.checked_add(seconds).ok()
}

/// Whether a task belongs to a service: the scheduler says so in its group.
pub(crate) fn is_of(task: &Value, service: &Value) -> bool {
    let Some(name) = text(service, &["serviceName"]) else { return false };
    let same_cluster = match (text(task, &["clusterArn"]), text(service, &["clusterArn"])) {
        (Some(task), Some(service)) => task == service,
        _ => true,
    };
    // `startedBy` tells a deployment's task from one that somebody started under the service's group.
    let started = text(task, &["startedBy"]).is_none_or(|by| by.starts_with("ecs-svc/"));
    text(task, &["group"]) == Some(format!("service:{name}").as_str()) && same_cluster && started
}

/// Running, and meant to go on.
pub(crate) fn runs(task: &Value) -> bool {
    text(task, &["lastStatus"]) == Some("RUNNING") && text(task, &["desiredStatus"]) == Some("RUNNING")
}

/// The part of an ARN after the last slash: a task's id.
pub(crate) fn id(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// A task's id.
pub(crate) fn task_id(task: &Value) -> &str {
    text(task, &["taskArn"]).map_or("", id)
}

/// The private addresses of a task's interfaces (`awsvpc`).
pub(crate) fn addresses(task: &Value) -> BTreeSet<&str> {
    let containers = list(task, &["containers"]).iter();
    let interfaces = containers.flat_map(|it| list(it, &["networkInterfaces"]));
    let of_containers = interfaces.filter_map(|it| text(it, &["privateIpv4Address"]));
    let details = list(task, &["attachments"]).iter().flat_map(|it| list(it, &["details"]));
    let of_attachments =
        details.filter(|it| text(it, &["name"]) == Some("privateIPv4Address")).filter_map(|it| text(it, &["value"]));
    of_containers.chain(of_attachments).collect()
}

/// What a task's containers are called in its network: the name that the VPC gives to an address.
pub(crate) fn host_names(task: &Value) -> Vec<String> {
    let region = text(task, &["taskArn"]).and_then(|arn| arn.split(':').nth(3)).unwrap_or("");
    let short = addresses(task).into_iter().map(|address| format!("ip-{}", address.replace('.', "-")));
    short.flat_map(|name| [format!("{name}.{region}.compute.internal"), name]).collect()
}

/// One target of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target<'a> {
    pub id: &'a str,
    pub port: Option<i64>,
    pub state: &'a str,
    pub reason: &'a str,
}

impl Target<'_> {
    /// On its way out: it gets no new requests.
    pub(crate) fn is_leaving(&self) -> bool {
        matches!(self.state, "draining" | "unhealthy.draining")
    }
}

/// The targets of a group, as `describe-target-health` shows them.
pub(crate) fn targets(group: &Value) -> Vec<Target<'_>> {
    let described = list(group, &["TargetHealthDescriptions"]).iter();
    described
        .filter_map(|it| {
            Some(Target {
                id: text(it, &["Target", "Id"])?,
                port: whole(it, &["Target", "Port"]),
                state: text(it, &["TargetHealth", "State"]).unwrap_or("unknown"),
                reason: text(it, &["TargetHealth", "Reason"]).unwrap_or(""),
            })
        })
        .collect()
}

/// A whole number; the query protocols may have brought it as a text.
pub(crate) fn whole(object: &Value, path: &[&str]) -> Option<i64> {
    number(object, path).or_else(|| text(object, path)?.parse().ok())
}

/// The command that shows an object of a kind; for a service and its tasks in this cluster, which has to be known.
pub(crate) fn look(kind: &str, name: &str, cluster: Option<&str>) -> Option<String> {
    Some(match kind {
        "Service" => format!("aws ecs describe-services --cluster {} --services {name}", cluster?),
        "Task" => format!("aws ecs list-tasks --cluster {}", cluster?),
        "TaskDefinition" => format!("aws ecs describe-task-definition --task-definition {name}"),
        "TargetGroup" => format!("aws elbv2 describe-target-groups --names {name}"),
        "LoadBalancer" => format!("aws elbv2 describe-load-balancers --names {name}"),
        "Role" => format!("aws iam get-role --role-name {name}"),
        "SecurityGroup" => format!("aws ec2 describe-security-groups --filters Name=tag:Name,Values={name}"),
        "LogGroup" => format!("aws logs describe-log-groups --log-group-name-prefix {name}"),
        "Secret" => format!("aws secretsmanager describe-secret --secret-id {name}"),
        _ => return None,
    })
}

/// The command that shows what a balancer thinks of its targets; with one group among these, of that group.
pub(crate) fn look_at_targets<'a>(groups: impl IntoIterator<Item = &'a Value>) -> String {
    let mut arns = groups.into_iter().filter_map(|group| text(group, &["TargetGroupArn"]));
    match (arns.next(), arns.next()) {
        (Some(arn), None) => format!("aws elbv2 describe-target-health --target-group-arn {arn}"),
        _ => "aws elbv2 describe-target-groups".to_owned(),
    }
}

#[cfg(test)]
mod tests;
