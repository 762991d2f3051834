//! Problems of an object, each at a field path, worded as apimachinery's `field.Error` does.

use std::fmt::Display;

use serde_json::{Value, json};

use crate::{Kind, Status};

/// A field's path: `spec.containers[0].image`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At(String);

impl At {
    pub fn new(root: &str) -> Self {
        Self(root.to_owned())
    }

    /// The path of a member.
    #[must_use]
    pub fn child(&self, name: &str) -> Self {
        Self(if self.0.is_empty() { name.to_owned() } else { format!("{}.{name}", self.0) })
    }

    /// The path of a list's entry.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        Self(format!("{}[{index}]", self.0))
    }

    /// The path of a map's entry.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        Self(format!("{}[{key}]", self.0))
    }
}

impl Display for At {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// `FieldValueInvalid`, `FieldValueRequired` …
    pub reason: &'static str,
    pub field: String,
    /// `Invalid value: -1: must be greater than or equal to 0`.
    pub message: String,
}

/// All problems of one object, and what is only worth a warning.
#[derive(Clone, Debug, Default)]
pub struct Problems {
    pub list: Vec<Problem>,
    pub warnings: Vec<String>,
}

impl Problems {
    fn add(&mut self, reason: &'static str, at: &At, message: String) {
        self.list.push(Problem { reason, field: at.to_string(), message });
    }

    /// A value that breaks a rule.
    pub fn invalid(&mut self, at: &At, value: impl Into<Value>, detail: impl Display) {
        let value = value.into();
        self.add("FieldValueInvalid", at, format!("Invalid value: {}: {detail}", shown(&value)));
    }

    /// A value that breaks a rule, as the text that stands for it.
    pub fn invalid_text(&mut self, at: &At, value: &str, detail: impl Display) {
        self.add("FieldValueInvalid", at, format!("Invalid value: {value}: {detail}"));
    }

    /// A value that breaks a rule and is not shown.
    pub fn invalid_plain(&mut self, at: &At, detail: impl Display) {
        self.add("FieldValueInvalid", at, format!("Invalid value: {detail}"));
    }

    /// A value of the wrong type.
    pub fn type_invalid(&mut self, at: &At, value: impl Into<Value>, detail: impl Display) {
        let value = value.into();
        self.add("FieldValueTypeInvalid", at, format!("Invalid value: {}: {detail}", shown(&value)));
    }

    pub fn required(&mut self, at: &At, detail: &str) {
        let detail = if detail.is_empty() { String::new() } else { format!(": {detail}") };
        self.add("FieldValueRequired", at, format!("Required value{detail}"));
    }

    pub fn duplicate(&mut self, at: &At, value: impl Into<Value>) {
        self.add("FieldValueDuplicate", at, format!("Duplicate value: {}", shown(&value.into())));
    }

    pub fn not_found(&mut self, at: &At, value: impl Into<Value>) {
        self.add("FieldValueNotFound", at, format!("Not found: {}", shown(&value.into())));
    }

    pub fn forbidden(&mut self, at: &At, detail: impl Display) {
        self.add("FieldValueForbidden", at, format!("Forbidden: {detail}"));
    }

    /// A value that is none of these; they are named in order.
    pub fn not_supported(&mut self, at: &At, value: &str, supported: &[&str]) {
        let mut names: Vec<_> = supported.to_vec();
        names.sort_unstable();
        let names: Vec<_> = names.iter().map(|name| format!("{name:?}")).collect();
        self.add(
            "FieldValueNotSupported",
            at,
            format!("Unsupported value: {value:?}: supported values: {}", names.join(", ")),
        );
    }

    pub fn too_long(&mut self, at: &At, bytes: usize) {
        self.add("FieldValueTooLong", at, format!("Too long: may not be more than {bytes} bytes"));
    }

    pub fn too_many(&mut self, at: &At, found: usize, most: usize) {
        self.add("FieldValueTooMany", at, format!("Too many: {found}: must have at most {most} items"));
    }

    /// Something that is let pass with a warning.
    pub fn warn(&mut self, text: impl Into<String>) {
        self.warnings.push(text.into());
    }

    /// A number that must not be negative.
    pub fn not_negative(&mut self, at: &At, number: Option<i64>) {
        if let Some(number) = number.filter(|number| *number < 0) {
            self.invalid(at, number, "must be greater than or equal to 0");
        }
    }

    /// A port number.
    pub fn port(&mut self, at: &At, number: i64) {
        if !(1..=65535).contains(&number) {
            self.invalid(at, number, "must be between 1 and 65535, inclusive");
        }
    }

    /// Nothing, or the API's refusal of the object.
    ///
    /// # Errors
    /// 422 Invalid.
    pub fn into_result(self, kind: &Kind, name: &str) -> Result<Vec<String>, Status> {
        if self.list.is_empty() { Ok(self.warnings) } else { Err(invalid(kind.group, kind.kind, name, &self.list)) }
    }
}

/// 422 Invalid, as `errors.NewInvalid` words it.
pub fn invalid(group: &str, kind: &str, name: &str, problems: &[Problem]) -> Status {
    let mut texts: Vec<String> = Vec::new();
    for problem in problems {
        let text = format!("{}: {}", problem.field, problem.message);
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    let all = match texts.as_slice() {
        [one] => one.clone(),
        many => format!("[{}]", many.join(", ")),
    };
    let full = if group.is_empty() { kind.to_owned() } else { format!("{kind}.{group}") };
    let causes: Vec<_> = problems
        .iter()
        .map(|problem| json!({"reason": problem.reason, "message": problem.message, "field": problem.field}))
        .collect();
    let mut details = json!({"causes": causes});
    for (key, value) in [("name", name), ("group", group), ("kind", kind)] {
        if !value.is_empty() {
            details[key] = Value::from(value);
        }
    }
    Status { details, ..Status::new(422, "Invalid", format!("{full} {name:?} is invalid: {all}")) }
}

/// A value as an error shows it: texts quoted, structures as JSON.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text:?}"),
        Value::Null => "null".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_problem_stands_alone_and_many_in_a_list() {
        let mut problems = Problems::default();
        problems.not_negative(&At::new("spec.replicas"), Some(-1));
        let status = problems.clone().into_result(&crate::kind::DEPLOYMENT, "web").unwrap_err();
        assert_eq!(
            status.message,
            "Deployment.apps \"web\" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0"
        );
        problems.required(&At::new("spec").child("template"), "");
        let status = problems.into_result(&crate::kind::DEPLOYMENT, "web").unwrap_err();
        assert!(status.message.ends_with(", spec.template: Required value]"), "{}", status.message);
        assert_eq!(status.details["causes"][1]["field"], "spec.template");
    }
}
