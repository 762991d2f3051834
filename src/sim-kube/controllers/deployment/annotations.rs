//! The annotations by which Deployment and ReplicaSets keep revision and history.

use serde_json::{Map, Value, json};

use crate::object::{members, set, text};

pub(super) const REVISION: &str = "deployment.kubernetes.io/revision";
const HISTORY: &str = "deployment.kubernetes.io/revision-history";
const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
const MAX: &str = "deployment.kubernetes.io/max-replicas";

/// What is never copied from a Deployment to its sets (`annotationsToSkip`).
const SKIPPED: [&str; 6] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    HISTORY,
    DESIRED,
    MAX,
    "deprecated.deployment.rollback.to",
];
/// As many characters of history as a set may carry.
const HISTORY_MAX: usize = 2000;

pub(super) fn annotation<'a>(object: &'a Value, key: &str) -> &'a str {
    object["metadata"]["annotations"][key].as_str().unwrap_or("")
}

/// The object's revision; 0 where it has none.
pub(super) fn revision(object: &Value) -> i64 {
    annotation(object, REVISION).parse().unwrap_or(0)
}

/// The Deployment's replicas when this set was last scaled.
pub(super) fn desired_replicas(set: &Value) -> Option<i64> {
    annotation(set, DESIRED).parse().ok()
}

/// The Deployment's replicas and surge when this set was last scaled.
pub(super) fn max_replicas(set: &Value) -> Option<i64> {
    annotation(set, MAX).parse().ok()
}

fn map(object: &Value) -> Map<String, Value> {
    object.pointer("/metadata/annotations").and_then(Value::as_object).cloned().unwrap_or_default()
}

fn put(object: &mut Value, map: Map<String, Value>) {
    set(object, "/metadata/annotations", Value::Object(map));
}

/// `SetNewReplicaSetAnnotations`: the Deployment's own annotations, the revision, and the revisions that this set was before.
pub(super) fn describe_new_set(deployment: &Value, new_set: &mut Value, revision: i64, exists: bool) {
    let mut annotations = map(new_set);
    for (key, value) in members(deployment, "/metadata/annotations") {
        if !SKIPPED.contains(&key.as_str()) {
            annotations.insert(key.clone(), value.clone());
        }
    }
    let old = annotations.get(REVISION).and_then(Value::as_str).unwrap_or("").to_owned();
    let old_number: i64 = old.parse().unwrap_or(0);
    if old_number < revision {
        annotations.insert(REVISION.to_owned(), json!(revision.to_string()));
        if exists && !old.is_empty() {
            let history = annotations.get(HISTORY).and_then(Value::as_str).unwrap_or("").to_owned();
            annotations.insert(HISTORY.to_owned(), json!(longer_history(&history, &old)));
        }
    }
    put(new_set, annotations);
}

fn longer_history(history: &str, old: &str) -> String {
    if history.is_empty() {
        return old.to_owned();
    }
    let mut history = format!("{history},{old}");
    while history.len() > HISTORY_MAX {
        let Some((_, rest)) = history.split_once(',') else { break };
        history = rest.to_owned();
    }
    history
}

/// `SetReplicasAnnotations`.
pub(super) fn note_scale(new_set: &mut Value, desired: i64, max: i64) {
    let mut annotations = map(new_set);
    annotations.insert(DESIRED.to_owned(), json!(desired.to_string()));
    annotations.insert(MAX.to_owned(), json!(max.to_string()));
    put(new_set, annotations);
}

/// Writes the revision on the Deployment itself.
pub(super) fn note_revision(deployment: &mut Value, revision: &str) {
    let mut annotations = map(deployment);
    annotations.insert(REVISION.to_owned(), json!(revision));
    put(deployment, annotations);
}

/// The revision of a set as text.
pub(super) fn revision_text(set: &Value) -> String {
    text(set, "/metadata/annotations/deployment.kubernetes.io~1revision").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tried on 1.36: an undo gives the old set a new number and remembers the old one.
    #[test]
    fn an_undo_keeps_the_revision_that_the_set_was() {
        let deployment = json!({"metadata": {"annotations": {"team": "shop", REVISION: "3"}}});
        let mut set = json!({"metadata": {"annotations": {REVISION: "1"}}});
        describe_new_set(&deployment, &mut set, 4, true);
        assert_eq!(set["metadata"]["annotations"], json!({"team": "shop", REVISION: "4", HISTORY: "1"}));
        describe_new_set(&deployment, &mut set, 6, true);
        assert_eq!(annotation(&set, HISTORY), "1,4");
    }
}
