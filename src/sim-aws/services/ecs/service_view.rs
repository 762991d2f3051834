//! A service as answers show it.

use serde_json::{Map, Value, json};

use super::{
    clusters::shown_strategy,
    connect,
    state::{Deployment, Service, ServiceStatus},
    tags,
};
use crate::{
    Cloud, moment,
    tasks::{LastStatus, Task},
};

/// How many tasks of a deployment (all, without one) run and are on their way.
pub(super) fn counts(cloud: &Cloud, service: &str, deployment: Option<&str>) -> (u64, u64) {
    let own = |task: &&Task| {
        task.membership
            .as_ref()
            .is_some_and(|it| it.service == service && deployment.is_none_or(|id| it.deployment == id))
    };
    cloud.tasks.tasks.values().filter(own).fold((0, 0), |(running, pending), task| match task.last {
        LastStatus::Running => (running + 1, pending),
        state if state < LastStatus::Running && task.is_to_run => (running, pending + 1),
        _ => (running, pending),
    })
}

/// A service in the API's shape; `null` where there is none.
pub(super) fn shown(cloud: &Cloud, arn: &str, with_tags: bool) -> Value {
    let Some(service) = cloud.ecs.services.get(arn) else { return Value::Null };
    let (running, pending) = counts(cloud, arn, None);
    let mut out = Map::new();
    let mut put = |member: &str, value: Value| {
        out.insert(member.to_owned(), value);
    };
    put("serviceArn", json!(service.arn));
    put("serviceName", json!(service.name));
    let cluster = cloud.ecs.clusters.get(&service.cluster).map(|it| it.arn.clone());
    put("clusterArn", json!(cluster));
    put("loadBalancers", json!([]));
    put("serviceRegistries", json!([]));
    for (member, value) in &service.revision {
        if member != "serviceConnectConfiguration" && member != "volumeConfigurations" {
            put(member, value.clone());
        }
    }
    put("status", json!(service.status.word()));
    put("desiredCount", json!(desired(cloud, service)));
    put("runningCount", json!(running));
    put("pendingCount", json!(pending));
    if service.strategy.is_empty() {
        if service.revision.get("launchType").and_then(Value::as_str) == Some("FARGATE") {
            put("platformFamily", json!("Linux"));
        }
    } else {
        put("capacityProviderStrategy", shown_strategy(&service.strategy));
    }
    if is_fargate(service) && !service.revision.contains_key("platformVersion") {
        put("platformVersion", json!("LATEST"));
    }
    put("deploymentConfiguration", service.settings.deployment.clone());
    let deployments = service.deployments.iter().enumerate();
    put("deployments", deployments.map(|(at, it)| deployment(cloud, service, it, at == 0)).collect());
    put(
        "roleArn",
        json!(service.settings.role.clone().unwrap_or_else(|| {
            format!(
                "arn:aws:iam::{}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
                cloud.config.account
            )
        })),
    );
    let events = service.events.iter();
    put(
        "events",
        events.map(|it| json!({"id": it.id, "createdAt": moment::of(cloud, it.at), "message": it.message})).collect(),
    );
    put("createdAt", moment::of(cloud, service.created));
    put("createdBy", json!(service.created_by));
    put("placementConstraints", json!(service.settings.constraints));
    put("placementStrategy", json!(service.settings.placement));
    if let Some(grace) = service.settings.grace {
        put("healthCheckGracePeriodSeconds", json!(grace));
    }
    put("schedulingStrategy", json!(if service.is_daemon { "DAEMON" } else { "REPLICA" }));
    put("deploymentController", json!({"type": service.settings.controller}));
    put("enableECSManagedTags", json!(service.settings.managed_tags));
    put("propagateTags", json!(service.settings.propagate_tags));
    put("enableExecuteCommand", json!(service.settings.can_exec));
    put("availabilityZoneRebalancing", json!(service.settings.rebalancing));
    if with_tags {
        put("tags", tags::write(&service.tags));
    }
    if let Some(now) = service.history.first().filter(|it| it.finished.is_none() && it.stopped.is_none()) {
        put("currentServiceDeployment", json!(now.arn));
    }
    let revisions = service.deployments.iter().map(|it| {
        let (running, pending) = counts(cloud, arn, Some(&it.id));
        let requested = if Some(it.id.as_str()) == service.deployments.first().map(|it| it.id.as_str()) { service.desired } else { 0 };
        json!({"arn": it.revision_arn, "requestedTaskCount": requested, "runningTaskCount": running, "pendingTaskCount": pending})
    });
    put("currentServiceRevisions", revisions.collect());
    Value::Object(out)
}

/// What a service wants: for a daemon, one task for each instance.
pub(super) fn desired(cloud: &Cloud, service: &Service) -> u64 {
    if !service.is_daemon || service.status != ServiceStatus::Active {
        return service.desired;
    }
    let instances = cloud.ecs.instances.values().filter(|it| it.cluster == service.cluster && it.status == "ACTIVE");
    u64::try_from(instances.count()).unwrap_or(0)
}

pub(super) fn is_fargate(service: &Service) -> bool {
    service.revision.get("launchType").and_then(Value::as_str) == Some("FARGATE")
        || service.strategy.iter().any(|item| item.capacity_provider.starts_with("FARGATE"))
}

fn deployment(cloud: &Cloud, service: &Service, it: &Deployment, is_primary: bool) -> Value {
    let (running, pending) = counts(cloud, &service.arn, Some(&it.id));
    let mut out = json!({
        "id": it.id,
        "status": if is_primary { "PRIMARY" } else { "ACTIVE" },
        "taskDefinition": it.revision.get("taskDefinition"),
        "desiredCount": if is_primary { desired(cloud, service) } else { running + pending },
        "pendingCount": pending,
        "runningCount": running,
        "failedTasks": it.failed,
        "createdAt": moment::of(cloud, it.created),
        "updatedAt": moment::of(cloud, it.updated),
        "rolloutState": it.rollout.word(),
        "rolloutStateReason": it.reason,
    });
    for member in ["launchType", "networkConfiguration", "serviceConnectConfiguration", "volumeConfigurations"] {
        if let Some(value) = it.revision.get(member) {
            out[member] = value.clone();
        }
    }
    if let Some(resources) = connect::resources(cloud, &it.connect) {
        out["serviceConnectResources"] = resources;
    }
    if !it.strategy.is_empty() {
        out["capacityProviderStrategy"] = shown_strategy(&it.strategy);
    }
    if is_fargate(service) {
        out["platformVersion"] =
            it.revision.get("platformVersion").cloned().filter(|it| it != "LATEST").unwrap_or_else(|| json!("1.4.0"));
        out["platformFamily"] = json!("Linux");
    }
    out
}
