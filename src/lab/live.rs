//! Live values: `${live.NAME}` in the changes of a `with`, looked up in the running system and filled in.
//!
//! All of it is pure: the caller brings the object as its API shows it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{
    Change,
    change::{LiveValue, With},
};

/// What stands before a name inside `${…}`.
pub(crate) const PREFIX: &str = "live.";

/// A value that cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LiveError {
    #[error(
        "`{path}` is not a JSON pointer: it begins with `/`, and `~` and `/` inside a key are written `~0` and `~1`"
    )]
    Pointer { path: String },
    #[error("there is nothing at {path}")]
    Nothing { path: String },
    #[error("what is at {path} is neither a text nor a number")]
    NotOne { path: String },
}

impl LiveValue {
    /// What the object says.
    ///
    /// # Errors
    /// Nothing is there, or a list or map: an address that was not given yet is an empty text, and counts as nothing.
    pub fn of(&self, object: &Value) -> Result<String, LiveError> {
        let path = || self.path.clone();
        self.check_path()?;
        match object.pointer(&self.path) {
            None | Some(Value::Null) => Err(LiveError::Nothing { path: path() }),
            Some(Value::String(text)) if text.is_empty() => Err(LiveError::Nothing { path: path() }),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(Value::Number(number)) => Ok(number.to_string()),
            Some(Value::Bool(truth)) => Ok(truth.to_string()),
            Some(Value::Array(_) | Value::Object(_)) => Err(LiveError::NotOne { path: path() }),
        }
    }

    /// Whether the path can be read at all.
    ///
    /// # Errors
    /// It cannot.
    pub fn check_path(&self) -> Result<(), LiveError> {
        let escaped = self.path.split('~').skip(1).all(|after| after.starts_with(['0', '1']));
        let good = self.path.starts_with('/') && self.path.len() > 1 && escaped;
        if good { Ok(()) } else { Err(LiveError::Pointer { path: self.path.clone() }) }
    }
}

impl With {
    /// The changes with the values filled in. Files that they apply are filled by [`fill`] when they are read.
    ///
    /// # Errors
    /// A change can no longer be read with a value in it.
    pub fn filled(&self, values: &BTreeMap<String, String>) -> Result<Vec<Change>, serde_json::Error> {
        let mut changes = serde_json::to_value(&self.changes)?;
        fill(&mut changes, values);
        serde_json::from_value(changes)
    }
}

/// Fills the values into every text of a document, keys included.
pub fn fill(value: &mut Value, values: &BTreeMap<String, String>) {
    match value {
        Value::String(text) if text.contains("${live.") => *text = filled(text, values),
        Value::Array(entries) => entries.iter_mut().for_each(|entry| fill(entry, values)),
        Value::Object(map) => {
            if map.keys().any(|key| key.contains("${live.")) {
                *map = std::mem::take(map).into_iter().map(|(key, value)| (filled(&key, values), value)).collect();
            }
            map.values_mut().for_each(|value| fill(value, values));
        }
        _ => {}
    }
}

fn filled(text: &str, values: &BTreeMap<String, String>) -> String {
    values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("${{live.{name}}}"), value))
}

/// The names that texts ask for.
pub(crate) fn names(value: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    gather(value, &mut found);
    found
}

fn gather(value: &Value, found: &mut BTreeSet<String>) {
    let in_text = |text: &str, found: &mut BTreeSet<String>| {
        found.extend(text.split("${live.").skip(1).filter_map(|rest| Some(rest.split_once('}')?.0.to_owned())));
    };
    match value {
        Value::String(text) => in_text(text, found),
        Value::Array(entries) => entries.iter().for_each(|entry| gather(entry, found)),
        Value::Object(map) => {
            for (key, value) in map {
                in_text(key, found);
                gather(value, found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn value(path: &str) -> LiveValue {
        serde_json::from_value(json!({"kind": "Container", "name": "db", "path": path})).unwrap()
    }

    #[test]
    fn a_path_leads_to_one_value() {
        let object = json!({"NetworkSettings": {"Networks": {"shop": {"IPAddress": "10.1.0.2", "IPPrefixLen": 16}, "b": {"IPAddress": ""}}},
            "Labels": {"a/b": "x"}});
        let at = |path: &str| value(path).of(&object);
        assert_eq!(at("/NetworkSettings/Networks/shop/IPAddress").unwrap(), "10.1.0.2");
        assert_eq!(at("/NetworkSettings/Networks/shop/IPPrefixLen").unwrap(), "16");
        assert_eq!(at("/Labels/a~1b").unwrap(), "x");
        assert!(matches!(at("/NetworkSettings/Networks/b/IPAddress"), Err(LiveError::Nothing { .. })), "not given yet");
        assert!(matches!(at("/status/podIP"), Err(LiveError::Nothing { .. })));
        assert!(matches!(at("/NetworkSettings"), Err(LiveError::NotOne { .. })));
        for wrong in ["", "/", "status.podIP", "/a~b"] {
            assert!(matches!(at(wrong), Err(LiveError::Pointer { .. })), "{wrong}");
        }
    }

    #[test]
    fn values_stand_in_texts_and_keys_of_changes() {
        let with: With = serde_json::from_value(json!({
            "live": {"db": {"kind": "Container", "name": "db", "path": "/a"}},
            "changes": [{"recreate": {"name": "web", "merge": {"Env": ["A=http://${live.db}:8080/${live.other}"], "${live.db}": 1}}}],
        }))
        .unwrap();
        assert_eq!(names(&json!(with.changes)), ["db".to_owned(), "other".to_owned()].into());
        let values = BTreeMap::from([("db".to_owned(), "10.0.0.1".to_owned())]);
        let Change::Recreate(recreate) = with.filled(&values).unwrap().remove(0) else { panic!() };
        assert_eq!(
            recreate.merge,
            Some(json!({"Env": ["A=http://10.0.0.1:8080/${live.other}"], "10.0.0.1": 1})),
            "a name without a value stays, for the linter to see"
        );
    }
}
