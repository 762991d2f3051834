//! Counting pods that ended, each once (`trackJobStatusAndRemoveFinalizers`).
//!
//! A pod's uid is written into the status, then its finalizer goes, then the number grows: whatever is cut short in between can be told
//! from what is left.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Value, json};

use super::{
    KEEPER, TRACKING,
    conditions::{self, Condition, holding},
    failure_policy::{Meaning, meaning},
    has_failed, has_succeeded, indexes, is_indexed, is_tracked,
};
use crate::{
    Cluster, Status,
    api::verbs::Part,
    controllers::{
        events::{self, Note},
        pod_control,
    },
    kind,
    object::{entries, is_deleting, name, namespace, number, set, uid, unset},
};

/// What a look at the Job came to.
pub(super) struct Outcome {
    /// The status as it is to be written.
    pub(super) status: Value,
    /// Whether it differs from what is written.
    pub(super) changed: bool,
    pub(super) over: Option<Condition>,
    pub(super) terminating: i64,
    pub(super) record: super::back_off::Record,
    /// Failed pods that are kept until their successors carry their count.
    pub(super) held: super::per_index::Held,
}

/// `MaxUncountedPods`.
const UNCOUNTED_MAX: usize = 500;

/// Counts, and writes the status once or twice.
pub(super) fn count(
    cluster: &mut Cluster,
    key: &breakfix_sim::Key,
    job: &Value,
    pods: &[Arc<Value>],
    outcome: Outcome,
) -> Result<(), Status> {
    let Outcome { mut status, mut changed, mut over, terminating, record, held } = outcome;
    let mut tracked: BTreeSet<String> =
        pods.iter().filter(|pod| is_tracked(pod)).map(|pod| uid(pod).to_owned()).collect();
    changed |= settle(&mut status, &tracked);
    // One that is kept for its count may go when the whole Job is over.
    let is_kept = |pod: &Value| over.is_none() && !is_deleting(job) && held.values().any(|kept| uid(kept) == uid(pod));
    let loose: Vec<Arc<Value>> = pods.iter().filter(|pod| !is_kept(pod)).cloned().collect();
    let ended = ended(job, &loose, over.as_ref(), &mut status, &mut changed);
    if let Some(interim) = over.clone().filter(|over| matches!(over.name, "FailureTarget" | "SuccessCriteriaMet")) {
        if holding(&status, interim.name).is_none() {
            changed |= conditions::ensure(&mut status, &interim, true, &cluster.today());
        }
        let last = if interim.name == "FailureTarget" { "Failed" } else { "Complete" };
        over = Some(interim.as_named(last));
    }
    if changed {
        write(cluster, job, &status)?;
        cluster.controllers.jobs.keep(key, record);
        changed = false;
    }
    for pod in &ended {
        pod_control::drop_finalizer(cluster, pod, TRACKING, &KEEPER.actor())?;
        tracked.remove(uid(pod));
    }
    changed |= settle(&mut status, &tracked);
    let uncounted = ["/uncountedTerminatedPods/succeeded", "/uncountedTerminatedPods/failed"];
    let all_counted = uncounted.iter().all(|list| entries(&status, list).is_empty());
    let over = over.filter(|_| all_counted && terminating == 0);
    if let Some(over) = &over {
        let today = cluster.today();
        changed |= conditions::ensure(&mut status, over, true, &today);
        if over.name == "Complete" {
            set(&mut status, "/completionTime", json!(today));
        }
    }
    if changed {
        write(cluster, job, &status)?;
    }
    if let Some(over) = over {
        announce(cluster, job, &status, &over);
    }
    Ok(())
}

fn announce(cluster: &mut Cluster, job: &Value, status: &Value, over: &Condition) {
    if over.name != "Complete" {
        events::record(cluster, KEEPER.component, job, Note::warning(&over.reason, &over.message));
        return;
    }
    if number(job, "/spec/completions").is_some_and(|wanted| number(status, "/succeeded").unwrap_or(0) > wanted) {
        let words = "Too many succeeded pods running after completion count reached";
        events::record(cluster, KEEPER.component, job, Note::warning("TooManySucceededPods", words));
    }
    events::record(cluster, KEEPER.component, job, Note::normal("Completed", "Job completed"));
}

/// The pods whose finalizer may go; those to be counted are written down.
fn ended(
    job: &Value,
    pods: &[Arc<Value>],
    over: Option<&Condition>,
    status: &mut Value,
    changed: &mut bool,
) -> Vec<Arc<Value>> {
    let listed = |status: &Value, list: &str, pod: &Value| {
        entries(status, &format!("/uncountedTerminatedPods/{list}")).iter().any(|known| known == uid(pod))
    };
    let has_failed_as_whole = over.is_some_and(|over| !matches!(over.name, "SuccessCriteriaMet" | "Complete"));
    let mut ended = Vec::new();
    let (before, mut succeeded) = (indexes::succeeded(job, &[]).0, indexes::Indexes::new());
    for pod in pods.iter().filter(|pod| is_tracked(pod)) {
        let failed = has_failed(job, pod);
        if !(is_deleting(job) || over.is_some() || has_succeeded(pod) || failed) {
            continue;
        }
        ended.push(Arc::clone(pod));
        let index = indexes::of(job, pod);
        if has_succeeded(pod) && !listed(status, "failed", pod) {
            if is_indexed(job) {
                succeeded.extend(index);
            } else if !listed(status, "succeeded", pod) {
                note(status, "succeeded", pod);
                *changed = true;
            }
        } else if (failed || has_failed_as_whole)
            && !listed(status, "failed", pod)
            && (!is_indexed(job) || index.is_some())
            && meaning(job, pod) != Meaning::Ignored
        {
            note(status, "failed", pod);
            *changed = true;
        }
        if ended.len() >= UNCOUNTED_MAX {
            break;
        }
    }
    if is_indexed(job) {
        let all: indexes::Indexes = before.into_iter().chain(succeeded).collect();
        let written = indexes::write(&all);
        if written != crate::object::text(status, "/completedIndexes") {
            *changed = true;
            set(status, "/completedIndexes", json!(written));
        }
        put(status, "succeeded", i64::try_from(all.len()).unwrap_or(0));
    }
    ended
}

fn note(status: &mut Value, list: &str, pod: &Value) {
    let pointer = format!("/uncountedTerminatedPods/{list}");
    let mut uids = entries(status, &pointer).to_vec();
    uids.push(json!(uid(pod)));
    set(status, &pointer, Value::Array(uids));
}

/// Moves those without a finalizer from the lists into the numbers (`cleanUncountedPodsWithoutFinalizers`).
fn settle(status: &mut Value, tracked: &BTreeSet<String>) -> bool {
    let mut changed = false;
    for list in ["succeeded", "failed"] {
        let pointer = format!("/uncountedTerminatedPods/{list}");
        let uids = entries(status, &pointer).to_vec();
        let left: Vec<Value> =
            uids.iter().filter(|uid| uid.as_str().is_some_and(|uid| tracked.contains(uid))).cloned().collect();
        if left.len() == uids.len() {
            continue;
        }
        changed = true;
        let counted = i64::try_from(uids.len() - left.len()).unwrap_or(0);
        let sum = number(status, &format!("/{list}")).unwrap_or(0) + counted;
        put(status, list, sum);
        if left.is_empty() {
            unset(status, &pointer);
        } else {
            set(status, &pointer, Value::Array(left));
        }
    }
    changed
}

/// A number that is left out at zero.
pub(super) fn put(status: &mut Value, field: &str, count: i64) {
    if count == 0 {
        unset(status, &format!("/{field}"));
    } else {
        set(status, &format!("/{field}"), json!(count));
    }
}

fn write(cluster: &mut Cluster, job: &Value, status: &Value) -> Result<(), Status> {
    let own = uid(job).to_owned();
    cluster.update(&kind::JOB, namespace(job), name(job), Part::Status, &KEEPER.actor(), |object| {
        if uid(object) == own {
            set(object, "/status", status.clone());
        }
    })?;
    Ok(())
}
