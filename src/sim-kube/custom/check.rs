//! Checks custom objects against their schema, in the words of kube-openapi's validator (`pkg/validation/errors`) and of the field errors
//! that the server makes of them (`apiextensions-apiserver/pkg/apiserver/validation`).

mod formats;
mod rules;

use serde_json::Value;

use super::Custom;
use crate::{
    api::check::{At, Problems},
    cel::Expression,
    object::{entries, members, number, text, truth},
};

/// Checks an object; `old` is what it was before.
pub fn validate(custom: &Custom, object: &Value, old: Option<&Value>, problems: &mut Problems) {
    let walk = Walk { root: true };
    walk.value(&custom.schema, object, "", problems);
    // Rules are not worked out over an object of the wrong form.
    if problems.list.is_empty() {
        rules::validate(&custom.schema, object, old, "", problems);
    }
}

struct Walk {
    root: bool,
}

fn at(path: &str) -> At {
    At::new(path)
}

fn child(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// A JSON value's type, as the validator names it.
fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Where the validator says that something is: the path `in body`.
fn named(path: &str) -> String {
    if path.is_empty() { "body".to_owned() } else { format!("{path} in body") }
}

impl Walk {
    fn value(&self, schema: &Value, value: &Value, path: &str, problems: &mut Problems) {
        if value.is_null() && truth(schema, "/nullable") {
            return;
        }
        if !self.has_type(schema, value, path, problems) {
            return;
        }
        enumerated(schema, value, path, problems);
        match value {
            Value::Number(_) => numbers(schema, value, path, problems),
            Value::String(given) => texts(schema, given, path, problems),
            Value::Array(list) => self.list(schema, list, path, problems),
            Value::Object(_) => self.object(schema, value, path, problems),
            _ => {}
        }
        combined(schema, value, path, problems);
    }

    fn has_type(&self, schema: &Value, value: &Value, path: &str, problems: &mut Problems) -> bool {
        if truth(schema, "/x-kubernetes-int-or-string") {
            if matches!(type_of(value), "integer" | "string") {
                return true;
            }
            let found = type_of(value);
            let detail = format!("{} must be of type integer,string: {found:?}", named(path));
            problems.type_invalid(&at(path), found, detail);
            return false;
        }
        let wanted = text(schema, "/type");
        let found = type_of(value);
        let fits = wanted.is_empty()
            || wanted == found
            || (wanted == "number" && found == "integer")
            || (wanted == "integer" && value.as_f64().is_some_and(|number| number.fract() == 0.0));
        if !fits {
            let detail = format!("{} must be of type {wanted}: {found:?}", named(path));
            problems.type_invalid(&at(path), found, detail);
        }
        fits
    }

    fn list(&self, schema: &Value, list: &[Value], path: &str, problems: &mut Problems) {
        let count = list.len();
        let limit = |member: &str| number(schema, member).and_then(|limit| usize::try_from(limit).ok());
        if let Some(most) = limit("/maxItems").filter(|most| count > *most) {
            problems.too_many(&at(path), count, most);
        }
        if let Some(least) = limit("/minItems").filter(|least| count < *least) {
            let detail = format!("{} should have at least {least} items", named(path));
            problems.invalid(&at(path), count, detail);
        }
        let items = schema.get("items").unwrap_or(&Value::Null);
        for (index, entry) in list.iter().enumerate() {
            Self { root: false }.value(items, entry, &format!("{path}[{index}]"), problems);
        }
        duplicates(schema, list, path, problems);
    }

    fn object(&self, schema: &Value, value: &Value, path: &str, problems: &mut Problems) {
        let count = value.as_object().map_or(0, serde_json::Map::len);
        let limit = |member: &str| number(schema, member).and_then(|limit| usize::try_from(limit).ok());
        if let Some(most) = limit("/maxProperties").filter(|most| count > *most) {
            problems.too_many(&at(path), count, most);
        }
        if let Some(least) = limit("/minProperties").filter(|least| count < *least) {
            let detail = format!("{} should have at least {least} properties", named(path));
            problems.invalid(&at(path), count, detail);
        }
        for name in entries(schema, "/required").iter().filter_map(Value::as_str) {
            if value.get(name).is_none() {
                problems.required(&at(&child(path, name)), "");
            }
        }
        let properties = schema.get("properties").and_then(Value::as_object);
        let any = schema.get("additionalProperties").filter(|any| any.is_object());
        for (name, member) in members(value, "") {
            // Metadata and its like are checked for every object alike.
            if self.root && ["apiVersion", "kind", "metadata"].contains(&name.as_str()) {
                continue;
            }
            let inner = properties.and_then(|properties| properties.get(name)).or(any);
            if let Some(inner) = inner {
                Self { root: false }.value(inner, member, &child(path, name), problems);
            }
        }
    }
}

fn enumerated(schema: &Value, value: &Value, path: &str, problems: &mut Problems) {
    let allowed = entries(schema, "/enum");
    if allowed.is_empty() || allowed.contains(value) {
        return;
    }
    let shown: Vec<String> =
        allowed.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).collect();
    let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
    let given = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    problems.not_supported(&at(path), &given, &shown);
}

fn numbers(schema: &Value, value: &Value, path: &str, problems: &mut Problems) {
    let Some(given) = value.as_f64() else { return };
    let limit = |member: &str| schema.get(member).filter(|limit| limit.is_number());
    let mut refuse = |detail: String| problems.invalid(&at(path), value.clone(), detail);
    if let Some(most) = limit("maximum") {
        let (open, bound) = (truth(schema, "/exclusiveMaximum"), most.as_f64().unwrap_or(f64::MAX));
        if given > bound || (open && given >= bound) {
            let or = if open { "" } else { " or equal to" };
            refuse(format!("{} should be less than{or} {most}", named(path)));
        }
    }
    if let Some(least) = limit("minimum") {
        let (open, bound) = (truth(schema, "/exclusiveMinimum"), least.as_f64().unwrap_or(f64::MIN));
        if given < bound || (open && given <= bound) {
            let or = if open { "" } else { " or equal to" };
            refuse(format!("{} should be greater than{or} {least}", named(path)));
        }
    }
    if let Some(of) = limit("multipleOf")
        && let Some(step) = of.as_f64().filter(|step| *step != 0.0)
        && (given / step).fract() != 0.0
    {
        refuse(format!("{} should be a multiple of {of}", named(path)));
    }
}

fn texts(schema: &Value, given: &str, path: &str, problems: &mut Problems) {
    let count = i64::try_from(given.chars().count()).unwrap_or(i64::MAX);
    if let Some(most) = number(schema, "/maxLength").filter(|most| count > *most) {
        problems.too_long(&at(path), usize::try_from(most).unwrap_or(0));
    }
    if let Some(least) = number(schema, "/minLength").filter(|least| count < *least) {
        problems.invalid(&at(path), given, format!("{} should be at least {least} chars long", named(path)));
    }
    let pattern = text(schema, "/pattern");
    if !pattern.is_empty() && !fits(pattern, given) {
        problems.invalid(&at(path), given, format!("{} should match '{pattern}'", named(path)));
    }
    let format = text(schema, "/format");
    if !formats::fits(format, given) {
        problems.type_invalid(&at(path), given, format!("{} must be of type {format}: {given:?}", named(path)));
    }
}

/// Whether a text fits a regular expression. A pattern that cannot be read fits nothing.
fn fits(pattern: &str, given: &str) -> bool {
    let (given, pattern) = (Value::from(given), Value::from(pattern));
    Expression::compile("given.matches(pattern)", &["given", "pattern"])
        .and_then(|expression| expression.holds(&[("given", &given), ("pattern", &pattern)]))
        .unwrap_or(false)
}

/// Entries of sets, and keys of maps, are there once.
fn duplicates(schema: &Value, list: &[Value], path: &str, problems: &mut Problems) {
    let keys: Vec<&str> = entries(schema, "/x-kubernetes-list-map-keys").iter().filter_map(Value::as_str).collect();
    let identity = |entry: &Value| match text(schema, "/x-kubernetes-list-type") {
        "set" => Some(entry.clone()),
        "map" => {
            let pairs = keys.iter().filter_map(|key| Some(((*key).to_owned(), entry.get(key)?.clone())));
            Some(Value::Object(pairs.collect()))
        }
        _ if truth(schema, "/uniqueItems") => Some(entry.clone()),
        _ => None,
    };
    let mut seen: Vec<Value> = Vec::new();
    for (index, entry) in list.iter().enumerate() {
        let Some(identity) = identity(entry) else { return };
        if seen.contains(&identity) {
            problems.duplicate(&at(&format!("{path}[{index}]")), identity.clone());
        }
        seen.push(identity);
    }
}

/// Whether a value fits a schema.
fn is_of(schema: &Value, value: &Value) -> bool {
    let mut problems = Problems::default();
    Walk { root: false }.value(schema, value, "", &mut problems);
    problems.list.is_empty()
}

fn combined(schema: &Value, value: &Value, path: &str, problems: &mut Problems) {
    let count = |member: &str| entries(schema, member).iter().filter(|inner| is_of(inner, value)).count();
    let (all, any, one) = (entries(schema, "/allOf"), entries(schema, "/anyOf"), entries(schema, "/oneOf"));
    let mut refuse = |detail: String| problems.invalid(&at(path), "", detail);
    if !any.is_empty() && count("/anyOf") == 0 {
        refuse(format!("{} must validate at least one schema (anyOf)", named(path)));
    }
    match count("/oneOf") {
        1 => {}
        _ if one.is_empty() => {}
        0 => refuse(format!("{} must validate one and only one schema (oneOf). Found none valid", named(path))),
        many => refuse(format!(
            "{} must validate one and only one schema (oneOf). Found {many} valid alternatives",
            named(path)
        )),
    }
    if count("/allOf") < all.len() {
        refuse(format!("{} must validate all the schemas (allOf)", named(path)));
    }
    if let Some(not) = schema.get("not").filter(|not| not.is_object())
        && is_of(not, value)
    {
        refuse(format!("{} must not validate the schema (not)", named(path)));
    }
}
