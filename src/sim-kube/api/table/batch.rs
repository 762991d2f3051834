//! Jobs and CronJobs.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    AGE, Layout, NAME, age,
    age::{human, since},
    column, integer, name, or_none, wide,
    workload::template,
};
use crate::object::{entries, is_deleting, number, text, truth};

pub static JOB: Layout = Layout {
    columns: &[
        NAME,
        column("Status", "Status of the job."),
        column("Completions", "How many pods have ended well, of how many."),
        column("Duration", "Time required to complete the job."),
        AGE,
        wide("Containers", "Names of each container in the template."),
        wide("Images", "Images referenced by each container in the template."),
        wide("Selector", "The labels by which the job finds its pods."),
    ],
    cells: job,
};

pub static CRON_JOB: Layout = Layout {
    columns: &[
        NAME,
        column("Schedule", "When jobs are made, in Cron format."),
        column("Timezone", "The time zone of the schedule."),
        column("Suspend", "Whether no further jobs are made."),
        integer("Active", "The number of jobs that run."),
        column("Last Schedule", "The time since a job was made last."),
        AGE,
        wide("Containers", "Names of each container in the template."),
        wide("Images", "Images referenced by each container in the template."),
        wide("Selector", "The labels by which jobs find their pods."),
    ],
    cells: cron_job,
};

fn job(object: &Value, now: Timestamp) -> Vec<Value> {
    let succeeded = number(object, "/status/succeeded").unwrap_or(0);
    let completions = match (number(object, "/spec/completions"), number(object, "/spec/parallelism").unwrap_or(0)) {
        (Some(wanted), _) => format!("{succeeded}/{wanted}"),
        (None, many) if many > 1 => format!("{succeeded}/1 of {many}"),
        (None, _) => format!("{succeeded}/1"),
    };
    let time = |pointer: &str| text(object, pointer).parse::<Timestamp>().ok();
    let duration = time("/status/startTime")
        .map(|start| human(time("/status/completionTime").unwrap_or(now).duration_since(start).as_secs()));
    let holds = |kind: &str| {
        entries(object, "/status/conditions")
            .iter()
            .any(|condition| text(condition, "/type") == kind && text(condition, "/status") == "True")
    };
    let status = if holds("Complete") {
        "Complete"
    } else if holds("Failed") {
        "Failed"
    } else if is_deleting(object) {
        "Terminating"
    } else if holds("Suspended") {
        "Suspended"
    } else if holds("FailureTarget") {
        "FailureTarget"
    } else if holds("SuccessCriteriaMet") {
        "SuccessCriteriaMet"
    } else {
        "Running"
    };
    let mut cells =
        vec![name(object), json!(status), json!(completions), json!(duration.unwrap_or_default()), age(object, now)];
    cells.extend(template(object, "/spec"));
    cells
}

fn cron_job(object: &Value, now: Timestamp) -> Vec<Value> {
    let last = match text(object, "/status/lastScheduleTime") {
        "" => "<none>".to_owned(),
        last => since(last, now),
    };
    let suspend = match object.pointer("/spec/suspend") {
        Some(Value::Bool(_)) if truth(object, "/spec/suspend") => "True",
        Some(Value::Bool(_)) => "False",
        _ => "<unset>",
    };
    let mut cells = vec![
        name(object),
        json!(text(object, "/spec/schedule")),
        or_none(text(object, "/spec/timeZone")),
        json!(suspend),
        json!(entries(object, "/status/active").len()),
        json!(last),
        age(object, now),
    ];
    cells.extend(template(object, "/spec/jobTemplate/spec"));
    cells
}
