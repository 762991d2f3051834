//! The daemon strategy: one task on each active instance.

use super::{events, living, place};
use crate::{
    Cloud,
    tasks::{Host, LastStatus},
};

/// Starts what is missing and stops what is old.
pub(super) fn schedule(cloud: &mut Cloud, service_arn: &str) {
    let Some(service) = cloud.ecs.services.get(service_arn) else { return };
    let Some(primary) = service.deployments.first().map(|it| it.id.clone()) else { return };
    let cluster = service.cluster.clone();
    let instances: Vec<String> = cloud
        .ecs
        .instances
        .values()
        .filter(|it| it.cluster == cluster && it.status == "ACTIVE" && it.is_connected)
        .map(|it| it.arn.clone())
        .collect();
    let own: Vec<(String, String, bool)> = living(cloud, service_arn)
        .filter_map(|task| match &task.host {
            Host::Instance(arn) => Some((task.id.clone(), arn.clone(), task.is_of(&primary))),
            Host::Fargate => None,
        })
        .collect();
    let old: Vec<String> = own.iter().filter(|(_, _, is_new)| !is_new).map(|(id, ..)| id.clone()).collect();
    let gone = own.iter().filter(|(_, arn, _)| !instances.contains(arn)).map(|(id, ..)| id.clone());
    let mut stops = old;
    stops.extend(gone);
    stops.sort();
    stops.dedup();
    if !stops.is_empty() {
        place::stop(cloud, service_arn, &stops, &primary);
    }
    let mut started = Vec::new();
    for instance in instances {
        let busy = cloud.tasks.tasks.values().any(|task| {
            task.membership.as_ref().is_some_and(|it| it.service == service_arn)
                && task.host == Host::Instance(instance.clone())
                && task.last <= LastStatus::Stopping
        });
        if !busy {
            started.extend(place::start(cloud, service_arn, &primary, 1, Some(&instance)));
        }
    }
    if let Some(service) = cloud.ecs.services.get_mut(service_arn).filter(|_| !started.is_empty()) {
        service.is_steady = false;
    }
    events::started(cloud, service_arn, &started, 0);
}
