//! The service scheduler: compares a service with what it should be, starts and stops tasks, and says so.
//!
//! It looks when something happened to one of its tasks or targets, or when a time it waits for has come; a steady service is not looked
//! at. Rules: developer guide, "service scheduler", "rolling update", "service throttle logic"; sentences: events of production services.

mod balance;
mod daemon;
mod events;
mod health;
mod place;
mod rolling;
mod settle;

use std::time::Duration;

use breakfix_sim::SimTime;

pub(super) use events::say;
pub(super) use settle::task_changed;

use super::{
    EcsEvent, connect, deployments, service_view,
    state::{Rollout, ServiceStatus},
};
use crate::{
    Cloud,
    event::Event,
    services::elbv2,
    tasks::{self, LastStatus, StopCode, Task},
};

/// From a change to the scheduler's look at it.
const SOON: Duration = Duration::from_millis(900);

/// A deployment is watched at least so long before it counts as completed.
const OBSERVED: Duration = Duration::from_secs(15);

/// The scheduler looks at a service soon.
pub(super) fn look(cloud: &mut Cloud, service: &str) {
    let at = cloud.now() + SOON;
    look_at(cloud, service, at);
}

/// The scheduler looks at a service at a moment, or sooner.
fn look_at(cloud: &mut Cloud, service: &str, at: SimTime) {
    let at = at.max(cloud.now());
    let Some(found) = cloud.ecs.services.get_mut(service) else { return };
    match found.due {
        Some((due, _)) if due <= at => return,
        Some((_, ticket)) => {
            found.due = None;
            cloud.queue.cancel(ticket);
        }
        None => {}
    }
    let ticket = cloud.queue.push(at, Event::Ecs(EcsEvent::Look { service: service.to_owned() }));
    if let Some(found) = cloud.ecs.services.get_mut(service) {
        found.due = Some((at, ticket));
    }
}

/// All services of a cluster are looked at: its capacity has changed.
pub(super) fn look_cluster(cloud: &mut Cloud, cluster: &str) {
    let here = cloud.ecs.services.values().filter(|it| it.cluster == cluster && it.status == ServiceStatus::Active);
    let arns: Vec<String> = here.map(|it| it.arn.clone()).collect();
    for arn in arns {
        look(cloud, &arn);
    }
}

/// The desired count or a setting has changed.
pub(super) fn desired_changed(cloud: &mut Cloud, service: &str) {
    look(cloud, service);
}

/// One look at a service.
pub(super) fn reconcile(cloud: &mut Cloud, service: &str) {
    let Some(found) = cloud.ecs.services.get_mut(service) else { return };
    found.due = None;
    match found.status {
        ServiceStatus::Inactive => return,
        ServiceStatus::Draining => {
            drain_service(cloud, service);
            return;
        }
        ServiceStatus::Active => {}
    }
    place::register_targets(cloud, service);
    health::judge(cloud, service);
    finish_draining(cloud, service);
    let is_daemon = cloud.ecs.services.get(service).is_some_and(|it| it.is_daemon);
    if is_daemon {
        daemon::schedule(cloud, service);
    } else {
        rolling::schedule(cloud, service);
    }
    conclude(cloud, service);
    if !is_daemon {
        balance::judge(cloud, service);
    }
}

/// The tasks of a service that shall run.
fn living<'a>(cloud: &'a Cloud, service: &'a str) -> impl Iterator<Item = &'a Task> {
    let own = move |task: &&Task| task.is_to_run && task.membership.as_ref().is_some_and(|it| it.service == service);
    cloud.tasks.tasks.values().filter(own)
}

/// A deleted service is over when its last task is.
fn drain_service(cloud: &mut Cloud, service: &str) {
    let own = |task: &&Task| task.membership.as_ref().is_some_and(|it| it.service == service);
    if cloud.tasks.tasks.values().filter(own).all(|task| task.last == LastStatus::Stopped)
        && let Some(found) = cloud.ecs.services.get_mut(service)
    {
        found.status = ServiceStatus::Inactive;
        found.deployments.clear();
        connect::end(cloud, service);
    }
}

/// Tasks that the balancer has let go of are stopped.
fn finish_draining(cloud: &mut Cloud, service: &str) {
    let mut done: Vec<(String, String)> = Vec::new();
    let primary = cloud.ecs.services.get(service).and_then(|it| it.deployments.first()).map(|it| it.id.clone());
    for task in living(cloud, service) {
        let Some(membership) = task.membership.as_ref().filter(|it| it.is_draining) else { continue };
        let still = task.targets.iter().any(|target| {
            elbv2::target_health(cloud, &target.group, &target.id, target.port)
                .is_some_and(|health| health.state == elbv2::TargetState::Draining)
        });
        if !still {
            let scaling =
                || format!("Scaling activity initiated by (deployment {})", primary.clone().unwrap_or_default());
            done.push((task.id.clone(), membership.condemned.clone().unwrap_or_else(scaling)));
        }
    }
    if done.is_empty() {
        return;
    }
    let ids: Vec<String> = done.iter().map(|(id, _)| id.clone()).collect();
    for (id, reason) in done {
        tasks::stop(cloud, &id, StopCode::ServiceSchedulerInitiated, &reason);
    }
    events::stopped_running(cloud, service, &ids);
}

/// Old deployments go when their tasks are gone; the present one is completed, and the service steady, when all is as it should be.
fn conclude(cloud: &mut Cloud, service: &str) {
    let now = cloud.now();
    let own: Vec<(String, bool, bool, bool)> = cloud
        .tasks
        .tasks
        .values()
        .filter_map(|task| {
            let membership = task.membership.as_ref().filter(|it| it.service == service)?;
            let runs = task.last <= LastStatus::Running && (task.is_to_run || task.last == LastStatus::Running);
            runs.then(|| {
                (
                    membership.deployment.clone(),
                    task.last == LastStatus::Running,
                    membership.was_healthy,
                    membership.condemned.is_some() || membership.is_draining,
                )
            })
        })
        .collect();
    let Some(found) = cloud.ecs.services.get_mut(service) else { return };
    let mut at = 0;
    found.deployments.retain(|it| {
        at += 1;
        at == 1 || own.iter().any(|(deployment, ..)| *deployment == it.id)
    });
    let Some(found) = cloud.ecs.services.get(service) else { return };
    let desired = service_view::desired(cloud, found);
    let Some(primary) = found.deployments.first() else { return };
    let is_right = own.iter().all(|(deployment, is_running, was_healthy, is_leaving)| {
        *deployment == primary.id && *is_running && *was_healthy && !*is_leaving
    });
    if !is_right || u64::try_from(own.len()).unwrap_or(u64::MAX) != desired || primary.rollout == Rollout::Failed {
        return;
    }
    if primary.rollout == Rollout::InProgress && now < primary.updated + OBSERVED {
        let at = primary.updated + OBSERVED;
        look_at(cloud, service, at);
        return;
    }
    let (id, was, steady, name) = (primary.id.clone(), primary.rollout, found.is_steady, found.name.clone());
    if was == Rollout::InProgress {
        if let Some(found) = cloud.ecs.services.get_mut(service) {
            deployments::completed(found, now);
        }
        say(cloud, service, &format!("(service {name}) (deployment {id}) deployment completed."));
    }
    if !steady {
        if let Some(found) = cloud.ecs.services.get_mut(service) {
            found.is_steady = true;
            found.said.clear();
        }
        say(cloud, service, &format!("(service {name}) has reached a steady state."));
    }
}
