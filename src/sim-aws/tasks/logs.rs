//! The log driver `awslogs`: lines of containers, on their way to CloudWatch Logs.

use std::time::Duration;

use breakfix_sim::SimTime;
use serde_json::{Value, json};

use super::{TaskEvent, resources};
use crate::{
    Call, Cloud,
    event::Event,
    network::{AwsService, Destination},
};

/// How long lines are gathered before they are sent.
const BATCH: Duration = Duration::from_secs(2);

/// A container's program prints a line. Without the driver `awslogs` nobody sees it.
pub(super) fn print(cloud: &mut Cloud, task: &str, container: &str, at: SimTime, line: &str) {
    let Some(found) = cloud.tasks.get_mut(task) else { return };
    let is_sent =
        found.plan.container(container).and_then(|plan| plan.log.as_ref()).is_some_and(|it| it.driver == "awslogs");
    let Some(held) = found.container_mut(container).filter(|_| is_sent) else { return };
    held.unsent.push((at, line.to_owned()));
    if !held.is_flush_due {
        held.is_flush_due = true;
        let event = TaskEvent::Flush { task: task.to_owned(), container: container.to_owned() };
        cloud.after(BATCH, Event::Task(event));
    }
}

/// The stream of a container: `prefix/container/task-id`; without a prefix (on instances only) the runtime's id.
pub(super) fn stream(cloud: &Cloud, task: &str, container: &str) -> Option<(String, String)> {
    let found = cloud.tasks.get(task)?;
    let log = found.plan.container(container)?.log.as_ref()?;
    let group = log.option("awslogs-group")?.to_owned();
    Some(match log.option("awslogs-stream-prefix") {
        Some(prefix) => (group, format!("{prefix}/{container}/{task}")),
        None => {
            (group, found.container(container)?.runtime_id.clone().unwrap_or_else(|| format!("{task}-{container}")))
        }
    })
}

/// Sends what has been printed up to now. The driver does not block: what cannot be sent is lost.
pub(super) fn flush(cloud: &mut Cloud, task: &str, container: &str) {
    let now = cloud.now();
    let Some(held) = cloud.tasks.get_mut(task).and_then(|task| task.container_mut(container)) else { return };
    let lines = std::mem::take(&mut held.unsent);
    held.is_flush_due = false;
    let ended = held.run.is_none();
    let (due, later): (Vec<_>, Vec<_>) = lines.into_iter().partition(|(at, _)| ended || *at <= now);
    if !later.is_empty() {
        let time = later.iter().map(|(at, _)| *at - now).max().unwrap_or(BATCH);
        held.unsent = later;
        held.is_flush_due = true;
        let event = TaskEvent::Flush { task: task.to_owned(), container: container.to_owned() };
        cloud.after(time, Event::Task(event));
    }
    if due.is_empty() {
        return;
    }
    let Some((group, stream)) = stream(cloud, task, container) else { return };
    let is_open = resources::reaches(cloud, task, &Destination::Service(AwsService::Logs));
    let Some(caller) = resources::agent(cloud, task).filter(|_| is_open) else { return };
    let events: Vec<Value> = due
        .iter()
        .map(|(at, line)| json!({"timestamp": cloud.clock.date((*at).min(now)).as_millisecond(), "message": line}))
        .collect();
    let input = json!({"logGroupName": group, "logStreamName": stream, "logEvents": events});
    let call = Call { service: "logs".to_owned(), operation: "PutLogEvents".to_owned(), input, caller };
    // Refused or not: the driver goes on.
    let _ = cloud.call(&call);
}
