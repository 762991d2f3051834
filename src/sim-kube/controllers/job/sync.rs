//! One look at a Job (`syncJob`).

use std::sync::Arc;

use breakfix_sim::Key;
use serde_json::{Value, json};

use super::{
    KEEPER, NAME, active,
    conditions::{self, Condition},
    failure_policy::{Meaning, meaning},
    has_failed, has_succeeded, indexes, is_indexed, is_suspended, is_tracked, per_index,
    pods::{self, Counts},
    tally, verdict,
};
use crate::{
    Cluster, Status,
    controllers::{
        events::{self, Note},
        owner, pod_state,
        queue::enqueue,
    },
    kind,
    object::{entries, is_deleting, number, set, text, uid},
};

pub(super) fn sync(cluster: &mut Cluster, key: &Key, job: &Arc<Value>) -> Result<(), Status> {
    let all = owner::claim(cluster, KEEPER.kind, job, &kind::POD, &KEEPER.actor(), |_| true)?;
    let today = cluster.clock.today();
    let mut status = job.get("status").filter(|status| status.is_object()).cloned().unwrap_or_else(|| json!({}));
    if status.get("uncountedTerminatedPods").is_none() {
        set(&mut status, "/uncountedTerminatedPods", json!({}));
    }
    if text(&status, "/startTime").is_empty() && !is_suspended(job) {
        set(&mut status, "/startTime", json!(crate::date::seconds(today)));
    }
    let new_succeeded = fresh(job, &all, &status, "succeeded", has_succeeded);
    let new_failed = fresh(job, &all, &status, "failed", |pod| has_failed(job, pod));
    let counting: Vec<_> = new_failed.iter().filter(|pod| meaning(job, pod) != Meaning::Ignored).collect();
    let (_, done) = indexes::succeeded(job, &all);
    let running = active(&all);
    let mut counts = Counts {
        active: count(&running),
        ready: count(&running.iter().filter(|pod| pod_state::is_ready(pod)).collect::<Vec<_>>()),
        terminating: count(&all.iter().filter(|pod| pod_state::is_terminating(pod)).collect::<Vec<_>>()),
        succeeded: if is_indexed(job) {
            count(&done.iter().collect::<Vec<_>>())
        } else {
            total(&status, "succeeded") + count(&new_succeeded)
        },
    };
    let record = cluster.controllers.jobs.with(key, &new_succeeded, &new_failed, (cluster.now(), today));
    let failed = total(&status, "failed") + count(&counting);
    let failed_indexes = per_index::failed(job, &all);
    let held = per_index::held(job, &all, &running, &done, &failed_indexes);
    let facts = verdict::Facts {
        job,
        status: &status,
        pods: &all,
        failed,
        done: &done,
        failed_indexes: &failed_indexes,
        today,
    };
    let mut over = verdict::over(&facts);
    if let Some(left) = verdict::deadline(&facts).filter(|_| over.is_none()) {
        enqueue(cluster, NAME, key, left);
    }
    let mut changed = false;
    let managed = if over.is_some() {
        let gone = pods::delete(cluster, job, &running, false, &mut counts);
        if counts.active != 0 {
            // Something could not be deleted: not over yet.
            over = None;
        }
        gone
    } else if is_deleting(job) {
        Ok(())
    } else {
        let places = pods::Places { over: &done.union(&failed_indexes).copied().collect(), held: &held };
        let managed = pods::manage(cluster, key, job, &running, &places, &record, &mut counts);
        if is_complete(job, &counts) {
            over = Some(verdict::complete());
        } else {
            changed |= suspension(cluster, job, &mut status);
        }
        managed
    };
    changed |= total_of(&status, "active") != counts.active
        || number(&status, "/ready") != Some(counts.ready)
        || number(&status, "/terminating") != Some(counts.terminating);
    tally::put(&mut status, "active", counts.active);
    set(&mut status, "/ready", json!(counts.ready));
    set(&mut status, "/terminating", json!(counts.terminating));
    if per_index::limit(job).is_some() {
        let written = indexes::write(&failed_indexes);
        changed |= status.get("failedIndexes") != Some(&json!(written));
        set(&mut status, "/failedIndexes", json!(written));
    }
    let outcome = tally::Outcome { status, changed, over, terminating: counts.terminating, record, held };
    tally::count(cluster, key, job, &all, outcome)?;
    managed
}

fn is_complete(job: &Value, counts: &Counts) -> bool {
    let enough = number(job, "/spec/completions").unwrap_or(1);
    counts.active == 0 && counts.succeeded >= enough
}

/// Says that the Job rests or goes on; whether that is new.
fn suspension(cluster: &mut Cluster, job: &Value, status: &mut Value) -> bool {
    let today = cluster.today();
    let rests = is_suspended(job);
    let (reason, message) = if rests { ("Suspended", "Job suspended") } else { ("Resumed", "Job resumed") };
    let condition = Condition::new("Suspended", &format!("Job{reason}"), message);
    if !conditions::ensure(status, &condition, rests, &today) {
        return false;
    }
    events::record(cluster, KEEPER.component, job, Note::normal(reason, message));
    if !rests {
        set(status, "/startTime", json!(today));
    }
    true
}

/// Pods that ended and are in no list or number yet.
fn fresh(
    job: &Value,
    pods: &[Arc<Value>],
    status: &Value,
    list: &str,
    ended: impl Fn(&Value) -> bool,
) -> Vec<Arc<Value>> {
    let known = entries(status, &format!("/uncountedTerminatedPods/{list}"));
    pods.iter()
        .filter(|pod| is_tracked(pod) && !known.iter().any(|known| known == uid(pod)))
        .filter(|pod| !is_indexed(job) || indexes::of(job, pod).is_some())
        .filter(|pod| ended(pod))
        .cloned()
        .collect()
}

fn count<T>(list: &[T]) -> i64 {
    i64::try_from(list.len()).unwrap_or(0)
}

fn total_of(status: &Value, field: &str) -> i64 {
    number(status, &format!("/{field}")).unwrap_or(0)
}

/// Counted and about to be.
fn total(status: &Value, field: &str) -> i64 {
    total_of(status, field) + count(entries(status, &format!("/uncountedTerminatedPods/{field}")))
}
