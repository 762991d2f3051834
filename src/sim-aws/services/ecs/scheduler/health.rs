//! Which tasks of a service count as healthy, and which are to be replaced.

use std::time::Duration;

use super::{events, living, look_at};
use crate::{
    Cloud,
    services::{
        ecs::{deployments, state::Throttle},
        elbv2::{self, TargetState},
    },
    tasks::{Health, LastStatus, Task},
};

/// A task without balancer and health check counts as healthy so long after it runs (the API's model).
const SETTLED: Duration = Duration::from_secs(40);

/// What the scheduler thinks of a task.
enum Opinion {
    Healthy,
    /// Not yet.
    Waiting,
    /// The event that says so, and the reason for its end.
    Unhealthy {
        event: String,
        reason: String,
    },
}

/// Forms an opinion of every running task and takes note of changes.
pub(super) fn judge(cloud: &mut Cloud, service: &str) {
    let now = cloud.now();
    let Some(found) = cloud.ecs.services.get(service) else { return };
    let grace = Duration::from_secs(found.settings.grace.unwrap_or(0));
    let name = found.name.clone();
    let running: Vec<String> = living(cloud, service)
        .filter(|task| task.last == LastStatus::Running && task.membership.as_ref().is_some_and(|it| !it.is_draining))
        .map(|task| task.id.clone())
        .collect();
    let mut wakes = Vec::new();
    for id in running {
        let Some(task) = cloud.tasks.get(&id) else { continue };
        let started = task.started.unwrap_or(now);
        let Some(membership) = task.membership.clone() else { continue };
        match opinion(cloud, task, &name) {
            Opinion::Healthy => {
                if let Some(membership) = cloud.tasks.get_mut(&id).and_then(|task| task.membership.as_mut()) {
                    membership.was_healthy = true;
                    if !membership.is_moving {
                        membership.condemned = None;
                    }
                }
                if !membership.was_healthy {
                    deployments::succeeded(cloud, service, &membership.deployment);
                    if let Some(found) = cloud.ecs.services.get_mut(service) {
                        found.throttle = Throttle::default();
                    }
                }
            }
            Opinion::Waiting => {
                if has_no_judge(task) {
                    wakes.push(started + SETTLED);
                }
            }
            Opinion::Unhealthy { .. } if now < started + grace => wakes.push(started + grace),
            Opinion::Unhealthy { event, reason } if membership.condemned.is_none() => {
                if let Some(membership) = cloud.tasks.get_mut(&id).and_then(|task| task.membership.as_mut()) {
                    membership.condemned = Some(reason);
                }
                if let Some(found) = cloud.ecs.services.get_mut(service) {
                    found.is_steady = false;
                }
                events::say(cloud, service, &event);
                deployments::failed(cloud, service, &membership.deployment);
            }
            Opinion::Unhealthy { .. } => {}
        }
    }
    for at in wakes {
        look_at(cloud, service, at);
    }
}

/// Neither a balancer nor a container check says how it is.
fn has_no_judge(task: &Task) -> bool {
    let checked = task.plan.containers.iter().any(|it| it.is_essential && it.health.is_some());
    task.targets.is_empty() && !checked
}

fn opinion(cloud: &Cloud, task: &Task, service: &str) -> Opinion {
    let checked = task.plan.containers.iter().any(|it| it.is_essential && it.health.is_some());
    if checked && task.health() == Health::Unhealthy {
        return Opinion::Unhealthy {
            event: format!("(service {service}) (task {}) failed container health checks.", task.id),
            reason: "Task failed container health checks".to_owned(),
        };
    }
    let mut waits = checked && task.health() != Health::Healthy;
    for target in &task.targets {
        let health = elbv2::target_health(cloud, &target.group, &target.id, target.port);
        match health.as_ref().map(|it| it.state) {
            Some(TargetState::Unhealthy) => {
                let why = health.and_then(|it| it.description).unwrap_or_else(|| "Health checks failed".to_owned());
                return Opinion::Unhealthy {
                    event: format!(
                        "(service {service}) (task {}) (port {}) is unhealthy in (target-group {}) due to (reason {why}).",
                        task.id, target.port, target.group
                    ),
                    reason: format!("Task failed ELB health checks in (target-group {})", target.group),
                };
            }
            Some(TargetState::Healthy | TargetState::Unavailable) => {}
            _ => waits = true,
        }
    }
    if waits {
        return Opinion::Waiting;
    }
    if has_no_judge(task) {
        let now = cloud.now();
        return if now >= task.started.unwrap_or(now) + SETTLED { Opinion::Healthy } else { Opinion::Waiting };
    }
    Opinion::Healthy
}
