//! Finding things as requests name them: by name, by ARN, by default.

use super::state::{Cluster, Definition, DefinitionStatus, Service, ServiceStatus, State};
use crate::{AwsError, Cloud, cloud::Config, input::text};

/// `arn:aws:ecs:REGION:ACCOUNT:REST`.
pub(super) fn arn(config: &Config, rest: &str) -> String {
    format!("arn:aws:ecs:{}:{}:{rest}", config.region, config.account)
}

/// What ECS says of a wrong parameter.
pub(super) fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::new("InvalidParameterException", message)
}

/// What ECS says of a request that cannot be done.
pub(super) fn client(message: impl Into<String>) -> AwsError {
    AwsError::new("ClientException", message)
}

/// The last part of a name or ARN.
pub(super) fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// The cluster of a request: its name or ARN, `default` without one.
///
/// # Errors
/// `ClusterNotFoundException`.
pub(super) fn cluster<'a>(state: &'a State, input: &serde_json::Value) -> Result<&'a Cluster, AwsError> {
    let name = text(input, "cluster").filter(|name| !name.is_empty()).map_or("default", last);
    let found = state.clusters.get(name).filter(|cluster| cluster.is_active);
    found.ok_or_else(|| AwsError::new("ClusterNotFoundException", "Cluster not found."))
}

/// The ARN of the service that a request names by name or ARN, in a cluster.
pub(super) fn service_arn(state: &State, cluster: &str, name: &str) -> Option<String> {
    if name.starts_with("arn:") {
        return state.services.contains_key(name).then(|| name.to_owned());
    }
    let found = state.services.values().filter(|service| service.cluster == cluster && service.name == name);
    // A name may have been used again.
    found.max_by_key(|service| (service.status != ServiceStatus::Inactive, service.created)).map(|it| it.arn.clone())
}

/// A service that is not over.
///
/// # Errors
/// `ServiceNotFoundException`, `ServiceNotActiveException`.
pub(super) fn living<'a>(state: &'a State, cluster: &str, name: &str) -> Result<&'a Service, AwsError> {
    let missing = || AwsError::new("ServiceNotFoundException", "Service not found.");
    let arn = service_arn(state, cluster, name).ok_or_else(missing)?;
    let service = state.services.get(&arn).filter(|service| service.cluster == cluster).ok_or_else(missing)?;
    if service.status == ServiceStatus::Inactive {
        return Err(AwsError::new("ServiceNotActiveException", "Service was not ACTIVE."));
    }
    Ok(service)
}

/// A task definition by `family`, `family:revision` or ARN, whatever its status; without a revision the latest active one.
pub(super) fn definition<'a>(state: &'a State, name: &str) -> Option<&'a Definition> {
    let name = name.rsplit_once("task-definition/").map_or(name, |(_, rest)| rest);
    match name.rsplit_once(':') {
        Some((family, revision)) => {
            let revision: usize = revision.parse().ok()?;
            state.families.get(family)?.get(revision.checked_sub(1)?)
        }
        None => state.families.get(name)?.iter().rev().find(|it| it.status == DefinitionStatus::Active),
    }
}

/// A task definition that can be started.
///
/// # Errors
/// `ClientException`: not there, or inactive.
pub(super) fn usable<'a>(cloud: &'a Cloud, name: &str) -> Result<&'a Definition, AwsError> {
    match definition(&cloud.ecs, name) {
        None if name.rsplit('/').next().is_some_and(|name| name.contains(':')) || name.starts_with("arn:") => {
            Err(client("TaskDefinition not found."))
        }
        None => Err(client("TaskDefinition not found.")),
        Some(found) if found.status != DefinitionStatus::Active => Err(client("TaskDefinition is inactive")),
        Some(found) => Ok(found),
    }
}

/// A task by id or ARN in a cluster.
pub(super) fn task_id(cloud: &Cloud, cluster: &str, name: &str) -> Option<String> {
    let id = last(name);
    cloud.tasks.get(id).filter(|task| task.cluster == cluster).map(|task| task.id.clone())
}
