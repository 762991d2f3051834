//! Filling in what was left out.

use serde_json::Value;

use crate::object::set;

/// Sets a value at a pointer of object keys, unless there is one; empty texts and zeros count as none, as in Go.
pub(super) fn default(object: &mut Value, pointer: &str, value: impl Into<Value>) {
    let missing = match object.pointer(pointer) {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Array(list)) => list.is_empty(),
        Some(_) => false,
    };
    if missing {
        set(object, pointer, value.into());
    }
}

/// Sets a number, unless there is one other than zero.
pub(super) fn default_number(object: &mut Value, pointer: &str, value: i64) {
    if object.pointer(pointer).and_then(Value::as_i64).unwrap_or(0) == 0 {
        set(object, pointer, Value::from(value));
    }
}

/// The entries of a list, to change them.
pub(super) fn each<'a>(object: &'a mut Value, pointer: &str) -> impl Iterator<Item = &'a mut Value> {
    object.pointer_mut(pointer).and_then(Value::as_array_mut).into_iter().flatten()
}
