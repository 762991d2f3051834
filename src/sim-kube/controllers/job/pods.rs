//! Making and deleting a Job's pods (`manageJob`, `deleteActivePods`).

use std::{collections::BTreeSet, sync::Arc};

use breakfix_sim::Key;
use serde_json::{Value, json};

use super::{
    KEEPER, NAME, TRACKING, back_off::Record, indexes, is_indexed, is_suspended, per_index, waits_for_the_end,
};
use crate::{
    Cluster, Status,
    controllers::{pod_control, pod_state, queue::enqueue},
    object::{entries, name, number, set, text},
};

/// `MaxPodCreateDeletePerSync`.
const BURST: usize = 500;

/// How many pods there are of which sort, as a step changes it.
pub(super) struct Counts {
    pub(super) active: i64,
    pub(super) ready: i64,
    pub(super) terminating: i64,
    pub(super) succeeded: i64,
}

/// What an Indexed Job knows of its numbers.
pub(super) struct Places<'a> {
    /// Those that succeeded or failed for good.
    pub(super) over: &'a indexes::Indexes,
    pub(super) held: &'a per_index::Held,
}

/// Deletes these pods, with their finalizers left on or not; counts what went.
pub(super) fn delete(
    cluster: &mut Cluster,
    job: &Value,
    pods: &[Arc<Value>],
    counted: bool,
    counts: &mut Counts,
) -> Result<(), Status> {
    let mut outcome = Ok(());
    for pod in pods {
        let freed = if counted { pod_control::drop_finalizer(cluster, pod, TRACKING, &KEEPER.actor()) } else { Ok(()) };
        match freed.and_then(|()| KEEPER.delete(cluster, job, pod)) {
            Ok(()) => {
                counts.active -= 1;
                counts.terminating += 1;
                counts.ready -= i64::from(pod_state::is_ready(pod));
            }
            Err(status) => outcome = Err(status),
        }
    }
    outcome
}

/// `manageJob`: as many pods as are wanted now.
pub(super) fn manage(
    cluster: &mut Cluster,
    key: &Key,
    job: &Value,
    active: &[Arc<Value>],
    places: &Places<'_>,
    record: &Record,
    counts: &mut Counts,
) -> Result<(), Status> {
    if is_suspended(job) {
        return delete(cluster, job, active, true, counts);
    }
    let wanted = wanted(job, counts);
    let surplus = surplus(job, active, usize::try_from(counts.active - wanted).unwrap_or(0));
    if !surplus.is_empty() {
        return delete(cluster, job, surplus.get(..surplus.len().min(BURST)).unwrap_or(&[]), true, counts);
    }
    let going = if waits_for_the_end(job) { counts.terminating } else { 0 };
    let missing = usize::try_from(wanted - going - counts.active).unwrap_or(0).min(BURST);
    if missing == 0 {
        return Ok(());
    }
    let (now, today) = (cluster.now(), cluster.clock.today());
    let mut free = if is_indexed(job) { indexes::pending(job, places.over, active, missing) } else { Vec::new() };
    let left = match per_index::limit(job) {
        None => record.left(now),
        Some(_) => {
            // Those that need not wait begin; where all must, the shortest wait counts.
            let left = |index: &i64| per_index::left(places.held, *index, now, today);
            let shortest = free.iter().map(left).min().unwrap_or_default();
            free.retain(|index| left(index).is_zero());
            shortest
        }
    };
    if !left.is_zero() {
        enqueue(cluster, NAME, key, left);
        // What runs beside the one that waits is not counted until it is made, as in the real one.
        counts.active = 0;
        return Ok(());
    }
    let pods: Vec<Value> = if is_indexed(job) {
        free.into_iter().map(|index| numbered(job, places.held, index)).collect()
    } else {
        vec![pod(job); missing]
    };
    let (made, outcome) = KEEPER.create_all(cluster, job, pods);
    counts.active += i64::try_from(made).unwrap_or(0);
    outcome
}

/// How many pods should be active.
fn wanted(job: &Value, counts: &Counts) -> i64 {
    let parallelism = number(job, "/spec/parallelism").unwrap_or(1);
    match number(job, "/spec/completions") {
        // Without a number of completions the first success is enough: what runs may end, nothing new begins.
        None if counts.succeeded > 0 => counts.active,
        None => parallelism,
        Some(completions) => (completions - counts.succeeded).min(parallelism).max(0),
    }
}

fn pod(job: &Value) -> Value {
    let mut pod = KEEPER.pod(job, &job["spec"]["template"]);
    let mut finalizers = entries(&pod, "/metadata/finalizers").to_vec();
    if !finalizers.iter().any(|finalizer| finalizer == TRACKING) {
        finalizers.push(json!(TRACKING));
    }
    set(&mut pod, "/metadata/finalizers", Value::Array(finalizers));
    pod
}

fn numbered(job: &Value, held: &per_index::Held, index: i64) -> Value {
    let mut pod = pod(job);
    indexes::stamp(job, &mut pod, index);
    per_index::stamp(job, &mut pod, held, index);
    pod
}

/// The pods to remove: those with a number that is taken or out of range, then those that are furthest from doing their work.
fn surplus(job: &Value, active: &[Arc<Value>], least: usize) -> Vec<Arc<Value>> {
    let mut left = active.to_vec();
    left.sort_by_cached_key(|pod| {
        let phase = match text(pod, "/status/phase") {
            "Pending" => 0,
            "Running" => 2,
            _ => 1,
        };
        let age = std::cmp::Reverse(text(pod, "/metadata/creationTimestamp").to_owned());
        (!text(pod, "/spec/nodeName").is_empty(), phase, pod_state::is_ready(pod), age, name(pod).to_owned())
    });
    let mut surplus = Vec::new();
    if is_indexed(job) {
        // The best of a number stays.
        let mut taken = BTreeSet::new();
        let mut kept = Vec::new();
        for pod in left.into_iter().rev() {
            let is_first = indexes::of(job, &pod).is_some_and(|index| taken.insert(index));
            if is_first { kept.push(pod) } else { surplus.push(pod) }
        }
        kept.reverse();
        left = kept;
    }
    let more = least.saturating_sub(surplus.len());
    surplus.extend(left.into_iter().take(more));
    surplus
}
