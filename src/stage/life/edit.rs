//! Edits of a document in memory, for faults that are to look as if the document had always been so.

use serde_json::{Map, Value};

/// Applies a JSON merge patch (RFC 7386): `null` removes, maps are merged, everything else is replaced.
pub fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    let map = make_map(target);
    for (key, value) in patch {
        if value.is_null() {
            map.remove(key);
        } else {
            merge(map.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

/// Applies a strategic merge patch as far as documents of a lab need it: as [`merge`], but lists of entries with a `name` are merged by name.
/// The API's other merge keys (ports, environment by other keys) do not occur in documents without a `name`.
pub fn strategic(target: &mut Value, patch: &Value) {
    match patch {
        Value::Object(patch) => {
            let map = make_map(target);
            for (key, value) in patch {
                if value.is_null() {
                    map.remove(key);
                } else {
                    strategic(map.entry(key.clone()).or_insert(Value::Null), value);
                }
            }
        }
        Value::Array(entries) if !entries.is_empty() && entries.iter().all(|entry| name(entry).is_some()) => {
            if !target.is_array() {
                *target = Value::Array(Vec::new());
            }
            let Some(list) = target.as_array_mut() else { return };
            for entry in entries {
                match list.iter_mut().find(|old| name(old).is_some() && name(old) == name(entry)) {
                    Some(old) => strategic(old, entry),
                    None => list.push(entry.clone()),
                }
            }
        }
        _ => *target = patch.clone(),
    }
}

fn name(entry: &Value) -> Option<&str> {
    breakfix_lab::base::entry_name(entry)
}

fn make_map(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(map) => map,
        _ => unreachable!("it was made a map the line before"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn merges_as_the_rfc_says() {
        // RFC 7386, appendix A.
        for (target, patch, wanted) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            let mut value = target.clone();
            merge(&mut value, &patch);
            assert_eq!(value, wanted, "{target} + {patch}");
        }
    }

    #[test]
    fn lists_of_named_entries_are_merged_by_name() {
        let mut pod = json!({"containers": [{"name": "a", "image": "x", "args": ["1"]}, {"name": "b"}]});
        strategic(&mut pod, &json!({"containers": [{"name": "a", "image": "y", "args": ["2"]}, {"name": "c"}]}));
        assert_eq!(
            pod,
            json!({"containers": [{"name": "a", "image": "y", "args": ["2"]}, {"name": "b"}, {"name": "c"}]})
        );
    }
}
