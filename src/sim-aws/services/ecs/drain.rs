//! Draining an instance: tasks of services move elsewhere, start first.

use super::scheduler;
use crate::{
    Cloud,
    tasks::{self, Host, LastStatus, StopCode, Task},
};

/// Begins to drain an instance. Tasks on their way are stopped; running ones of services are condemned, so that their service replaces
/// them as its deployment configuration allows; tasks of nobody's service stay until they end.
pub(super) fn begin(cloud: &mut Cloud, instance: &str) {
    let here = |task: &&Task| matches!(&task.host, Host::Instance(arn) if arn == instance) && task.is_to_run;
    let ids: Vec<String> = cloud.tasks.tasks.values().filter(here).map(|task| task.id.clone()).collect();
    for id in ids {
        let Some(task) = cloud.tasks.get_mut(&id) else { continue };
        let is_running = task.last == LastStatus::Running;
        let Some(membership) = task.membership.as_mut() else { continue };
        let service = membership.service.clone();
        if is_running {
            membership.condemned =
                Some(format!("Scaling activity initiated by (deployment {})", membership.deployment));
            membership.is_moving = true;
        } else {
            let reason = format!("Scaling activity initiated by (deployment {})", membership.deployment);
            tasks::stop(cloud, &id, StopCode::ServiceSchedulerInitiated, &reason);
        }
        if let Some(service) = cloud.ecs.services.get_mut(&service) {
            service.is_steady = false;
        }
        scheduler::look(cloud, &service);
    }
}
