//! Reading and writing JSON objects by path, without panics: the simulator works on the API's own JSON.

use serde_json::{Map, Value};

/// The value at a JSON pointer. `Value::pointer` writes every key anew to take the escapes out; hardly a pointer has one, and the
/// simulator follows more of them than it does anything else.
pub fn at<'a>(object: &'a Value, pointer: &str) -> Option<&'a Value> {
    if pointer.is_empty() || pointer.contains('~') {
        return object.pointer(pointer);
    }
    pointer.strip_prefix('/')?.split('/').try_fold(object, |value, key| match value {
        Value::Object(members) => members.get(key),
        Value::Array(_) => value.pointer(&format!("/{key}")),
        _ => None,
    })
}

/// A text at a JSON pointer (`/spec/nodeName`); empty if it is not there.
pub fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    at(object, pointer).and_then(Value::as_str).unwrap_or("")
}

/// A whole number at a JSON pointer.
pub fn number(object: &Value, pointer: &str) -> Option<i64> {
    at(object, pointer).and_then(Value::as_i64)
}

/// A truth value at a JSON pointer; false if it is not there.
pub fn truth(object: &Value, pointer: &str) -> bool {
    at(object, pointer).and_then(Value::as_bool).unwrap_or(false)
}

/// The entries of a list at a JSON pointer; none if it is not there.
pub fn entries<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    at(object, pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The members of a map at a JSON pointer.
pub fn members<'a>(object: &'a Value, pointer: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    at(object, pointer).and_then(Value::as_object).into_iter().flatten()
}

/// Sets a value at a pointer of object keys, making the maps on the way; what is in the way and no map is replaced.
pub fn set(object: &mut Value, pointer: &str, value: Value) {
    let mut at = object;
    let mut keys = pointer.split('/').skip(1).peekable();
    while let Some(key) = keys.next() {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        let Some(map) = at.as_object_mut() else { return };
        if keys.peek().is_none() {
            map.insert(key.to_owned(), value);
            return;
        }
        at = map.entry(key.to_owned()).or_insert(Value::Null);
    }
}

/// Removes the value at a pointer of object keys.
pub fn unset(object: &mut Value, pointer: &str) -> Option<Value> {
    let (parent, key) = pointer.rsplit_once('/')?;
    object.pointer_mut(parent)?.as_object_mut()?.remove(key)
}

pub fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

pub fn namespace(object: &Value) -> &str {
    text(object, "/metadata/namespace")
}

pub fn uid(object: &Value) -> &str {
    text(object, "/metadata/uid")
}

/// Whether deletion has begun.
pub fn is_deleting(object: &Value) -> bool {
    !text(object, "/metadata/deletionTimestamp").is_empty()
}

/// The controlling owner's reference.
pub fn controller(object: &Value) -> Option<&Value> {
    entries(object, "/metadata/ownerReferences").iter().find(|owner| truth(owner, "/controller"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pointer_leads_where_serde_json_says() {
        let object = json!({"a": {"b": [{"c": 1}, 2], "": 3, "x/y": 4, "~": 5}, "01": 6});
        for pointer in [
            "",
            "/",
            "/a",
            "/a/",
            "/a/b",
            "/a/b/0/c",
            "/a/b/1",
            "/a/b/01",
            "/a/b/+1",
            "/a/b/2",
            "/a/b/-",
            "/a/b/c",
            "/a/x~1y",
            "/a/~0",
            "/a/~",
            "/01",
            "a",
            "/a/b/0/c/d",
            "//",
        ] {
            assert_eq!(at(&object, pointer), object.pointer(pointer), "{pointer}");
        }
    }
}
