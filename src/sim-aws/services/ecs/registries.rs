//! Service discovery: tasks of a service as instances of its Cloud Map service.

use std::collections::BTreeMap;

use serde_json::Value;

use super::connect;
use crate::{
    Cloud,
    input::{integer, list, text},
    services::servicediscovery,
    tasks::{Health, Task},
};

/// A task that comes up is registered. The instance's id is the task's; its attributes are those of the developer guide.
pub(super) fn enter(cloud: &mut Cloud, id: &str) {
    let Some(task) = cloud.tasks.get(id).filter(|task| task.is_to_run && task.registries.is_empty()) else { return };
    let Some(membership) = &task.membership else { return };
    let Some(service) = cloud.ecs.services.get(&membership.service) else { return };
    let Some(deployment) = service.deployments.iter().find(|it| it.id == membership.deployment) else { return };
    let body = Value::Object(deployment.revision.clone());
    let mut wishes = Vec::new();
    let mut about = BTreeMap::from(
        [
            ("AVAILABILITY_ZONE", task.zone.clone()),
            ("REGION", cloud.config.region.clone()),
            ("ECS_CLUSTER_NAME", task.cluster.clone()),
            ("ECS_SERVICE_NAME", service.name.clone()),
            ("ECS_TASK_DEFINITION_FAMILY", task.plan.family.clone()),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    if let Some(link) = &task.link {
        about.insert("AWS_INSTANCE_IPV4".to_owned(), link.address.to_string());
    }
    for registry in list(&body, "serviceRegistries") {
        let Some(wanted) = text(registry, "registryArn").and_then(|arn| arn.rsplit('/').next()) else { continue };
        let port = port(task, registry).map(|port| ("AWS_INSTANCE_PORT".to_owned(), port.to_string()));
        wishes.push((wanted.to_owned(), about.clone().into_iter().chain(port).collect()));
    }
    for (wanted, port) in connect::instances(task) {
        wishes.push((wanted, about.clone().into_iter().chain(port).collect()));
    }
    for (registry, attributes) in wishes {
        servicediscovery::register(cloud, &registry, id, attributes);
        if let Some(task) = cloud.tasks.get_mut(id) {
            task.registries.push(registry);
        }
    }
}

/// The health of a task's containers is its instance's where the Cloud Map service leaves it to ECS (`HealthCheckCustomConfig`).
pub(super) fn tell_health(cloud: &mut Cloud, id: &str) {
    let Some(task) = cloud.tasks.get(id) else { return };
    let healthy = task.health() != Health::Unhealthy;
    for registry in task.registries.clone() {
        servicediscovery::set_health(cloud, &registry, id, healthy);
    }
}

/// The port that the registry names: its own, or the one bound on the instance.
fn port(task: &Task, registry: &Value) -> Option<u16> {
    if let Some(port) = integer(registry, "port").and_then(|port| u16::try_from(port).ok()) {
        return Some(port);
    }
    let wanted = integer(registry, "containerPort").and_then(|port| u16::try_from(port).ok())?;
    let container = task.container(text(registry, "containerName")?)?;
    container.bindings.iter().find(|it| it.container == wanted).map(|it| it.host).or(Some(wanted))
}

/// A task leaves the names that it was registered under.
pub(crate) fn leave(cloud: &mut Cloud, id: &str) {
    let registries = cloud.tasks.get_mut(id).map(|task| std::mem::take(&mut task.registries)).unwrap_or_default();
    for registry in registries {
        servicediscovery::deregister(cloud, &registry, id);
    }
}
