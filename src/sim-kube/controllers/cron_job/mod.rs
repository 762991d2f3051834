//! The cron job controller: Jobs at the times of a schedule (`pkg/controller/cronjob`).
//!
//! `times` finds the moment that is due, `jobs` makes and deletes Jobs, `clean_up` keeps the history short; here is one look at a CronJob.

mod clean_up;
mod jobs;
mod times;

use std::{sync::Arc, time::Duration};

use breakfix_sim::{Key, StoreEvent};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Controller,
    events::{self, Note},
    job, owner,
    queue::enqueue,
};
use crate::{
    Cluster, Status,
    api::verbs::Part,
    cron::{Schedule, Zone, zone},
    kind,
    object::{entries, is_deleting, name, namespace, number, set, text, truth, uid, unset},
};

pub const CONTROLLER: Controller = Controller { name: NAME, told, reconcile };

const NAME: &str = "cron-job";
const COMPONENT: &str = "cronjob-controller";
const LAG: Duration = Duration::from_millis(9);
/// `nextScheduleDelta`: a moment is looked at a little after it.
const AFTER: Duration = Duration::from_millis(100);

fn told(cluster: &mut Cluster, event: &StoreEvent) {
    match &*event.key.collection {
        "cronjobs.batch" => enqueue(cluster, NAME, &event.key, LAG),
        "jobs.batch" => {
            for cron in owner::controllers_concerned(event, &kind::CRON_JOB) {
                enqueue(cluster, NAME, &kind::CRON_JOB.key(&event.key.namespace, &cron), LAG);
            }
        }
        _ => {}
    }
}

/// A CronJob under one look: its status as it is to be written.
struct Look {
    cron: Arc<Value>,
    status: Value,
}

impl Look {
    fn note(&self, cluster: &mut Cluster, note: Note) {
        events::record(cluster, COMPONENT, &self.cron, note);
    }

    fn active(&self) -> &[Value] {
        entries(&self.status, "/active")
    }

    fn lists(&self, job_uid: &str) -> bool {
        self.active().iter().any(|reference| text(reference, "/uid") == job_uid)
    }

    fn strike(&mut self, job_uid: &str) {
        let mut active = self.active().to_vec();
        active.retain(|reference| text(reference, "/uid") != job_uid);
        self.put_active(active);
    }

    fn put_active(&mut self, active: Vec<Value>) {
        if active.is_empty() {
            unset(&mut self.status, "/active");
        } else {
            set(&mut self.status, "/active", Value::Array(active));
        }
    }
}

/// `sync`.
fn reconcile(cluster: &mut Cluster, key: &Key) -> Result<(), Status> {
    let Some(cron) = cluster.store.get(key).cloned() else { return Ok(()) };
    let status = cron.get("status").filter(|status| status.is_object()).cloned().unwrap_or_else(|| json!({}));
    let mut look = Look { cron, status };
    let own = jobs::of(cluster, &look.cron);
    let next = sync(cluster, &mut look, &own);
    clean_up::clean_up(cluster, &mut look, &own);
    if look.cron.get("status") != Some(&look.status) {
        let status = look.status.clone();
        let by = jobs::actor();
        cluster.update(&kind::CRON_JOB, &key.namespace, &key.name, Part::Status, &by, |cron| {
            set(cron, "/status", status);
        })?;
    }
    if let Some(next) = next? {
        enqueue(cluster, NAME, key, next);
    }
    Ok(())
}

/// `syncCronJob`: how long until the next look.
fn sync(cluster: &mut Cluster, look: &mut Look, own: &[Arc<Value>]) -> Result<Option<Duration>, Status> {
    account(cluster, look, own);
    if is_deleting(&look.cron) {
        return Ok(None);
    }
    let zone_name = text(&look.cron, "/spec/timeZone").to_owned();
    let zone = match zone(&zone_name) {
        Zone::Known(zone) => zone,
        Zone::Unknown(why) => {
            look.note(cluster, Note::warning("UnknownTimeZone", &format!("invalid timeZone: {zone_name:?}: {why}")));
            return Ok(None);
        }
    };
    if truth(&look.cron, "/spec/suspend") {
        return Ok(None);
    }
    let words = text(&look.cron, "/spec/schedule").to_owned();
    if words.contains("TZ") {
        let message = format!(
            "CRON_TZ or TZ used in schedule {words:?} is not officially supported, see \
             https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details"
        );
        look.note(cluster, Note::warning("UnsupportedSchedule", &message));
    }
    let schedule = match Schedule::parse(&words) {
        Ok(schedule) => schedule,
        Err(why) => {
            let message = format!("unparseable schedule: {words:?} : {why}");
            look.note(cluster, Note::warning("UnparseableSchedule", &message));
            return Ok(None);
        }
    };
    let now = cluster.clock.today();
    let due = times::due(&look.cron, &look.status, &schedule, &zone, now);
    if due.missed_many {
        let message = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew";
        look.note(cluster, Note::warning("TooManyMissedTimes", message));
    }
    let next = due.next.map(|next| times::until(next, now) + AFTER);
    let Some(moment) = due.moment else { return Ok(next) };
    start(cluster, look, moment, &zone)?;
    Ok(next)
}

/// Starts the Job of a moment, unless something speaks against it.
fn start(cluster: &mut Cluster, look: &mut Look, moment: Timestamp, zone: &jiff::tz::TimeZone) -> Result<(), Status> {
    let now = cluster.clock.today();
    let late = number(&look.cron, "/spec/startingDeadlineSeconds")
        .is_some_and(|seconds| moment.as_second().saturating_add(seconds) < now.as_second());
    if late {
        let when = moment.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string();
        let message = format!("Missed scheduled time to start a job: {when}");
        look.note(cluster, Note::warning("MissSchedule", &message));
        return Ok(());
    }
    let job_name = jobs::job_name(&look.cron, moment);
    let is_known = look.active().iter().any(|reference| text(reference, "/name") == job_name)
        || text(&look.status, "/lastScheduleTime") == crate::date::seconds(moment);
    if is_known {
        return Ok(());
    }
    match text(&look.cron, "/spec/concurrencyPolicy") {
        "Forbid" if !look.active().is_empty() => {
            let message = "Not starting job because prior execution is running and concurrency policy is Forbid";
            look.note(cluster, Note::normal("JobAlreadyActive", message));
            return Ok(());
        }
        "Replace" => {
            for reference in look.active().to_vec() {
                let key = kind::JOB.key(namespace(&look.cron), text(&reference, "/name"));
                match cluster.store.get(&key).cloned() {
                    Some(old) => jobs::delete(cluster, look, &old)?,
                    None => look.strike(text(&reference, "/uid")),
                }
            }
        }
        _ => {}
    }
    jobs::create(cluster, look, moment, zone)
}

/// Compares the list of active Jobs with those there are.
fn account(cluster: &mut Cluster, look: &mut Look, own: &[Arc<Value>]) {
    for job in own {
        let is_listed = look.lists(uid(job));
        let end = job::finished(job).map(|condition| text(condition, "/type").to_owned());
        match (&end, is_listed) {
            (None, false) => {
                let message = format!("Saw a job that the controller did not create or forgot: {}", name(job));
                look.note(cluster, Note::warning("UnexpectedJob", &message));
            }
            (Some(end), true) => {
                look.strike(uid(job));
                let message = format!("Saw completed job: {}, condition: {end}", name(job));
                look.note(cluster, Note::normal("SawCompletedJob", &message));
            }
            _ => {}
        }
        let done = text(job, "/status/completionTime");
        if end.as_deref() == Some("Complete") && text(&look.status, "/lastSuccessfulTime") < done {
            set(&mut look.status, "/lastSuccessfulTime", json!(done));
        }
    }
    for reference in look.active().to_vec() {
        if own.iter().any(|job| uid(job) == text(&reference, "/uid")) {
            continue;
        }
        let message = format!("Active job went missing: {}", text(&reference, "/name"));
        look.note(cluster, Note::normal("MissingJob", &message));
        look.strike(text(&reference, "/uid"));
    }
}
