//! Events are stored once and served twice: as `v1` and as `events.k8s.io/v1`, which names some fields otherwise.

use serde_json::{Map, Value};

/// `events.k8s.io/v1`, `v1`.
const NAMES: [(&str, &str); 7] = [
    ("regarding", "involvedObject"),
    ("note", "message"),
    ("deprecatedSource", "source"),
    ("deprecatedFirstTimestamp", "firstTimestamp"),
    ("deprecatedLastTimestamp", "lastTimestamp"),
    ("deprecatedCount", "count"),
    ("reportingController", "reportingComponent"),
];

pub(super) fn shown(object: &Value) -> Value {
    rename(object, "events.k8s.io/v1", |(new, old)| (old, new))
}

pub(super) fn stored(object: &Value) -> Value {
    rename(object, "v1", |(new, old)| (new, old))
}

fn rename(
    object: &Value,
    version: &str,
    direction: fn((&'static str, &'static str)) -> (&'static str, &'static str),
) -> Value {
    let mut out = Map::new();
    for (key, value) in object.as_object().into_iter().flatten() {
        let name =
            NAMES.iter().copied().map(direction).find(|(from, _)| from == key).map_or(key.as_str(), |(_, to)| to);
        out.insert(name.to_owned(), value.clone());
    }
    out.insert("apiVersion".to_owned(), Value::from(version));
    Value::Object(out)
}
