//! What webhooks and admission policies share: the rules of what they are asked about, and conditions (`ValidateRuleWithOperations`).

use serde_json::{Value, json};

use crate::{
    api::check::{At, Problems, label},
    cel::Expression,
    dynamic_admission::conditions,
    object::{entries, text},
};

const OPERATIONS: [&str; 5] = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
/// The most conditions that a webhook or policy may have.
const CONDITIONS_MAX: usize = 64;

/// Checks one rule.
pub(super) fn rule(rule: &Value, at: &At, problems: &mut Problems) {
    let list =
        |member: &str| -> Vec<&str> { entries(rule, &format!("/{member}")).iter().filter_map(Value::as_str).collect() };
    for member in ["apiGroups", "apiVersions", "operations"] {
        let given = list(member);
        let at = at.child(member);
        if given.is_empty() {
            problems.required(&at, "");
        }
        if given.len() > 1 && given.contains(&"*") {
            problems.invalid(&at, json!(given), "if '*' is present, must not specify other values");
        }
        for (index, value) in given.iter().enumerate() {
            if member == "operations" && !OPERATIONS.contains(value) {
                problems.not_supported(&at.index(index), value, &OPERATIONS);
            }
            if member == "apiVersions" && value.is_empty() {
                problems.required(&at.index(index), "");
            }
        }
    }
    let resources = list("resources");
    let at_resources = at.child("resources");
    if resources.is_empty() {
        problems.required(&at_resources, "");
    }
    for (index, resource) in resources.iter().enumerate() {
        if resource.is_empty() {
            problems.required(&at_resources.index(index), "");
        }
    }
    if resources.len() > 1 && resources.contains(&"*/*") {
        let detail = "if '*/*' is present, must not specify other resources";
        problems.invalid(&at_resources, json!(resources), detail);
    }
    let scope = text(rule, "/scope");
    let scopes = ["*", "Cluster", "Namespaced"];
    if !scope.is_empty() && !scopes.contains(&scope) {
        problems.not_supported(&at.child("scope"), scope, &scopes);
    }
}

/// Checks the conditions of a webhook or policy.
pub(super) fn match_conditions(holder: &Value, at: &At, problems: &mut Problems) {
    let at = at.child("matchConditions");
    let conditions = entries(holder, "/matchConditions");
    if conditions.len() > CONDITIONS_MAX {
        problems.too_many(&at, conditions.len(), CONDITIONS_MAX);
    }
    let mut names: Vec<&str> = Vec::new();
    for (index, condition) in conditions.iter().enumerate() {
        let at = at.index(index);
        let own = text(condition, "/name");
        if own.is_empty() {
            problems.required(&at.child("name"), "");
        } else {
            for problem in label::qualified_name(own) {
                problems.invalid(&at.child("name"), own, problem);
            }
        }
        if names.contains(&own) {
            problems.duplicate(&at.child("name"), own);
        }
        names.push(own);
        expression(text(condition, "/expression"), &conditions::VARIABLES, &at.child("expression"), problems);
    }
}

/// Checks that an expression is there and can be read.
pub(super) fn expression(given: &str, variables: &[&str], at: &At, problems: &mut Problems) {
    if given.trim().is_empty() {
        problems.required(at, "");
    } else if let Err(error) = Expression::compile(given, variables) {
        problems.invalid(at, given, format!("compilation failed: {error}"));
    }
}
