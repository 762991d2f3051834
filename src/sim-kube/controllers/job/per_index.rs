//! `backoffLimitPerIndex`: each number of an Indexed Job fails for itself (`backoff_utils.go`, `indexed_job_utils.go`).
//!
//! How often a number has failed is written on its pods. The last one that failed keeps its finalizer until its successor carries the count.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use breakfix_sim::SimTime;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    back_off,
    failure_policy::{Meaning, meaning},
    has_failed,
    indexes::{self, Indexes},
    is_indexed, is_tracked,
};
use crate::{
    controllers::pod_control::annotation,
    object::{number, set, text},
};

const FAILURES: &str = "batch.kubernetes.io/job-index-failure-count";
const IGNORED: &str = "batch.kubernetes.io/job-index-ignored-failure-count";

/// How often a number may fail; nothing where numbers do not fail for themselves.
pub(super) fn limit(job: &Value) -> Option<i64> {
    number(job, "/spec/backoffLimitPerIndex").filter(|_| is_indexed(job))
}

fn count(pod: &Value, of: &str) -> i64 {
    annotation(pod, of).parse().unwrap_or(0)
}

/// The numbers that have failed: those written down, and those whose pods say so now.
pub(super) fn failed(job: &Value, pods: &[Arc<Value>]) -> Indexes {
    let Some(limit) = limit(job) else { return Indexes::new() };
    let mut failed = indexes::read(text(job, "/status/failedIndexes"), indexes::completions(job));
    let over = |pod: &&Arc<Value>| {
        is_tracked(pod)
            && has_failed(job, pod)
            && match meaning(job, pod) {
                Meaning::Index => true,
                Meaning::Ignored => false,
                _ => count(pod, FAILURES) >= limit,
            }
    };
    failed.extend(pods.iter().filter(over).filter_map(|pod| indexes::of(job, pod)));
    failed
}

/// Pods that failed and whose successor is yet to come, by number.
pub(super) type Held = BTreeMap<i64, Arc<Value>>;

pub(super) fn held(job: &Value, pods: &[Arc<Value>], active: &[Arc<Value>], done: &Indexes, failed: &Indexes) -> Held {
    let mut held = Held::new();
    if limit(job).is_none() {
        return held;
    }
    let total = |pod: &Value| count(pod, FAILURES) + count(pod, IGNORED);
    for pod in pods.iter().filter(|pod| is_tracked(pod) && has_failed(job, pod)) {
        let Some(index) = indexes::of(job, pod) else { continue };
        let is_replaced = active.iter().any(|other| indexes::of(job, other) == Some(index));
        if is_replaced || done.contains(&index) || failed.contains(&index) {
            continue;
        }
        if held.get(&index).is_none_or(|known| total(known) <= total(pod)) {
            held.insert(index, Arc::clone(pod));
        }
    }
    held
}

/// How long a number still has to wait for its next pod.
pub(super) fn left(held: &Held, index: i64, now: SimTime, today: Timestamp) -> Duration {
    let Some(pod) = held.get(&index) else { return Duration::ZERO };
    let failures = u32::try_from(count(pod, FAILURES) + count(pod, IGNORED) + 1).unwrap_or(u32::MAX);
    back_off::left_after(failures, back_off::moment_of_end(pod, now, today), now)
}

/// Writes on a number's new pod how often it has failed.
pub(super) fn stamp(job: &Value, pod: &mut Value, held: &Held, index: i64) {
    if limit(job).is_none() {
        return;
    }
    let before = held.get(&index);
    let (mut failures, mut ignored) = before.map_or((0, 0), |pod| (count(pod, FAILURES), count(pod, IGNORED)));
    match before.map(|pod| meaning(job, pod)) {
        None => {}
        Some(Meaning::Ignored) => ignored += 1,
        Some(_) => failures += 1,
    }
    let mut annotations = pod["metadata"]["annotations"].as_object().cloned().unwrap_or_default();
    annotations.insert(FAILURES.to_owned(), json!(failures.to_string()));
    if ignored > 0 {
        annotations.insert(IGNORED.to_owned(), json!(ignored.to_string()));
    }
    set(pod, "/metadata/annotations", Value::Object(annotations));
}
