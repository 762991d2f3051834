//! Availability zone rebalancing: a service at rest whose tasks crowd in a zone moves them, one at a time, the new one first.
//!
//! Rules: API reference of `availabilityZoneRebalancing`; balanced is a difference of one at most (developer guide). Sentences: events of
//! production services. How long AWS thinks about it is not said anywhere; here it begins as soon as the service is steady.

use std::collections::BTreeMap;

use super::{events, living, look};
use crate::{
    Cloud,
    services::ecs::state::{Rebalancing, Rollout, Service},
    tasks::LastStatus,
};

/// The service has been looked at: if it is at rest, its zones are compared.
pub(super) fn judge(cloud: &mut Cloud, service_arn: &str) {
    let Some(service) = cloud.ecs.services.get(service_arn) else { return };
    let at_rest = service.is_steady && service.deployments.first().is_some_and(|it| it.rollout == Rollout::Completed);
    if !at_rest || service.settings.rebalancing != "ENABLED" {
        return;
    }
    let zones = zones(cloud, service);
    let counts = counts(cloud, service_arn, &zones);
    let (Some(fullest), Some(emptiest)) = (
        counts.iter().max_by_key(|(_, count)| **count).map(|(zone, count)| (zone.clone(), *count)),
        counts.iter().min_by_key(|(_, count)| **count).map(|(zone, count)| (zone.clone(), *count)),
    ) else {
        return;
    };
    let said = counts.iter().map(|(zone, count)| format!("{count} tasks in {zone}")).collect::<Vec<_>>().join(", ");
    let (name, moved) = (service.name.clone(), service.rebalancing.clone());
    if fullest.1 <= emptiest.1 + 1 {
        if moved.is_some() {
            set(cloud, service_arn, None);
            events::say(cloud, service_arn, &format!("(service {name}) is AZ balanced with {said}."));
        }
        return;
    }
    // A move that changed nothing is not made again: there is no room in the other zone.
    if moved.as_ref().is_some_and(|it| it.from == said) {
        return;
    }
    let newest = living(cloud, service_arn).filter(|task| task.zone == fullest.0).max_by_key(|task| task.created);
    let Some(id) = newest.map(|task| task.id.clone()) else { return };
    let message = format!("(service {name}) is not AZ balanced with {said}. AZ Rebalancing in progress.");
    set(cloud, service_arn, Some(Rebalancing { from: said, to: emptiest.0 }));
    if let Some(membership) = cloud.tasks.get_mut(&id).and_then(|task| task.membership.as_mut()) {
        membership.condemned = Some(format!("Scaling activity initiated by (deployment {})", membership.deployment));
        membership.is_moving = true;
    }
    if let Some(service) = cloud.ecs.services.get_mut(service_arn) {
        service.is_steady = false;
    }
    events::say(cloud, service_arn, &message);
    look(cloud, service_arn);
}

fn set(cloud: &mut Cloud, service: &str, to: Option<Rebalancing>) {
    if let Some(service) = cloud.ecs.services.get_mut(service) {
        service.rebalancing = to;
    }
}

/// The zones that a service's tasks may be in: those of its subnets on Fargate, of its cluster's machines otherwise; none that is down.
fn zones(cloud: &Cloud, service: &Service) -> Vec<String> {
    let own: Vec<String> = service
        .deployments
        .first()
        .map(|it| it.network.subnets.clone())
        .unwrap_or_default()
        .iter()
        .filter_map(|id| Some(cloud.ec2.subnets.get(id)?.zone.clone()))
        .collect();
    let machines = cloud.ecs.instances.values();
    let machines = machines.filter(|it| it.cluster == service.cluster && it.status == "ACTIVE" && it.is_connected);
    let mut zones = if is_fargate(service) { own } else { machines.map(|it| it.zone.clone()).collect() };
    zones.retain(|zone| !cloud.ec2.lost_zones.contains(zone));
    zones.sort();
    zones.dedup();
    zones
}

fn is_fargate(service: &Service) -> bool {
    let launch_type = service.revision.get("launchType").and_then(serde_json::Value::as_str);
    launch_type == Some("FARGATE") || service.strategy.iter().any(|it| it.capacity_provider.starts_with("FARGATE"))
}

fn counts(cloud: &Cloud, service: &str, zones: &[String]) -> BTreeMap<String, usize> {
    let mut counts: BTreeMap<String, usize> = zones.iter().map(|zone| (zone.clone(), 0)).collect();
    for task in living(cloud, service).filter(|task| task.last == LastStatus::Running) {
        if let Some(count) = counts.get_mut(&task.zone) {
            *count += 1;
        }
    }
    counts
}
