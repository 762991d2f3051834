//! A set of fields of an object, and its form in `fieldsV1`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// A set of fields, as a tree. Edges are path elements in the form that `fieldsV1` gives them: `f:name`, `k:{"name":"a"}`, `v:"x"`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldSet {
    /// Whether the field at this node is itself in the set.
    owned: bool,
    children: BTreeMap<String, FieldSet>,
}

impl FieldSet {
    pub fn is_empty(&self) -> bool {
        !self.owned && self.children.is_empty()
    }

    /// Adds the field at a path.
    pub fn insert(&mut self, path: &[String]) {
        match path {
            [] => self.owned = true,
            [first, rest @ ..] => self.children.entry(first.clone()).or_default().insert(rest),
        }
    }

    /// What lies below a path element.
    pub fn child(&self, element: &str) -> Option<&Self> {
        self.children.get(element)
    }

    /// Whether the field one step down is in the set.
    pub fn has(&self, element: &str) -> bool {
        self.children.get(element).is_some_and(|child| child.owned)
    }

    /// Whether something below that field is.
    pub fn reaches_below(&self, element: &str) -> bool {
        self.children.get(element).is_some_and(|child| !child.children.is_empty())
    }

    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut all = self.clone();
        all.owned |= other.owned;
        for (element, child) in &other.children {
            let mine = all.children.entry(element.clone()).or_default();
            *mine = mine.union(child);
        }
        all
    }

    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        self.combine(other, |mine, theirs| mine && !theirs, true)
    }

    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.combine(other, |mine, theirs| mine && theirs, false)
    }

    /// What is left when a field of `other` takes everything below it along.
    #[must_use]
    pub fn without_trees(&self, other: &Self) -> Self {
        if other.owned {
            return Self::default();
        }
        let mut left = Self { owned: self.owned, children: BTreeMap::new() };
        for (element, child) in &self.children {
            let kept = other.children.get(element).map_or_else(|| child.clone(), |theirs| child.without_trees(theirs));
            if !kept.is_empty() {
                left.children.insert(element.clone(), kept);
            }
        }
        left
    }

    fn combine(&self, other: &Self, owned: fn(bool, bool) -> bool, keep_alone: bool) -> Self {
        let mut out = Self { owned: owned(self.owned, other.owned), children: BTreeMap::new() };
        for (element, child) in &self.children {
            let combined = match other.children.get(element) {
                Some(theirs) => child.combine(theirs, owned, keep_alone),
                None if keep_alone => child.clone(),
                None => continue,
            };
            if !combined.is_empty() {
                out.children.insert(element.clone(), combined);
            }
        }
        out
    }

    /// The set with every named member of a struct that leads to a field of it.
    #[must_use]
    pub fn with_parents(&self, is_named: &impl Fn(&[&str]) -> bool) -> Self {
        fn go<'a>(set: &'a FieldSet, path: &mut Vec<&'a str>, is_named: &impl Fn(&[&str]) -> bool) -> FieldSet {
            let mut out = FieldSet { owned: set.owned, children: BTreeMap::new() };
            for (element, child) in &set.children {
                path.push(element);
                let mut inner = go(child, path, is_named);
                inner.owned |= !child.children.is_empty() && is_named(path);
                path.pop();
                out.children.insert(element.clone(), inner);
            }
            out
        }
        go(self, &mut Vec::new(), is_named)
    }

    /// Every field's path, in order.
    pub fn paths(&self) -> Vec<Vec<&str>> {
        fn go<'a>(set: &'a FieldSet, path: &mut Vec<&'a str>, out: &mut Vec<Vec<&'a str>>) {
            if set.owned {
                out.push(path.clone());
            }
            for (element, child) in &set.children {
                path.push(element);
                go(child, path, out);
                path.pop();
            }
        }
        let mut out = Vec::new();
        go(self, &mut Vec::new(), &mut out);
        out
    }

    /// The form in managedFields.
    pub fn to_json(&self) -> Value {
        let mut out = Map::new();
        for (element, child) in &self.children {
            let mut inner = child.to_json();
            if child.owned
                && !child.children.is_empty()
                && let Some(members) = inner.as_object_mut()
            {
                members.insert(".".to_owned(), Value::Object(Map::new()));
            }
            out.insert(element.clone(), inner);
        }
        Value::Object(out)
    }

    /// Reads the form in managedFields; `None` if it is none.
    pub fn from_json(value: &Value) -> Option<Self> {
        let members = value.as_object()?;
        let mut set = Self::default();
        for (element, inner) in members {
            if element == "." {
                set.owned = true;
                continue;
            }
            let known = ["f:", "k:", "v:", "i:"].iter().any(|prefix| element.starts_with(prefix));
            let mut child = Self::from_json(inner).filter(|_| known)?;
            child.owned |= child.children.is_empty();
            set.children.insert(element.clone(), child);
        }
        Some(set)
    }
}

/// A path as conflicts show it: `.spec.template.spec.containers[name="a"].image`.
pub fn shown(path: &[&str]) -> String {
    let mut out = String::new();
    for element in path {
        match element.split_at_checked(2) {
            Some(("f:", name)) => {
                out.push('.');
                out.push_str(name);
            }
            Some(("k:", keys)) => {
                let keys: Map<String, Value> = serde_json::from_str(keys).unwrap_or_default();
                let keys: Vec<_> = keys.iter().map(|(key, value)| format!("{key}={value}")).collect();
                out.push_str(&format!("[{}]", keys.join(",")));
            }
            Some(("v:", value)) => out.push_str(&format!("[={value}]")),
            Some((_, index)) => out.push_str(&format!("[{index}]")),
            None => {}
        }
    }
    out
}
