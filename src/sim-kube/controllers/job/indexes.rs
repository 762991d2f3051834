//! The numbers of an Indexed Job's pods: sets of them, written as `0-2,5` (`indexed_job_utils.go`).

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Value, json};

use super::{has_succeeded, is_tracked};
use crate::{
    controllers::pod_control::annotation,
    object::{entries, name, number, set, text},
};

/// Annotation and label of a pod's number.
const INDEX: &str = "batch.kubernetes.io/job-completion-index";
const VARIABLE: &str = "JOB_COMPLETION_INDEX";

pub(super) type Indexes = BTreeSet<i64>;

/// `0-2,5`.
pub(super) fn write(indexes: &Indexes) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut run: Option<(i64, i64)> = None;
    let mut close = |run: Option<(i64, i64)>| match run {
        None => {}
        Some((first, last)) if first == last => parts.push(first.to_string()),
        Some((first, last)) if first + 1 == last => parts.push(format!("{first},{last}")),
        Some((first, last)) => parts.push(format!("{first}-{last}")),
    };
    for index in indexes {
        run = match run {
            Some((first, last)) if last + 1 == *index => Some((first, *index)),
            other => {
                close(other);
                Some((*index, *index))
            }
        };
    }
    close(run);
    parts.join(",")
}

/// Reads `0-2,5`; numbers beyond the completions are dropped.
pub(super) fn read(text: &str, completions: i64) -> Indexes {
    let mut indexes = Indexes::new();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        if let (Ok(first), Ok(last)) = (first.parse::<i64>(), last.parse::<i64>()) {
            indexes.extend((first..=last.min(completions - 1)).filter(|index| *index < completions));
        }
    }
    indexes
}

/// A pod's number, if it has one that the Job has room for.
pub(super) fn of(job: &Value, pod: &Value) -> Option<i64> {
    let index: i64 = annotation(pod, INDEX).parse().ok()?;
    (0..completions(job)).contains(&index).then_some(index)
}

pub(super) fn completions(job: &Value) -> i64 {
    number(job, "/spec/completions").unwrap_or(0)
}

/// The numbers that have succeeded: those written down, and those with those of pods not counted yet.
pub(super) fn succeeded(job: &Value, pods: &[Arc<Value>]) -> (Indexes, Indexes) {
    let before = read(text(job, "/status/completedIndexes"), completions(job));
    let fresh = pods.iter().filter(|pod| is_tracked(pod) && has_succeeded(pod)).filter_map(|pod| of(job, pod));
    let now = before.iter().copied().chain(fresh).collect();
    (before, now)
}

/// The lowest numbers that are not over and have no active pod.
pub(super) fn pending(job: &Value, over: &Indexes, active: &[Arc<Value>], count: usize) -> Vec<i64> {
    let taken: BTreeSet<i64> = active.iter().filter_map(|pod| of(job, pod)).collect();
    (0..completions(job)).filter(|index| !over.contains(index) && !taken.contains(index)).take(count).collect()
}

/// Gives a pod its number.
pub(super) fn stamp(job: &Value, pod: &mut Value, index: i64) {
    for place in ["annotations", "labels"] {
        let mut map = pod["metadata"][place].as_object().cloned().unwrap_or_default();
        map.insert(INDEX.to_owned(), json!(index.to_string()));
        set(pod, &format!("/metadata/{place}"), Value::Object(map));
    }
    let host = format!("{}-{index}", name(job));
    set(pod, "/metadata/generateName", json!(format!("{host}-")));
    set(pod, "/spec/hostname", json!(host));
    for list in ["/spec/initContainers", "/spec/containers"] {
        let mut containers = entries(pod, list).to_vec();
        if containers.is_empty() {
            continue;
        }
        containers.iter_mut().for_each(variable);
        set(pod, list, Value::Array(containers));
    }
}

fn variable(container: &mut Value) {
    let mut env = entries(container, "/env").to_vec();
    if env.iter().any(|variable| text(variable, "/name") == VARIABLE) {
        return;
    }
    env.push(json!({
        "name": VARIABLE,
        "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": format!("metadata.labels['{INDEX}']")}},
    }));
    set(container, "/env", Value::Array(env));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexes_are_written_as_ranges_and_read_back() {
        let indexes: Indexes = [0, 1, 2, 5, 7, 8].into();
        assert_eq!(write(&indexes), "0-2,5,7,8");
        assert_eq!(read("0-2,5,7,8", 10), indexes);
        assert_eq!(read("0-9", 3), Indexes::from([0, 1, 2]), "what the Job has no room for is dropped");
        assert_eq!(write(&Indexes::new()), "");
    }
}
