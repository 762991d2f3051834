//! Custom objects: what their definitions do not say (`apiextensions-apiserver/pkg/registry/customresource/strategy.go`).

use serde_json::{Map, Value};

use super::{PLAIN, Rules};
use crate::object::unset;

/// Objects whose status is a part of its own.
pub static WITH_STATUS: Rules = Rules {
    create: |object| drop(unset(object, "/status")),
    counts: |new, old| rest(new, true) != rest(old, true),
    ..PLAIN
};

/// Objects that are written as a whole.
pub static WHOLE: Rules = Rules { counts: |new, old| rest(new, false) != rest(old, false), ..PLAIN };

/// Everything but metadata, and but status where that is a part of its own.
fn rest(object: &Value, has_status: bool) -> Map<String, Value> {
    let mut rest = object.as_object().cloned().unwrap_or_default();
    rest.remove("metadata");
    if has_status {
        rest.remove("status");
    }
    rest
}
