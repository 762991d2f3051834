//! A service's events: at most a hundred, the newest first.

use std::time::Duration;

use super::super::state::ServiceEvent;
use crate::Cloud;

/// The API keeps so many.
const EVENTS_MAX: usize = 100;
/// A message that goes on being true is repeated after this long.
const REPEATED: Duration = Duration::from_secs(6 * 3600);

/// Writes an event.
pub(in super::super) fn say(cloud: &mut Cloud, service: &str, message: &str) {
    let (id, at) = (cloud.chance.uuid(), cloud.now());
    if let Some(found) = cloud.ecs.services.get_mut(service) {
        found.events.push_front(ServiceEvent { id, at, message: message.to_owned() });
        found.events.truncate(EVENTS_MAX);
    }
}

/// Writes an event unless the same was written since the cause arose, less than six hours ago. `cause`: what makes two the same.
pub(super) fn say_once(cloud: &mut Cloud, service: &str, cause: &str, message: &str) {
    let now = cloud.now();
    let Some(found) = cloud.ecs.services.get_mut(service) else { return };
    if found.said.get(cause).is_some_and(|at| now - *at < REPEATED) {
        return;
    }
    found.said.insert(cause.to_owned(), now);
    say(cloud, service, message);
}

/// `(task T) (task U)`.
pub(super) fn listed(ids: &[String]) -> String {
    ids.iter().map(|id| format!("(task {id})")).collect::<Vec<_>>().join(" ")
}

fn name(cloud: &Cloud, service: &str) -> String {
    cloud.ecs.services.get(service).map(|it| it.name.clone()).unwrap_or_default()
}

pub(super) fn started(cloud: &mut Cloud, service: &str, ids: &[String], replaced: usize) {
    if ids.is_empty() {
        return;
    }
    let tail = match replaced {
        0 => String::new(),
        many => format!(" Amazon ECS replaced {many} tasks due to an unhealthy status."),
    };
    let message = format!("(service {}) has started {} tasks: {}.{tail}", name(cloud, service), ids.len(), listed(ids));
    say(cloud, service, &message);
}

pub(super) fn started_elsewhere(cloud: &mut Cloud, service: &str, ids: &[String], zone: &str) {
    if !ids.is_empty() {
        let name = name(cloud, service);
        let (count, listed) = (ids.len(), listed(ids));
        let message = format!("(service {name}) has started {count} tasks in {zone} to AZ Rebalance: {listed}.");
        say(cloud, service, &message);
    }
}

pub(super) fn stopped_running(cloud: &mut Cloud, service: &str, ids: &[String]) {
    if !ids.is_empty() {
        let message =
            format!("(service {}) has stopped {} running tasks: {}.", name(cloud, service), ids.len(), listed(ids));
        say(cloud, service, &message);
    }
}

pub(super) fn stopped_pending(cloud: &mut Cloud, service: &str, count: usize) {
    if count > 0 {
        let message = format!("(service {}) stopped {count} pending tasks.", name(cloud, service));
        say(cloud, service, &message);
    }
}
