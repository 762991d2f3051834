//! What is wrong with what a manager applies, in structured-merge-diff's words.

use serde_json::Value;

use super::{set::shown, walk::Form};
use crate::api::schema::{Shape, Type};

/// Every fault, `.spec.replica: field not declared in schema`.
pub(super) fn faults(of: &'static Type, wanted: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    object(of, wanted, &mut Vec::new(), &mut faults);
    faults
}

/// The faults as one text.
pub(super) fn text(faults: &[String]) -> String {
    match faults {
        [one] => one.clone(),
        many => format!("errors:\n  {}", many.join("\n  ")),
    }
}

fn fault(path: &[String], message: &str, faults: &mut Vec<String>) {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    faults.push(format!("{}: {message}", shown(&path)));
}

fn found(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "string",
        Value::Array(_) => "list",
        Value::Object(_) => "map",
    }
}

fn object(of: &'static Type, value: &Value, path: &mut Vec<String>, faults: &mut Vec<String>) {
    let Some(members) = value.as_object() else {
        fault(path, &format!("expected map, got {}", found(value)), faults);
        return;
    };
    for (key, member) in members {
        if of.root && (key == "apiVersion" || key == "kind") {
            continue;
        }
        path.push(format!("f:{key}"));
        match of.field(key) {
            None => {
                // The rest of this object is not looked at.
                fault(path, "field not declared in schema", faults);
                path.pop();
                return;
            }
            Some(_) if member.is_null() => {}
            Some(field) => shape(&field.shape, Form::of(&field.shape, Some(field)), member, path, faults),
        }
        path.pop();
    }
}

fn shape(shape: &Shape, form: Form<'_>, value: &Value, path: &mut Vec<String>, faults: &mut Vec<String>) {
    let expected = match (shape, value) {
        (Shape::Object(_), _) => {
            if let Some(of) = shape.object() {
                object(of, value, path, faults);
            }
            return;
        }
        (Shape::List(inner), Value::Array(list)) => return entries(inner, form, list, path, faults),
        (Shape::Map(inner), Value::Object(members)) => {
            for (key, member) in members.iter().filter(|(_, member)| !member.is_null()) {
                path.push(format!("f:{key}"));
                self::shape(inner, Form::of(inner, None), member, path, faults);
                path.pop();
            }
            return;
        }
        (Shape::List(_), _) => "expected list",
        (Shape::Map(_), _) => "expected map",
        (Shape::Text(_) | Shape::Bytes | Shape::Time | Shape::MicroTime | Shape::Duration, Value::String(_))
        | (Shape::Bool, Value::Bool(_))
        | (Shape::Int32 | Shape::Int64 | Shape::Double, Value::Number(_))
        | (Shape::Quantity | Shape::IntOrString, Value::Number(_) | Value::String(_))
        | (Shape::Raw | Shape::Fields, _) => return,
        (Shape::Bool, _) => "expected boolean",
        (Shape::Int32 | Shape::Int64 | Shape::Double, _) => "expected numeric (int or float)",
        _ => "expected string",
    };
    fault(path, &format!("{expected}, got {}", found(value)), faults);
}

fn entries(inner: &Shape, form: Form<'_>, list: &[Value], path: &mut Vec<String>, faults: &mut Vec<String>) {
    let mut seen: Vec<String> = Vec::new();
    for (index, entry) in list.iter().enumerate() {
        let mut element = format!("i:{index}");
        if let Form::Keyed(keys, _) = form {
            let Some(named) = form.element(entry) else {
                let key = keys.iter().find(|key| entry.get(**key).is_none()).copied().unwrap_or("");
                let message = format!(
                    "element {index}: associative list with keys has an element that omits key field {key:?} (and doesn't have default \
                     value)"
                );
                fault(path, &message, faults);
                continue;
            };
            if seen.contains(&named) {
                let shown = shown(&[named.as_str()]);
                fault(path, &format!("duplicate entries for key {shown}"), faults);
            }
            seen.push(named.clone());
            element = named;
        }
        path.push(element);
        shape(inner, Form::of(inner, None), entry, path, faults);
        path.pop();
    }
}
