//! What the end of a task means to its service.

use std::time::Duration;

use super::{events, look, look_cluster};
use crate::{
    Cloud,
    services::ecs::{deployments, registries},
    tasks::{Host, LastStatus, StopCode},
};

/// Waits between rounds of starts that come to nothing; the last one goes on for ever (developer guide: at most 27 minutes).
const WAITS: [u64; 9] = [0, 10, 30, 60, 120, 240, 480, 960, 1620];
/// From this round on the service says that it cannot start tasks.
const ANNOUNCED: u32 = 3;

/// A task has another state.
pub(in super::super) fn task_changed(cloud: &mut Cloud, id: &str) {
    let Some(task) = cloud.tasks.get_mut(id) else { return };
    let cluster = task.cluster.clone();
    let frees = task.last == LastStatus::Stopped && matches!(task.host, Host::Instance(_));
    let (is_over, has_run) = (!task.is_to_run, task.started.is_some());
    let (code, reason) = (task.stop_code, task.stopped_reason.clone().unwrap_or_default());
    let is_fresh =
        task.membership.as_mut().is_some_and(|it| is_over && !std::mem::replace(&mut it.is_settled, is_over));
    let membership = task.membership.clone();
    if frees {
        look_cluster(cloud, &cluster);
    }
    let Some(membership) = membership else { return };
    if cloud.tasks.get(id).is_some_and(|task| task.last == LastStatus::Activating) {
        registries::enter(cloud, id);
    }
    registries::tell_health(cloud, id);
    let service = membership.service;
    if is_fresh {
        if let Some(found) = cloud.ecs.services.get_mut(&service) {
            found.is_steady = false;
        }
        let by_itself = matches!(code, Some(StopCode::TaskFailedToStart | StopCode::EssentialContainerExited));
        if code == Some(StopCode::TaskFailedToStart) {
            unable_to_place(cloud, &service, &reason);
        }
        if by_itself && !membership.was_healthy {
            if !has_run {
                throttle(cloud, &service);
            }
            deployments::failed(cloud, &service, &membership.deployment);
        }
    }
    look(cloud, &service);
}

/// `was unable to place a task. Reason: …`, once for each cause: the same failure of the next task is not repeated.
fn unable_to_place(cloud: &mut Cloud, service: &str, reason: &str) {
    let Some(name) = cloud.ecs.services.get(service).map(|it| it.name.clone()) else { return };
    let end = if reason.ends_with('.') { "" } else { "." };
    let message = format!("(service {name}) was unable to place a task. Reason: {reason}{end}");
    // Ids of tasks in a reason differ from task to task, its first words do not.
    let cause: String = reason.chars().take(90).collect();
    events::say_once(cloud, service, &cause, &message);
}

/// Starts that do not reach RUNNING are tried ever more seldom.
fn throttle(cloud: &mut Cloud, service: &str) {
    let now = cloud.now();
    let Some(found) = cloud.ecs.services.get_mut(service) else { return };
    if found.throttle.until.is_some_and(|until| until > now) {
        return;
    }
    found.throttle.rounds += 1;
    let at = usize::try_from(found.throttle.rounds).unwrap_or(WAITS.len()).min(WAITS.len() - 1);
    let seconds = WAITS.get(at).copied().unwrap_or(1620);
    found.throttle.until = Some(now + Duration::from_secs(seconds));
    if found.throttle.rounds >= ANNOUNCED {
        let message = format!(
            "(service {}) is unable to consistently start tasks successfully. For more information, see the Troubleshooting section of the \
             Amazon ECS Developer Guide.",
            found.name
        );
        events::say_once(cloud, service, "inconsistent", &message);
    }
}
