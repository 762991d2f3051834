//! The job controller: pods until enough of them have succeeded, or too many failed (`pkg/controller/job`).
//!
//! `sync` is one look at a Job; `pods` makes and deletes pods, `indexes` numbers them, `per_index` lets each number fail for itself, `back_off` says how long a failure holds up the
//! next pod, `failure_policy` what a failure means, `verdict` when a Job is over, `tally` counts ended pods with the help of a finalizer,
//! `orphans` takes that finalizer off pods that no Job counts any more.

mod back_off;
mod conditions;
mod failure_policy;
mod indexes;
mod orphans;
mod per_index;
mod pods;
mod sync;
mod tally;
mod verdict;

use std::{sync::Arc, time::Duration};

use breakfix_sim::{Key, StoreEvent, StoreEventKind};
use serde_json::Value;

pub use back_off::BackOffs;
pub use conditions::{finished, is_finished};
pub use orphans::CONTROLLER as ORPHANS;

use super::{
    Controller,
    pod_control::{self, Keeper},
    pod_state,
    queue::enqueue,
};
use crate::{
    Cluster, Status, kind,
    object::{is_deleting, text, truth},
};

pub const CONTROLLER: Controller = Controller { name: NAME, told, reconcile };

const NAME: &str = "job";
const LAG: Duration = Duration::from_millis(8);
/// `SyncJobBatchPeriod`: what pods do is looked at together.
const BATCH: Duration = Duration::from_secs(1);
/// The finalizer of pods that are not counted yet.
const TRACKING: &str = "batch.kubernetes.io/job-tracking";
static KEEPER: Keeper = Keeper { kind: &kind::JOB, component: "job-controller", account: "job-controller" };

fn told(cluster: &mut Cluster, event: &StoreEvent) {
    match &*event.key.collection {
        "jobs.batch" => {
            let generation = |job: &Value| job["metadata"]["generation"].clone();
            let is_status = event.kind == StoreEventKind::Modified
                && event.before.as_ref().is_some_and(|before| generation(before) == generation(&event.object));
            enqueue(cluster, NAME, &event.key, if is_status { BATCH } else { LAG });
        }
        "pods" => {
            for job in pod_control::owners_concerned(cluster, event, &kind::JOB) {
                enqueue(cluster, NAME, &job, BATCH);
            }
        }
        _ => {}
    }
}

fn reconcile(cluster: &mut Cluster, key: &Key) -> Result<(), Status> {
    match cluster.store.get(key).cloned() {
        // Without a selector no pod could be told to be its own; the API gives every Job one.
        Some(job) if job.pointer("/spec/selector").is_none() => Ok(()),
        Some(job) if !is_finished(&job) => sync::sync(cluster, key, &job),
        _ => {
            cluster.controllers.jobs.forget(key);
            Ok(())
        }
    }
}

fn is_suspended(job: &Value) -> bool {
    truth(job, "/spec/suspend")
}

fn is_indexed(job: &Value) -> bool {
    text(job, "/spec/completionMode") == "Indexed"
}

/// Whether a pod is replaced only when it has ended, not when it begins to.
fn waits_for_the_end(job: &Value) -> bool {
    text(job, "/spec/podReplacementPolicy") == "Failed"
}

/// Whether a pod counts as failed: one that is being deleted does too, unless the Job waits for its end.
fn has_failed(job: &Value, pod: &Value) -> bool {
    match text(pod, "/status/phase") {
        "Failed" => true,
        "Succeeded" => false,
        _ => is_deleting(pod) && !waits_for_the_end(job),
    }
}

fn has_succeeded(pod: &Value) -> bool {
    text(pod, "/status/phase") == "Succeeded"
}

fn is_tracked(pod: &Value) -> bool {
    pod_control::has_finalizer(pod, TRACKING)
}

fn active(pods: &[Arc<Value>]) -> Vec<Arc<Value>> {
    pods.iter().filter(|pod| pod_state::is_active(pod)).cloned().collect()
}
