//! Rules of schemas (`x-kubernetes-validations`): CEL over the value that they stand at.

use serde_json::Value;

use super::{at, child};
use crate::{
    api::check::Problems,
    cel::Expression,
    object::{entries, members, text},
};

/// Works out the rules of a schema and of what it holds. A rule that names `oldSelf` is only for changes.
pub(super) fn validate(schema: &Value, value: &Value, old: Option<&Value>, path: &str, problems: &mut Problems) {
    if value.is_null() {
        return;
    }
    for rule in entries(schema, "/x-kubernetes-validations") {
        check(schema, rule, value, old, path, problems);
    }
    for (name, inner) in members(schema, "/properties") {
        if let Some(member) = value.get(name) {
            validate(inner, member, old.and_then(|old| old.get(name)), &child(path, name), problems);
        }
    }
    let properties = schema.get("properties");
    if let Some(inner) = schema.get("additionalProperties").filter(|inner| inner.is_object()) {
        for (name, member) in members(value, "") {
            if properties.is_none_or(|properties| properties.get(name).is_none()) {
                validate(inner, member, old.and_then(|old| old.get(name)), &child(path, name), problems);
            }
        }
    }
    if let (Some(items), Some(list)) = (schema.get("items"), value.as_array()) {
        for (index, entry) in list.iter().enumerate() {
            // Entries have a past only where they are found by keys, which is left out here.
            validate(items, entry, None, &format!("{path}[{index}]"), problems);
        }
    }
}

fn check(schema: &Value, rule: &Value, value: &Value, old: Option<&Value>, path: &str, problems: &mut Problems) {
    let source = text(rule, "/rule");
    let is_transition = source.contains("oldSelf");
    if is_transition && old.is_none() {
        return;
    }
    let before = old.unwrap_or(&Value::Null);
    let known = [("self", value), ("oldSelf", before)];
    let names = ["self", "oldSelf"];
    let own = text(rule, "/fieldPath").trim_start_matches('.');
    let at = at(&if own.is_empty() { path.to_owned() } else { child(path, own) });
    let detail = match Expression::compile(source, &names).and_then(|expression| expression.holds(&known)) {
        Ok(true) => return,
        Ok(false) => message(rule, &known),
        Err(why) => format!("{why} evaluating rule: {}", message(rule, &known)),
    };
    match text(rule, "/reason") {
        "FieldValueForbidden" => problems.forbidden(&at, detail),
        "FieldValueRequired" => problems.required(&at, &detail),
        "FieldValueDuplicate" => problems.duplicate(&at, value.clone()),
        // Structures are not shown.
        _ if matches!(text(schema, "/type"), "object" | "array") => problems.invalid_plain(&at, detail),
        _ => problems.invalid(&at, value.clone(), detail),
    }
}

fn message(rule: &Value, known: &[(&str, &Value)]) -> String {
    let made = text(rule, "/messageExpression");
    if !made.is_empty()
        && let Ok(Value::String(made)) =
            Expression::compile(made, &["self", "oldSelf"]).and_then(|expression| expression.evaluate(known))
        && !made.trim().is_empty()
    {
        return made.trim().to_owned();
    }
    match text(rule, "/message").trim() {
        "" => format!("failed rule: {}", text(rule, "/rule").trim()),
        plain => plain.to_owned(),
    }
}
