//! What holds for the metadata of every object (apimachinery's `ValidateObjectMeta`).

use jiff::Timestamp;
use serde_json::Value;

use super::{
    At, Problems, label,
    name::{self, NameRule},
};
use crate::object::{entries, text};

const META: &str = "metadata";
const IMMUTABLE: &str = "field is immutable";
/// What the server dates in the metadata of an object that is there.
const DATES: [&str; 2] = ["/metadata/creationTimestamp", "/metadata/deletionTimestamp"];

/// Checks the metadata of an object that is stored or about to be.
pub fn validate(object: &Value, rule: NameRule, namespaced: bool, problems: &mut Problems) {
    let at = At::new(META);
    let (given, prefix) = (text(object, "/metadata/name"), text(object, "/metadata/generateName"));
    if !prefix.is_empty() {
        for problem in name::problems(rule, prefix, true) {
            problems.invalid(&at.child("generateName"), prefix, problem);
        }
    }
    if given.is_empty() {
        problems.required(&at.child("name"), "name or generateName is required");
    } else {
        for problem in name::problems(rule, given, false) {
            problems.invalid(&at.child("name"), given, problem);
        }
    }
    let namespace = text(object, "/metadata/namespace");
    if namespaced {
        if namespace.is_empty() {
            problems.required(&at.child("namespace"), "");
        } else {
            for problem in name::label(namespace) {
                problems.invalid(&at.child("namespace"), namespace, problem);
            }
        }
    } else if !namespace.is_empty() {
        problems.forbidden(&at.child("namespace"), "not allowed on this type");
    }
    label::labels(object.pointer("/metadata/labels"), &at.child("labels"), problems);
    label::annotations(object.pointer("/metadata/annotations"), &at.child("annotations"), problems);
    owners(object, &at.child("ownerReferences"), problems);
    finalizers(object, &at.child("finalizers"), problems);
}

fn owners(object: &Value, at: &At, problems: &mut Problems) {
    let mut controllers: Vec<String> = Vec::new();
    for (index, owner) in entries(object, "/metadata/ownerReferences").iter().enumerate() {
        let at = at.index(index);
        for (member, detail) in
            [("kind", "must not be empty"), ("name", "must not be empty"), ("uid", "must not be empty")]
        {
            if text(owner, &format!("/{member}")).is_empty() {
                problems.invalid(&at.child(member), "", detail);
            }
        }
        if text(owner, "/apiVersion").is_empty() {
            problems.invalid(&at.child("apiVersion"), "", "version must not be empty");
        }
        if crate::object::truth(owner, "/controller") {
            controllers.push(text(owner, "/kind").to_owned());
        }
    }
    if let [first, second, ..] = controllers.as_slice() {
        let owners = object.pointer("/metadata/ownerReferences").cloned().unwrap_or(Value::Null);
        problems.invalid(
            at,
            owners,
            format!(
                "Only one reference can have Controller set to true. Found \"true\" in references for {first} and {second}"
            ),
        );
    }
}

fn finalizers(object: &Value, at: &At, problems: &mut Problems) {
    let standard = ["foregroundDeletion", "orphan", "kubernetes"];
    let list: Vec<_> = entries(object, "/metadata/finalizers").iter().filter_map(Value::as_str).collect();
    for finalizer in &list {
        for problem in label::qualified_name(finalizer) {
            problems.invalid(at, *finalizer, problem);
        }
        if !finalizer.contains('/') && !standard.contains(finalizer) {
            problems.invalid(at, *finalizer, "name is neither a standard finalizer name nor is it fully qualified");
        }
    }
    if list.contains(&"foregroundDeletion") && list.contains(&"orphan") {
        let both = object.pointer("/metadata/finalizers").cloned().unwrap_or(Value::Null);
        problems.invalid(at, both, "finalizer orphan and foregroundDeletion cannot be both set");
    }
}

/// Puts back what a writer left out and the server keeps.
///
/// Also a date that a writer read a while ago: the simulator moves its dates when it has skipped time, so a manifest that was saved
/// before may hold another one than the object has now, and still means this object.
pub fn keep(new: &mut Value, old: &Value) {
    for pointer in DATES {
        if let (Some(sent), Some(stored)) = (date(new, pointer), date(old, pointer))
            && sent != stored
        {
            crate::object::set(new, pointer, Value::from(text(old, pointer)));
        }
    }
    for member in ["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"] {
        let pointer = format!("/metadata/{member}");
        if new.pointer(&pointer).is_none_or(Value::is_null)
            && let Some(value) = old.pointer(&pointer)
        {
            crate::object::set(new, &pointer, value.clone());
        }
    }
    match old.pointer("/metadata/generation") {
        Some(generation) => crate::object::set(new, "/metadata/generation", generation.clone()),
        None => drop(crate::object::unset(new, "/metadata/generation")),
    }
}

fn date(object: &Value, pointer: &str) -> Option<Timestamp> {
    text(object, pointer).parse().ok()
}

/// Checks what a change may do to metadata.
pub fn validate_update(new: &Value, old: &Value, problems: &mut Problems) {
    let at = At::new(META);
    for member in ["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"] {
        let pointer = format!("/metadata/{member}");
        let value = new.pointer(&pointer);
        if value != old.pointer(&pointer) {
            problems.invalid(&at.child(member), value.cloned().unwrap_or(Value::Null), IMMUTABLE);
        }
    }
    if crate::object::is_deleting(old) {
        let before = entries(old, "/metadata/finalizers");
        let added: Vec<_> = entries(new, "/metadata/finalizers")
            .iter()
            .filter(|finalizer| !before.contains(finalizer))
            .map(ToString::to_string)
            .collect();
        if !added.is_empty() {
            problems.forbidden(
                &at.child("finalizers"),
                format!(
                    "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
                    added.join(", ")
                ),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_manifest_saved_before_time_was_skipped_still_fits() {
        let old = json!({"metadata": {"name": "web", "uid": "1", "creationTimestamp": "2026-11-21T11:00:00Z"}});
        let mut new = json!({"metadata": {"name": "web", "uid": "1", "creationTimestamp": "2026-11-21T12:00:00Z"}});
        keep(&mut new, &old);
        assert_eq!(new, old);
    }

    #[test]
    fn what_is_no_date_is_refused() {
        let old = json!({"metadata": {"name": "web", "creationTimestamp": "2026-11-21T11:00:00Z"}});
        let mut new = json!({"metadata": {"name": "web", "creationTimestamp": "yesterday"}});
        keep(&mut new, &old);
        let mut problems = Problems::default();
        validate_update(&new, &old, &mut problems);
        assert!(format!("{problems:?}").contains(IMMUTABLE));
    }
}
