//! JSON patch (RFC 6902).

use serde_json::Value;

/// One operation.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    Add { path: String, value: Value },
    Remove { path: String },
    Replace { path: String, value: Value },
    Move { from: String, path: String },
    Copy { from: String, path: String },
    Test { path: String, value: Value },
}

/// What is wrong with a patch; the API keeps it to itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonPatchError {
    #[error("no list of operations")]
    NotAList,
    #[error("operation {index} is not of RFC 6902")]
    Operation { index: usize },
    #[error("nothing at {path:?}")]
    Missing { path: String },
    #[error("{path:?} is not what was expected")]
    Test { path: String },
    #[error("copies of {bytes} bytes in all")]
    Copies { bytes: usize },
}

/// What a patch may copy in all, in bytes of JSON (`JSONPatchMaxCopyBytes` of a stock server): copies of copies grow by the power.
const COPIED_MAX: usize = 3 << 20;

/// Reads a patch.
///
/// # Errors
/// Where it is no list of known operations.
pub fn read(patch: &Value) -> Result<Vec<Operation>, JsonPatchError> {
    let list = patch.as_array().ok_or(JsonPatchError::NotAList)?;
    let read = |(index, entry): (usize, &Value)| operation(entry).ok_or(JsonPatchError::Operation { index });
    list.iter().enumerate().map(read).collect()
}

fn operation(entry: &Value) -> Option<Operation> {
    let text = |key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
    let value = || entry.get("value").cloned();
    let path = text("path")?;
    Some(match entry.get("op")?.as_str()? {
        "add" => Operation::Add { path, value: value()? },
        "remove" => Operation::Remove { path },
        "replace" => Operation::Replace { path, value: value()? },
        "move" => Operation::Move { from: text("from")?, path },
        "copy" => Operation::Copy { from: text("from")?, path },
        "test" => Operation::Test { path, value: entry.get("value").cloned().unwrap_or(Value::Null) },
        _ => return None,
    })
}

/// Applies every operation, or none that comes after one that fails; the object is then to be thrown away.
///
/// # Errors
/// The first operation that cannot be done.
pub fn apply(object: &mut Value, operations: &[Operation]) -> Result<(), JsonPatchError> {
    let mut copied = 0;
    operations.iter().try_for_each(|operation| one(object, operation, &mut copied))
}

fn missing(path: &str) -> JsonPatchError {
    JsonPatchError::Missing { path: path.to_owned() }
}

fn one(object: &mut Value, operation: &Operation, copied: &mut usize) -> Result<(), JsonPatchError> {
    match operation {
        Operation::Add { path, value } => add(object, path, value.clone()),
        Operation::Remove { path } => remove(object, path).map(|_| ()),
        Operation::Replace { path, value } => {
            *object.pointer_mut(path).ok_or_else(|| missing(path))? = value.clone();
            Ok(())
        }
        Operation::Move { from, path } => {
            if path.starts_with(&format!("{from}/")) {
                return Err(missing(path));
            }
            let value = remove(object, from)?;
            add(object, path, value)
        }
        Operation::Copy { from, path } => {
            let value = object.pointer(from).ok_or_else(|| missing(from))?;
            *copied += value.to_string().len();
            if *copied > COPIED_MAX {
                return Err(JsonPatchError::Copies { bytes: *copied });
            }
            add(object, path, value.clone())
        }
        Operation::Test { path, value } => {
            let found = object.pointer(path);
            let equal = found.map_or(value.is_null(), |found| found == value);
            if equal { Ok(()) } else { Err(JsonPatchError::Test { path: path.clone() }) }
        }
    }
}

/// The parent's pointer and the last key, unescaped.
fn parent(path: &str) -> Option<(&str, String)> {
    let (parent, key) = path.rsplit_once('/')?;
    Some((parent, key.replace("~1", "/").replace("~0", "~")))
}

fn add(object: &mut Value, path: &str, value: Value) -> Result<(), JsonPatchError> {
    if path.is_empty() {
        *object = value;
        return Ok(());
    }
    let (at, key) = parent(path).ok_or_else(|| missing(path))?;
    match object.pointer_mut(at) {
        Some(Value::Object(members)) => drop(members.insert(key, value)),
        Some(Value::Array(entries)) => {
            let index = if key == "-" { Some(entries.len()) } else { position(&key) };
            match index.filter(|index| *index <= entries.len()) {
                Some(index) => entries.insert(index, value),
                None => return Err(missing(path)),
            }
        }
        _ => return Err(missing(path)),
    }
    Ok(())
}

fn remove(object: &mut Value, path: &str) -> Result<Value, JsonPatchError> {
    let (at, key) = parent(path).ok_or_else(|| missing(path))?;
    let removed = match object.pointer_mut(at) {
        Some(Value::Object(members)) => members.remove(&key),
        Some(Value::Array(entries)) => {
            position(&key).filter(|index| *index < entries.len()).map(|index| entries.remove(index))
        }
        _ => None,
    };
    removed.ok_or_else(|| missing(path))
}

fn position(key: &str) -> Option<usize> {
    if key.len() > 1 && key.starts_with('0') { None } else { key.parse().ok() }
}
