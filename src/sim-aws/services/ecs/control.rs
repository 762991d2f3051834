//! What happens to capacity from outside: Spot tasks are reclaimed, Fargate has nothing to give. Commands of whoever drives the simulator.

use std::time::Duration;

use super::scheduler;
use crate::{
    Cloud,
    event::Event,
    tasks::{self, StopCode, Task},
};

/// From the notice to the end: a task has two minutes (developer guide, "Fargate Spot"; SIGTERM comes with the notice).
const NOTICE: Duration = Duration::from_secs(120);

/// Reclaims every task on FARGATE_SPOT of a service (by name; of all, without one). Returns how many.
pub fn reclaim_spot(cloud: &mut Cloud, service: Option<&str>) -> usize {
    let is_spot = |task: &&Task| {
        let group = service.map(|name| format!("service:{name}"));
        task.is_to_run
            && task.capacity_provider.as_deref() == Some("FARGATE_SPOT")
            && group.is_none_or(|it| it == task.group)
    };
    let ids: Vec<String> = cloud.tasks.tasks.values().filter(is_spot).map(|task| task.id.clone()).collect();
    for id in &ids {
        tasks::stop(cloud, id, StopCode::SpotInterruption, "Your Spot Task was interrupted.");
        let event = tasks::TaskEvent::Lose { task: id.clone() };
        cloud.after(NOTICE, Event::Task(event));
    }
    ids.len()
}

/// Whether Fargate has capacity to give: of `FARGATE` or `FARGATE_SPOT`.
pub fn set_capacity(cloud: &mut Cloud, provider: &str, is_available: bool) {
    if is_available {
        cloud.ecs.without_capacity.remove(provider);
    } else {
        cloud.ecs.without_capacity.insert(provider.to_owned());
    }
    look_around(cloud);
}

/// Capacity or zones have changed: every service is looked at.
pub fn look_around(cloud: &mut Cloud) {
    let clusters: Vec<String> = cloud.ecs.clusters.keys().cloned().collect();
    for cluster in clusters {
        scheduler::look_cluster(cloud, &cluster);
    }
}
