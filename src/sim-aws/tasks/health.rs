//! Container health checks: the command of `healthCheck`, run in the container.
//!
//! Docker's rules: the first check comes one interval after the start, a failure within the start period does not count, so many failures
//! in a row make it unhealthy, one success healthy. While a check is answered inside the task and nothing there is asked anything, its
//! outcome cannot change: then no further check is queued until something stirs.

use std::time::Duration;

use super::{Health, TaskEvent, exec, life, run};
use crate::{Cloud, event::Event};

/// A container has started: its first check is queued.
pub(super) fn begin(cloud: &mut Cloud, task: &str, container: &str) {
    let Some(found) = cloud.tasks.get_mut(task) else { return };
    let Some(plan) = found.plan.container(container).and_then(|plan| plan.health.clone()) else { return };
    if let Some(held) = found.container_mut(container) {
        (held.health, held.failures, held.is_check_due) = (Health::Unknown, 0, true);
    }
    again(cloud, task, container, Duration::from_secs(plan.interval));
}

fn again(cloud: &mut Cloud, task: &str, container: &str, time: Duration) {
    let event = TaskEvent::Check { task: task.to_owned(), container: container.to_owned() };
    cloud.after(time, Event::Task(event));
}

/// Asks; the answer comes when it takes the time it takes.
pub(super) fn check(cloud: &mut Cloud, task: &str, container: &str) {
    let found = cloud.tasks.get(task).and_then(|it| it.plan.container(container)).and_then(|it| it.health.clone());
    let Some(plan) = found else { return };
    if run::of(cloud, task, container).is_none() {
        return;
    }
    let argv: Vec<String> = match plan.command.split_first() {
        Some((first, rest)) if first == "CMD" => rest.to_vec(),
        Some((first, rest)) if first == "CMD-SHELL" => {
            vec!["/bin/sh".to_owned(), "-c".to_owned(), rest.join(" ")]
        }
        _ => plan.command.clone(),
    };
    let timeout = Duration::from_secs(plan.timeout);
    cloud.tasks.went_out = false;
    let ran = exec::run_inside(cloud, task, container, &argv);
    let stays_inside = !cloud.tasks.went_out;
    let is_well = ran.exit == 0 && ran.took <= timeout;
    let event = TaskEvent::Checked { task: task.to_owned(), container: container.to_owned(), is_well, stays_inside };
    cloud.after(ran.took.min(timeout), Event::Task(event));
}

/// The answer is there.
pub(super) fn checked(cloud: &mut Cloud, task: &str, container: &str, is_well: bool, stays_inside: bool) {
    let now = cloud.now();
    let Some(found) = cloud.tasks.get_mut(task) else { return };
    let Some(plan) = found.plan.container(container).and_then(|plan| plan.health.clone()) else { return };
    let Some(held) = found.container_mut(container) else { return };
    let Some(run) = &held.run else { return };
    let is_starting = now - run.started < Duration::from_secs(plan.start_period) && held.health == Health::Unknown;
    let before = held.health;
    if is_well {
        (held.failures, held.health) = (0, Health::Healthy);
    } else if !is_starting {
        held.failures += 1;
        if held.failures >= plan.retries {
            held.health = Health::Unhealthy;
        }
    }
    // A check that went well inside a task that nobody asks anything goes well for ever.
    let sleeps = is_well && stays_inside;
    held.is_check_due = !sleeps;
    let is_changed = held.health != before;
    if !sleeps {
        again(cloud, task, container, Duration::from_secs(plan.interval));
    }
    if is_changed {
        life::health_changed(cloud, task);
    }
}

/// Something happened inside the task: sleeping checks wake.
pub(super) fn stir(cloud: &mut Cloud, task: &str) {
    let Some(found) = cloud.tasks.get_mut(task) else { return };
    let mut due = Vec::new();
    for plan in &found.plan.clone().containers {
        let Some(health) = &plan.health else { continue };
        if let Some(held) = found.container_mut(&plan.name).filter(|held| held.run.is_some() && !held.is_check_due) {
            held.is_check_due = true;
            due.push((plan.name.clone(), health.interval));
        }
    }
    for (container, interval) in due {
        again(cloud, task, &container, Duration::from_secs(interval));
    }
}
