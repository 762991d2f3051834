//! Dates already written into objects, moved: what `kubectl` prints as an age is the wall's date less the object's, so when the
//! simulator's date is set to the wall's, everything that it has written down must move along.

use breakfix_sim::{Store, pace::shift_date};
use serde_json::Value;

/// Keys whose values are dates, wherever they stand in metadata, status, or a spec that the system itself writes (Lease, Node).
/// From the API's types: every field of type Time or MicroTime of the kinds served.
const DATES: &[&str] = &[
    "acquireTime",
    "completionTime",
    "creationTimestamp",
    "deletionTimestamp",
    "eventTime",
    "expirationTimestamp",
    "finishedAt",
    "firstTimestamp",
    "lastHeartbeatTime",
    "lastObservedTime",
    "lastProbeTime",
    "lastScaleTime",
    "lastScheduleTime",
    "lastSuccessfulTime",
    "lastTimestamp",
    "lastTransitionTime",
    "lastUpdateTime",
    "renewTime",
    "startTime",
    "startedAt",
    "time",
    "timeAdded",
];

/// The one annotation in which the control plane keeps a date.
const TRIGGER_TIME: &str = "endpoints.kubernetes.io/last-change-trigger-time";

/// Subtrees in which nothing is a date of the system's, however its key reads: the user's own words.
const NOT_OURS: &[&str] = &["annotations", "data", "fieldsV1", "labels", "spec", "stringData", "template"];

/// Moves all dates of all objects by whole seconds.
pub fn shift(store: &mut Store, seconds: i64) {
    store.rewrite(|key, object| {
        let ours = matches!(&*key.collection, "nodes" | "leases.coordination.k8s.io");
        if ours && let Some(spec) = object.get_mut("spec") {
            shift_value(spec, seconds);
        }
        shift_annotation(object, seconds);
        shift_value(object, seconds);
    });
}

fn shift_annotation(object: &mut Value, seconds: i64) {
    let annotation = object
        .get_mut("metadata")
        .and_then(|metadata| metadata.get_mut("annotations"))
        .and_then(|annotations| annotations.get_mut(TRIGGER_TIME));
    if let Some(annotation) = annotation {
        shift_text(annotation, seconds);
    }
}

fn shift_value(value: &mut Value, seconds: i64) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                if DATES.contains(&key.as_str()) {
                    shift_text(member, seconds);
                } else if !NOT_OURS.contains(&key.as_str()) {
                    shift_value(member, seconds);
                }
            }
        }
        Value::Array(entries) => entries.iter_mut().for_each(|entry| shift_value(entry, seconds)),
        _ => {}
    }
}

fn shift_text(value: &mut Value, seconds: i64) {
    if let Some(moved) = value.as_str().and_then(|text| shift_date(text, seconds)) {
        *value = Value::String(moved);
    }
}

#[cfg(test)]
mod tests {
    use breakfix_sim::Key;
    use serde_json::json;

    use super::*;

    fn shifted(collection: &str, object: Value) -> Value {
        let mut store = Store::new(10);
        let key = Key::new(collection, "", "x");
        store.put(key.clone(), object);
        let revision = store.revision();
        shift(&mut store, -3600);
        assert_eq!(store.revision(), revision, "no watcher is told");
        Value::clone(store.get(&key).unwrap())
    }

    #[test]
    fn dates_of_the_system_move() {
        let object = shifted(
            "pods",
            json!({
                "metadata": {
                    "creationTimestamp": "2026-11-21T12:00:00Z",
                    "managedFields": [{"time": "2026-11-21T12:00:00Z", "fieldsV1": {"f:time": {}}}],
                    "annotations": {TRIGGER_TIME: "2026-11-21T12:00:00Z"},
                },
                "status": {"conditions": [{"lastTransitionTime": "2026-11-21T12:00:01Z", "lastProbeTime": null}]},
                "eventTime": "2026-11-21T12:00:00.123456Z",
            }),
        );
        assert_eq!(object["metadata"]["creationTimestamp"], "2026-11-21T11:00:00Z");
        assert_eq!(object["metadata"]["managedFields"][0]["time"], "2026-11-21T11:00:00Z");
        assert_eq!(object["metadata"]["annotations"][TRIGGER_TIME], "2026-11-21T11:00:00Z");
        assert_eq!(object["status"]["conditions"][0]["lastTransitionTime"], "2026-11-21T11:00:01Z");
        assert_eq!(object["status"]["conditions"][0]["lastProbeTime"], Value::Null);
        assert_eq!(object["eventTime"], "2026-11-21T11:00:00.123456Z");
    }

    #[test]
    fn words_of_the_user_stay() {
        let date = "2026-11-21T12:00:00Z";
        let object = shifted(
            "deployments.apps",
            json!({
                "metadata": {"annotations": {"time": date}, "labels": {"time": date}},
                "data": {"startTime": date},
                "spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": date, "time": date}}}},
            }),
        );
        assert_eq!(object["metadata"]["annotations"]["time"], date);
        assert_eq!(object["data"]["startTime"], date);
        assert_eq!(object["spec"]["template"]["metadata"]["annotations"]["time"], date);
    }

    #[test]
    fn a_node_s_taints_and_a_lease_move() {
        let node =
            shifted("nodes", json!({"metadata": {}, "spec": {"taints": [{"timeAdded": "2026-11-21T12:00:00Z"}]}}));
        assert_eq!(node["spec"]["taints"][0]["timeAdded"], "2026-11-21T11:00:00Z");
        let lease = shifted(
            "leases.coordination.k8s.io",
            json!({"metadata": {}, "spec": {"renewTime": "2026-11-21T12:00:00.000000Z"}}),
        );
        assert_eq!(lease["spec"]["renewTime"], "2026-11-21T11:00:00.000000Z");
    }
}
