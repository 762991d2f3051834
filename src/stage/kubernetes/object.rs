//! Reading and writing the API's own JSON. What is absent, or of another type than the API promises, reads as absent.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

/// The label that names the session an object belongs to.
pub(crate) const SESSION_LABEL: &str = "breakfix.dev/session";
/// The label that names its lab.
pub(crate) const LAB_LABEL: &str = "breakfix.dev/lab";

pub(crate) fn text<'a>(object: &'a Value, pointer: &str) -> Option<&'a str> {
    object.pointer(pointer).and_then(Value::as_str)
}

pub(crate) fn list<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    object.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

pub(crate) fn name(object: &Value) -> &str {
    text(object, "/metadata/name").unwrap_or_default()
}

pub(crate) fn namespace(object: &Value) -> Option<&str> {
    text(object, "/metadata/namespace")
}

pub(crate) fn uid(object: &Value) -> Option<&str> {
    text(object, "/metadata/uid")
}

/// A label; keys have slashes, so a JSON pointer would not do.
pub(crate) fn label<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.pointer("/metadata/labels")?.get(key)?.as_str()
}

/// Whether it carries the session's label.
pub(crate) fn is_of_session(object: &Value, session: &str) -> bool {
    label(object, SESSION_LABEL) == Some(session)
}

/// It is being deleted.
pub(crate) fn is_going(object: &Value) -> bool {
    text(object, "/metadata/deletionTimestamp").is_some()
}

/// Something must happen before it can go.
/// Whether the condition `Ready` of a pod or a node is true.
pub(crate) fn is_ready(object: &Value) -> bool {
    list(object, "/status/conditions")
        .iter()
        .any(|condition| text(condition, "/type") == Some("Ready") && text(condition, "/status") == Some("True"))
}

pub(crate) fn has_finalizers(object: &Value) -> bool {
    !list(object, "/metadata/finalizers").is_empty() || !list(object, "/spec/finalizers").is_empty()
}

/// The uids of everything that owns it.
pub(crate) fn owners(object: &Value) -> impl Iterator<Item = &str> {
    list(object, "/metadata/ownerReferences").iter().filter_map(|owner| text(owner, "/uid"))
}

/// Writes a value at a path of keys, making the mappings on the way where there are none.
pub(crate) fn set(object: &mut Value, path: &[&str], value: Value) {
    let mut at = object;
    for key in path {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        let Value::Object(map) = at else { return };
        at = map.entry(*key).or_insert(Value::Null);
    }
    *at = value;
}

/// Sets a label.
pub(crate) fn set_label(object: &mut Value, key: &str, value: &str) {
    set(object, &["metadata", "labels", key], json!(value));
}

/// The objects that `root` owns through any number of steps, among these; `root` itself is not one of them.
pub(crate) fn descendants<'a>(root: &str, objects: &'a [Value]) -> Vec<&'a Value> {
    let mut known: BTreeSet<&str> = BTreeSet::from([root]);
    let mut found: Vec<&Value> = Vec::new();
    // References may form a ring: an object is found once.
    loop {
        let before = found.len();
        for object in objects {
            let Some(uid) = uid(object) else { continue };
            if !known.contains(uid) && owners(object).any(|owner| known.contains(owner)) {
                known.insert(uid);
                found.push(object);
            }
        }
        if found.len() == before {
            return found;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(uid: &str, owner: &str) -> Value {
        json!({"metadata": {"name": uid, "uid": uid, "ownerReferences": [{"uid": owner, "controller": true}]}})
    }

    #[test]
    fn descendants_are_found_through_any_number_of_steps() {
        let objects = [object("pod", "rs"), object("rs", "web"), object("stranger", "other"), object("ring", "ring")];
        let names: Vec<&str> = descendants("web", &objects).into_iter().map(name).collect();
        assert_eq!(names, ["rs", "pod"]);
        assert!(descendants("nobody", &objects).is_empty());
    }

    #[test]
    fn a_label_is_set_wherever_there_is_none() {
        for mut body in [json!({}), json!({"metadata": {"labels": null}}), json!({"metadata": {"labels": {"a": "b"}}})]
        {
            set_label(&mut body, SESSION_LABEL, "s1");
            assert!(is_of_session(&body, "s1"), "{body}");
            assert!(!is_of_session(&body, "s2"));
        }
    }
}
