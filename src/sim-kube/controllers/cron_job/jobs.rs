//! The Jobs of a CronJob: made from its template, deleted when they are in the way.

use std::sync::Arc;

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use super::{Look, Note};
use crate::{
    Cluster, Status,
    api::verbs::{Actor, DeleteOptions},
    controllers::{
        owner,
        pod_control::{self, is_namespace_terminating},
    },
    kind,
    object::{name, namespace, set, text, uid},
};

const MOMENT: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";

pub(super) fn actor() -> Actor {
    pod_control::actor("cronjob-controller")
}

/// The Jobs that a CronJob controls.
pub(super) fn of(cluster: &Cluster, cron: &Value) -> Vec<Arc<Value>> {
    cluster.list(&kind::JOB, Some(namespace(cron))).filter(|job| owner::controls(cron, job)).cloned().collect()
}

/// `tick-29921005`: the minute of the moment.
pub(super) fn job_name(cron: &Value, moment: Timestamp) -> String {
    format!("{}-{}", name(cron), moment.as_second().div_euclid(60))
}

/// Makes the Job of a moment, and lists it.
pub(super) fn create(cluster: &mut Cluster, look: &mut Look, moment: Timestamp, zone: &TimeZone) -> Result<(), Status> {
    let template = &look.cron["spec"]["jobTemplate"];
    let job = job_name(&look.cron, moment);
    let space = namespace(&look.cron).to_owned();
    let mut annotations = template["metadata"]["annotations"].as_object().cloned().unwrap_or_default();
    annotations.insert(MOMENT.to_owned(), json!(moment_text(moment, zone)));
    let mut metadata = json!({
        "name": job,
        "namespace": space,
        "annotations": annotations,
        "ownerReferences": [owner::reference(&kind::CRON_JOB, &look.cron)],
    });
    if let Some(labels) = template["metadata"].get("labels").filter(|labels| labels.is_object()) {
        metadata["labels"] = labels.clone();
    }
    let body = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": template["spec"]});
    let made = match cluster.create(&kind::JOB, &space, body, &actor()) {
        Ok(made) => made,
        Err(status) if is_namespace_terminating(&status) => return Ok(()),
        Err(status) if status.reason == "AlreadyExists" => {
            let ours = cluster.store.get(&kind::JOB.key(&space, &job)).cloned();
            match ours.filter(|job| owner::controls(&look.cron, job)) {
                Some(ours) => Value::clone(&ours),
                None => return refuse(cluster, look, status),
            }
        }
        Err(status) => return refuse(cluster, look, status),
    };
    look.note(cluster, Note::normal("SuccessfulCreate", &format!("Created job {job}")));
    let mut active = look.active().to_vec();
    active.push(json!({
        "kind": "Job",
        "namespace": space,
        "name": job,
        "uid": uid(&made),
        "apiVersion": "batch/v1",
        "resourceVersion": text(&made, "/metadata/resourceVersion"),
    }));
    look.put_active(active);
    set(&mut look.status, "/lastScheduleTime", json!(crate::date::seconds(moment)));
    Ok(())
}

fn refuse(cluster: &mut Cluster, look: &Look, status: Status) -> Result<(), Status> {
    look.note(cluster, Note::warning("FailedCreate", &format!("Error creating job: {status}")));
    Err(status)
}

/// RFC 3339 in the CronJob's zone.
fn moment_text(moment: Timestamp, zone: &TimeZone) -> String {
    let zoned = moment.to_zoned(zone.clone());
    if zoned.offset().is_zero() {
        return crate::date::seconds(moment);
    }
    zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// Deletes a Job and strikes it off the list.
pub(super) fn delete(cluster: &mut Cluster, look: &mut Look, job: &Value) -> Result<(), Status> {
    let options = DeleteOptions { propagation: Some("Background".to_owned()), ..DeleteOptions::default() };
    match cluster.delete(&kind::JOB, namespace(job), name(job), &options, &actor()) {
        Err(status) if status.code != 404 => {
            look.note(cluster, Note::warning("FailedDelete", &format!("Deleted job: {status}")));
            return Err(status);
        }
        _ => {}
    }
    look.strike(uid(job));
    look.note(cluster, Note::normal("SuccessfulDelete", &format!("Deleted job {}", name(job))));
    Ok(())
}
