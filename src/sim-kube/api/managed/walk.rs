//! Walking objects along the types' table: which fields an object has, what two objects differ in, what is left without some fields.

use serde_json::{Map, Value};

use super::set::FieldSet;
use crate::api::schema::{Field, ListType, Shape, Type};

/// How a value merges.
#[derive(Clone, Copy)]
pub(super) enum Form<'a> {
    /// One value: a scalar, or something that is replaced as a whole.
    Leaf,
    Struct(&'static Type),
    Map(&'a Shape),
    /// A list whose entries are values.
    Set,
    /// A list whose entries are found by these members.
    Keyed(&'a [&'static str], &'a Shape),
}

impl<'a> Form<'a> {
    pub(super) fn of(shape: &'a Shape, field: Option<&'a Field>) -> Self {
        let atomic = field.is_some_and(|field| field.atomic);
        match shape {
            _ if atomic => Self::Leaf,
            Shape::Object(_) => match shape.object() {
                Some(of) if !of.atomic => Self::Struct(of),
                _ => Self::Leaf,
            },
            Shape::Map(inner) => Self::Map(inner),
            Shape::List(inner) => match field.map(|field| &field.list) {
                Some(ListType::Set) => Self::Set,
                Some(ListType::Map(keys)) => Self::Keyed(keys, inner),
                _ => Self::Leaf,
            },
            _ => Self::Leaf,
        }
    }

    /// The form of a member of a struct or map.
    pub(super) fn member(self, key: &str) -> Form<'a> {
        match self {
            Self::Struct(of) => of.field(key).map_or(Form::Leaf, |field| Form::of(&field.shape, Some(field))),
            Self::Map(inner) => Form::of(inner, None),
            _ => Form::Leaf,
        }
    }

    /// The form of a list's entries.
    pub(super) fn entry(self) -> Form<'a> {
        match self {
            Self::Keyed(_, inner) => Form::of(inner, None),
            _ => Form::Leaf,
        }
    }

    /// The path element of a list's entry; `None` where a key is missing and has no default.
    pub(super) fn element(self, entry: &Value) -> Option<String> {
        match self {
            Self::Keyed(keys, inner) => {
                let of = inner.object();
                let mut found = Map::new();
                for key in keys {
                    let default = || of.and_then(|of| of.field(key)).and_then(|field| field.default);
                    let value = match entry.get(*key) {
                        Some(value) if !value.is_null() => value.clone(),
                        _ => serde_json::from_str(default()?).ok()?,
                    };
                    found.insert((*key).to_owned(), value);
                }
                Some(format!("k:{}", Value::Object(found)))
            }
            _ => Some(format!("v:{entry}")),
        }
    }

    fn is_list(self) -> bool {
        matches!(self, Self::Set | Self::Keyed(..))
    }
}

/// The fields that an object has.
pub fn fields(of: &'static Type, object: &Value) -> FieldSet {
    let mut set = FieldSet::default();
    collect(Form::Struct(of), object, &mut Vec::new(), &mut set);
    set
}

fn collect(form: Form<'_>, value: &Value, path: &mut Vec<String>, set: &mut FieldSet) {
    match (form, value) {
        (Form::Struct(_) | Form::Map(_), Value::Object(members)) => {
            for (key, member) in members {
                path.push(format!("f:{key}"));
                collect(form.member(key), member, path, set);
                let bare = member.is_null() || member.as_object().is_some_and(Map::is_empty);
                if bare || matches!(form, Form::Map(_)) {
                    set.insert(path);
                }
                path.pop();
            }
        }
        (Form::Set | Form::Keyed(..), Value::Array(entries)) => {
            for entry in entries {
                let Some(element) = form.element(entry) else { continue };
                path.push(element);
                collect(form.entry(), entry, path, set);
                set.insert(path);
                path.pop();
            }
        }
        (Form::Leaf, _) if !path.is_empty() => set.insert(path),
        _ => {}
    }
}

/// What a change added, changed and took away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    pub added: FieldSet,
    pub modified: FieldSet,
    pub removed: FieldSet,
}

/// Compares two objects.
pub fn compare(of: &'static Type, old: &Value, new: &Value) -> Comparison {
    let mut found = Comparison::default();
    differ(Form::Struct(of), Some(old), Some(new), &mut Vec::new(), &mut found);
    found
}

fn differ(form: Form<'_>, old: Option<&Value>, new: Option<&Value>, path: &mut Vec<String>, found: &mut Comparison) {
    let bare = |value: Option<&Value>| match value {
        None | Some(Value::Null) => true,
        Some(Value::Object(members)) => members.is_empty(),
        Some(Value::Array(entries)) => entries.is_empty(),
        Some(_) => false,
    };
    if matches!(form, Form::Leaf) || (bare(old) && bare(new)) {
        match (old, new) {
            (None, Some(_)) => found.added.insert(path),
            (Some(_), None) => found.removed.insert(path),
            (Some(old), Some(new)) if old != new => found.modified.insert(path),
            _ => {}
        }
        return;
    }
    for (element, old, new) in pairs(form, old, new) {
        let inner = match element.strip_prefix("f:") {
            Some(key) if !form.is_list() => form.member(key),
            _ => form.entry(),
        };
        path.push(element);
        differ(inner, old, new, path, found);
        path.pop();
    }
    if !path.is_empty() {
        match (old, new) {
            (None, Some(_)) => found.added.insert(path),
            (Some(_), None) => found.removed.insert(path),
            _ => {}
        }
    }
}

/// Members or entries side by side, by their path elements.
fn pairs<'v>(
    form: Form<'_>,
    old: Option<&'v Value>,
    new: Option<&'v Value>,
) -> Vec<(String, Option<&'v Value>, Option<&'v Value>)> {
    let mut pairs: Vec<(String, Option<&Value>, Option<&Value>)> = Vec::new();
    let mut put = |element: String, value: &'v Value, is_new: bool| {
        let position = pairs.iter().position(|(known, ..)| *known == element);
        let index = position.unwrap_or_else(|| {
            pairs.push((element, None, None));
            pairs.len() - 1
        });
        if let Some(pair) = pairs.get_mut(index) {
            let place = if is_new { &mut pair.2 } else { &mut pair.1 };
            *place = Some(value);
        }
    };
    for (value, is_new) in [(old, false), (new, true)] {
        match value {
            Some(Value::Object(members)) if !form.is_list() => {
                members.iter().for_each(|(key, member)| put(format!("f:{key}"), member, is_new));
            }
            Some(Value::Array(entries)) if form.is_list() => {
                for entry in entries {
                    if let Some(element) = form.element(entry) {
                        put(element, entry, is_new);
                    }
                }
            }
            _ => {}
        }
    }
    pairs
}

/// An object without the fields of a set.
pub fn without(of: &'static Type, object: &Value, gone: &FieldSet) -> Value {
    prune(Form::Struct(of), object, gone).unwrap_or_else(|| Value::Object(Map::new()))
}

fn prune(form: Form<'_>, value: &Value, gone: &FieldSet) -> Option<Value> {
    match (form, value) {
        (Form::Struct(_) | Form::Map(_), Value::Object(members)) if !members.is_empty() => {
            let mut out = Map::new();
            for (key, member) in members {
                let element = format!("f:{key}");
                if gone.has(&element) {
                    continue;
                }
                let kept = match gone.child(&element) {
                    Some(below) => prune(form.member(key), member, below).unwrap_or(Value::Null),
                    None => member.clone(),
                };
                out.insert(key.clone(), kept);
            }
            (!out.is_empty()).then_some(Value::Object(out))
        }
        (Form::Set | Form::Keyed(..), Value::Array(entries)) if !entries.is_empty() => {
            let mut out = Vec::new();
            for entry in entries {
                let element = form.element(entry).unwrap_or_default();
                if gone.has(&element) {
                    continue;
                }
                out.push(match gone.child(&element) {
                    Some(below) => prune(form.entry(), entry, below).unwrap_or(Value::Null),
                    None => entry.clone(),
                });
            }
            (!out.is_empty()).then_some(Value::Array(out))
        }
        _ => Some(value.clone()),
    }
}

/// A set with the named members that lead to its fields.
pub fn with_parents(of: &'static Type, set: &FieldSet) -> FieldSet {
    set.with_parents(&|path: &[&str]| {
        let mut form = Form::Struct(of);
        for (index, element) in path.iter().enumerate() {
            match element.strip_prefix("f:") {
                Some(key) if !form.is_list() => {
                    let last = index + 1 == path.len();
                    if last {
                        return matches!(form, Form::Struct(of) if of.field(key).is_some());
                    }
                    form = form.member(key);
                }
                _ => form = form.entry(),
            }
        }
        false
    })
}
