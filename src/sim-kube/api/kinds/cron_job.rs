//! CronJobs (`pkg/apis/batch/v1/defaults.go`, `ValidateCronJob`).

use serde_json::{Value, json};

use super::{PLAIN, Rules, defaults::default, job, pod_spec};
use crate::{
    api::check::{At, Problems},
    cron::{self, Schedule, Zone},
    object::{number, set, text},
};

/// What a job's name has left after the eleven characters that the controller appends.
const NAME_MAX: usize = 52;

pub static RULES: Rules = Rules { defaults, create: |object| set(object, "/status", json!({})), validate, ..PLAIN };

/// The job in the template is not filled in before it is made; its pod is.
fn defaults(object: &mut Value) {
    default(object, "/spec/concurrencyPolicy", "Allow");
    default(object, "/spec/suspend", false);
    default(object, "/spec/successfulJobsHistoryLimit", 3);
    default(object, "/spec/failedJobsHistoryLimit", 1);
    if let Some(spec) = object.pointer_mut("/spec/jobTemplate/spec/template/spec") {
        pod_spec::defaults(spec);
    }
}

fn validate(object: &Value, problems: &mut Problems) {
    let name = text(object, "/metadata/name");
    if name.len() > NAME_MAX {
        problems.invalid(
            &At::new("metadata").child("name"),
            name,
            format!("must be no more than {NAME_MAX} characters"),
        );
    }
    let at = At::new("spec");
    schedule(object, &at, problems);
    for member in ["startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"] {
        problems.not_negative(&at.child(member), number(object, &format!("/spec/{member}")));
    }
    let policy = text(object, "/spec/concurrencyPolicy");
    if !["Allow", "Forbid", "Replace"].contains(&policy) {
        problems.not_supported(&at.child("concurrencyPolicy"), policy, &["Allow", "Forbid", "Replace"]);
    }
    let spec = object.pointer("/spec/jobTemplate/spec").unwrap_or(&Value::Null);
    let at = at.child("jobTemplate").child("spec");
    if spec.get("manualSelector").is_some_and(|manual| !manual.is_null()) {
        let given = spec.get("manualSelector").cloned().unwrap_or_default();
        problems.not_supported(&at.child("manualSelector"), &given.to_string(), &["nil"]);
    }
    job::validate_spec(spec, &at, problems);
}

fn schedule(object: &Value, at: &At, problems: &mut Problems) {
    let schedule = text(object, "/spec/schedule");
    let at_schedule = at.child("schedule");
    if schedule.is_empty() {
        problems.required(&at_schedule, "");
    } else if schedule.contains("TZ=") {
        problems.invalid(&at_schedule, schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
    } else if let Err(why) = Schedule::parse(schedule) {
        problems.invalid(&at_schedule, schedule, why);
    }
    let Some(zone) = object.pointer("/spec/timeZone").and_then(Value::as_str) else { return };
    let at = at.child("timeZone");
    if zone.is_empty() {
        problems.invalid(&at, zone, "timeZone must be nil or non-empty string");
    } else if zone.eq_ignore_ascii_case("local") {
        problems.invalid(
            &at,
            zone,
            "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones",
        );
    } else if let Zone::Unknown(why) = cron::zone(zone) {
        problems.invalid(&at, zone, why);
    }
}
