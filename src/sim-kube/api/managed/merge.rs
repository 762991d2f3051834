//! Merging what a manager wants into an object: members unite, keyed lists unite by their keys, all else is replaced.

use serde_json::Value;

use super::walk::Form;
use crate::api::schema::Type;

/// The object with the wanted fields.
pub(super) fn merge(of: &'static Type, live: &Value, wanted: &Value) -> Value {
    unite(Form::Struct(of), live, wanted)
}

fn unite(form: Form<'_>, live: &Value, wanted: &Value) -> Value {
    match (form, live, wanted) {
        (Form::Struct(_) | Form::Map(_), Value::Object(live), Value::Object(wanted)) => {
            let mut out = live.clone();
            for (key, wanted) in wanted {
                let united = match live.get(key) {
                    Some(live) => unite(form.member(key), live, wanted),
                    None => wanted.clone(),
                };
                out.insert(key.clone(), united);
            }
            Value::Object(out)
        }
        (Form::Set | Form::Keyed(..), Value::Array(live), Value::Array(wanted)) => {
            Value::Array(unite_lists(form, live, wanted))
        }
        _ => wanted.clone(),
    }
}

/// Entries of both lists: those of the wanted one in its order, those of the live one where they stood between them.
fn unite_lists(form: Form<'_>, live: &[Value], wanted: &[Value]) -> Vec<Value> {
    let name = |entry: &Value| form.element(entry).unwrap_or_default();
    let live: Vec<(String, &Value)> = live.iter().map(|entry| (name(entry), entry)).collect();
    let wanted: Vec<(String, &Value)> = wanted.iter().map(|entry| (name(entry), entry)).collect();
    let is_wanted = |element: &str| wanted.iter().any(|(other, _)| other == element);
    let united = |(element, wanted): &(String, &Value)| match live.iter().find(|(other, _)| other == element) {
        Some((_, live)) => unite(form.entry(), live, wanted),
        None => (*wanted).clone(),
    };
    let mut out = Vec::new();
    let mut rest = live.iter().peekable();
    for entry in &wanted {
        let shared = live.iter().any(|(element, _)| *element == entry.0);
        // What the live list alone has before a shared entry stays before it.
        while let Some((element, value)) = rest.peek() {
            if is_wanted(element) {
                if *element == entry.0 || !shared {
                    break;
                }
                rest.next();
            } else if shared {
                out.push((*value).clone());
                rest.next();
            } else {
                break;
            }
        }
        if rest.peek().is_some_and(|(element, _)| *element == entry.0) {
            rest.next();
        }
        out.push(united(entry));
    }
    out.extend(rest.filter(|(element, _)| !is_wanted(element)).map(|(_, value)| (*value).clone()));
    out
}
