//! Paths into an object: `spec.template.spec.containers[web].image`, `data`, `metadata.labels["app.kubernetes.io/name"]`.
//!
//! A step is a key, or brackets: `[*]` every entry, `[3]` the entry at that index, `[web]` the entry whose name it is, `["a.b"]` a key or
//! name that holds dots. An entry's name is its `name` (Docker: `Name`); that of a text such as `PORT=80` stands before the `=`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// A path, ready for use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Every,
    Index(usize),
    Named(String),
}

/// A path that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a path: {why}; write it as `spec.containers[web].image`, with `[*]` for every entry")]
pub struct PathError {
    text: String,
    why: &'static str,
}

impl std::str::FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let bad = |why| PathError { text: text.to_owned(), why };
        let mut steps = Vec::new();
        let mut rest = text;
        loop {
            if let Some(inner) = rest.strip_prefix('[') {
                let (step, after) = bracket(inner).map_err(bad)?;
                steps.push(step);
                rest = after;
            } else {
                let end = rest.find(['.', '[', ']']).unwrap_or(rest.len());
                let (key, after) = rest.split_at(end);
                if key.is_empty() {
                    return Err(bad("a step is empty"));
                }
                steps.push(Step::Key(key.to_owned()));
                rest = after;
            }
            match rest.strip_prefix('.') {
                Some(after) => rest = after,
                None if rest.is_empty() => return Ok(Self { steps }),
                None if rest.starts_with('[') => {}
                None => return Err(bad("a bracket does not match")),
            }
        }
    }
}

/// The step inside brackets, and what follows them.
fn bracket(inner: &str) -> Result<(Step, &str), &'static str> {
    if let Some(quoted) = inner.strip_prefix('"') {
        let (name, after) = quoted.split_once("\"]").ok_or("a quote is not closed")?;
        return Ok((Step::Named(name.to_owned()), after));
    }
    let (name, after) = inner.split_once(']').ok_or("a bracket is not closed")?;
    let step = match name {
        "" => return Err("a bracket is empty"),
        "*" => Step::Every,
        name => match name.parse() {
            Ok(index) => Step::Index(index),
            Err(_) => Step::Named(name.to_owned()),
        },
    };
    Ok((step, after))
}

impl Path {
    /// What the path leads to, by place: `spec.containers[web].image`. Entries are told apart by name where they have one, so that
    /// their order does not matter. Null is as good as absent.
    pub(crate) fn find<'a>(&self, object: &'a Value) -> BTreeMap<String, &'a Value> {
        let mut here = vec![(String::new(), object)];
        for step in &self.steps {
            here = here.into_iter().flat_map(|(place, value)| step.from(&place, value)).collect();
        }
        here.into_iter().filter(|(_, value)| !value.is_null()).collect()
    }

    /// Removes what the path leads to.
    pub(crate) fn remove(&self, object: &mut Value) {
        remove(&self.steps, object);
    }
}

impl Step {
    fn from<'a>(&self, place: &str, value: &'a Value) -> Vec<(String, &'a Value)> {
        let keyed = |key: &str| if place.is_empty() { key.to_owned() } else { format!("{place}.{key}") };
        match value {
            Value::Object(map) => {
                map.iter().filter(|(key, _)| self.is_key(key)).map(|(key, value)| (keyed(key), value)).collect()
            }
            Value::Array(entries) => {
                let chosen = entries.iter().enumerate().filter(|(index, entry)| self.is_entry(*index, entry));
                let unique = names(entries);
                let place = |index: usize, entry: &Value| match name(entry).filter(|name| unique.contains(name)) {
                    Some(name) => format!("{place}[{name}]"),
                    None => format!("{place}[{index}]"),
                };
                chosen.map(|(index, entry)| (place(index, entry), entry)).collect()
            }
            _ => Vec::new(),
        }
    }

    fn is_key(&self, key: &str) -> bool {
        match self {
            Self::Key(name) | Self::Named(name) => name == key,
            Self::Every => true,
            // The keys of a map may be digits.
            Self::Index(index) => key.parse() == Ok(*index),
        }
    }

    fn is_entry(&self, index: usize, entry: &Value) -> bool {
        match self {
            Self::Key(_) => false,
            Self::Every => true,
            Self::Index(wanted) => *wanted == index,
            Self::Named(wanted) => name(entry) == Some(wanted) || entry.as_str() == Some(wanted),
        }
    }
}

/// What an entry of a list is called: its `name`, or what stands before the `=`.
pub(crate) fn name(entry: &Value) -> Option<&str> {
    match entry {
        Value::Object(map) => map.get("name").or_else(|| map.get("Name")).and_then(Value::as_str),
        Value::String(text) => text.split_once('=').map(|(name, _)| name),
        _ => None,
    }
}

/// The names that exactly one entry of the list bears.
pub(crate) fn names(entries: &[Value]) -> BTreeSet<&str> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for name in entries.iter().filter_map(name) {
        *counts.entry(name).or_default() += 1;
    }
    counts.into_iter().filter(|(_, count)| *count == 1).map(|(name, _)| name).collect()
}

fn remove(steps: &[Step], value: &mut Value) {
    let Some((step, rest)) = steps.split_first() else { return };
    match value {
        Value::Object(map) if rest.is_empty() => map.retain(|key, _| !step.is_key(key)),
        Value::Object(map) => map.iter_mut().filter(|(key, _)| step.is_key(key)).for_each(|(_, it)| remove(rest, it)),
        Value::Array(entries) => {
            let mut index = 0;
            entries.retain_mut(|entry| {
                let chosen = step.is_entry(index, entry);
                index += 1;
                if chosen && !rest.is_empty() {
                    remove(rest, entry);
                }
                !(chosen && rest.is_empty())
            });
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
