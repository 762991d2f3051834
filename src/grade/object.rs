//! Reading the API's own JSON: names, owners and conditions, whichever platform an object comes from.
//!
//! Nothing here fails: what is absent, or of another type than the API promises, reads as absent.

use std::collections::BTreeMap;

use breakfix_lab::lab::Exception;
use jiff::Timestamp;
use serde_json::Value;

/// The value at a path of keys; `None` where a step is missing or the value is null.
pub(crate) fn at<'a>(object: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(object, |value, key| value.get(key)).filter(|value| !value.is_null())
}

pub(crate) fn text<'a>(object: &'a Value, path: &[&str]) -> Option<&'a str> {
    at(object, path).and_then(Value::as_str)
}

pub(crate) fn number(object: &Value, path: &[&str]) -> Option<i64> {
    at(object, path).and_then(Value::as_i64)
}

/// A flag; absent means false, as both APIs leave false out.
pub(crate) fn flag(object: &Value, path: &[&str]) -> bool {
    at(object, path).and_then(Value::as_bool).unwrap_or(false)
}

/// A list; absent means empty, as both APIs leave empty lists out or write null.
pub(crate) fn list<'a>(object: &'a Value, path: &[&str]) -> &'a [Value] {
    at(object, path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

pub(crate) fn time(object: &Value, path: &[&str]) -> Option<Timestamp> {
    text(object, path).and_then(|text| text.parse().ok())
}

/// The object's name. Docker writes a container's with a leading slash and knows an image by its tags.
pub(crate) fn name(object: &Value) -> &str {
    text(object, &["metadata", "name"])
        .or_else(|| text(object, &["Name"]))
        .or_else(|| list(object, &["RepoTags"]).first().and_then(Value::as_str))
        .map_or("", |name| name.strip_prefix('/').unwrap_or(name))
}

/// Whether the object goes by this name; an image by any of its tags.
pub(crate) fn is_named(object: &Value, wanted: &str) -> bool {
    name(object) == wanted || list(object, &["RepoTags"]).iter().any(|tag| tag.as_str() == Some(wanted))
}

/// The Kubernetes namespace; `None` for cluster-scoped objects and for Docker.
pub(crate) fn namespace(object: &Value) -> Option<&str> {
    text(object, &["metadata", "namespace"])
}

pub(crate) fn uid(object: &Value) -> Option<&str> {
    text(object, &["metadata", "uid"])
}

/// A label, Kubernetes' or Docker's (containers keep theirs under `Config`).
pub(crate) fn label<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    [&["metadata", "labels"][..], &["Config", "Labels"], &["Labels"]]
        .into_iter()
        .find_map(|path| at(object, path))
        .and_then(|labels| labels.get(key))
        .and_then(Value::as_str)
}

pub(crate) fn has_labels(object: &Value, wanted: &BTreeMap<String, String>) -> bool {
    wanted.iter().all(|(key, value)| label(object, key) == Some(value))
}

/// Kubernetes has been asked to delete the object and is about it.
pub(crate) fn is_going(object: &Value) -> bool {
    at(object, &["metadata", "deletionTimestamp"]).is_some()
}

/// The owner that controls the object: at most one reference says `controller: true`.
pub(crate) fn controller(object: &Value) -> Option<&Value> {
    list(object, &["metadata", "ownerReferences"]).iter().find(|owner| flag(owner, &["controller"]))
}

/// The condition of this type.
pub(crate) fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    list(object, &["status", "conditions"]).iter().find(|condition| text(condition, &["type"]) == Some(kind))
}

/// Whether an exception names this object as a whole.
pub(crate) fn is_excepted(except: &[Exception], kind: &str, name: &str) -> bool {
    except.iter().any(|free| free.fields.is_empty() && names(free, kind, name))
}

/// Whether an exception is about this object, or about fields of it.
pub(crate) fn names(free: &Exception, kind: &str, name: &str) -> bool {
    free.kind == kind && free.name.as_deref().is_none_or(|wanted| wanted == name)
}
