//! Admission policies and their bindings (`ValidateValidatingAdmissionPolicy`, `ValidateValidatingAdmissionPolicyBinding`).

use serde_json::{Value, json};

use super::{
    PLAIN, Rules,
    admission_match::{expression, match_conditions, rule},
    defaults::{default, each},
};
use crate::{
    api::check::{At, Problems, label},
    dynamic_admission::policy::VARIABLES,
    object::{entries, set, text},
};

pub static POLICY: Rules = Rules {
    defaults: |object| {
        default(object, "/spec/failurePolicy", "Fail");
        if object.pointer("/spec/matchConstraints").is_some_and(Value::is_object) {
            matching(object, "/spec/matchConstraints");
        }
    },
    create: |object| set(object, "/status", json!({})),
    validate: policy,
    ..PLAIN
};

pub static BINDING: Rules = Rules {
    defaults: |object| {
        if object.pointer("/spec/matchResources").is_some_and(Value::is_object) {
            matching(object, "/spec/matchResources");
        }
    },
    validate: binding,
    ..PLAIN
};

const ACTIONS: [&str; 3] = ["Audit", "Deny", "Warn"];
const REASONS: [&str; 4] = ["Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized"];

fn matching(object: &mut Value, at: &str) {
    default(object, &format!("{at}/matchPolicy"), "Equivalent");
    default(object, &format!("{at}/namespaceSelector"), json!({}));
    default(object, &format!("{at}/objectSelector"), json!({}));
    for list in ["resourceRules", "excludeResourceRules"] {
        for rule in each(object, &format!("{at}/{list}")) {
            default(rule, "/scope", "*");
        }
    }
}

fn resources(constraints: &Value, needed: bool, at: &At, problems: &mut Problems) {
    for member in ["namespaceSelector", "objectSelector"] {
        label::selector(constraints.get(member), &at.child(member), problems);
    }
    for list in ["resourceRules", "excludeResourceRules"] {
        for (index, given) in entries(constraints, &format!("/{list}")).iter().enumerate() {
            rule(given, &at.child(list).index(index), problems);
        }
    }
    if needed && entries(constraints, "/resourceRules").is_empty() {
        problems.required(&at.child("resourceRules"), "");
    }
    let policy = text(constraints, "/matchPolicy");
    if !["", "Equivalent", "Exact"].contains(&policy) {
        problems.not_supported(&at.child("matchPolicy"), policy, &["Equivalent", "Exact"]);
    }
}

fn policy(object: &Value, problems: &mut Problems) {
    let at = At::new("spec");
    let failure = text(object, "/spec/failurePolicy");
    if !["Fail", "Ignore"].contains(&failure) {
        problems.not_supported(&at.child("failurePolicy"), failure, &["Fail", "Ignore"]);
    }
    if let Some(kind) = object.pointer("/spec/paramKind").filter(|kind| !kind.is_null()) {
        for member in ["apiVersion", "kind"] {
            if text(kind, &format!("/{member}")).is_empty() {
                problems.required(&at.child("paramKind").child(member), "");
            }
        }
    }
    match object.pointer("/spec/matchConstraints").filter(|constraints| !constraints.is_null()) {
        None => problems.required(&at.child("matchConstraints"), ""),
        Some(constraints) => resources(constraints, true, &at.child("matchConstraints"), problems),
    }
    match_conditions(object.get("spec").unwrap_or(&Value::Null), &at, problems);
    let validations = entries(object, "/spec/validations");
    let audits = entries(object, "/spec/auditAnnotations");
    if validations.is_empty() && audits.is_empty() {
        let detail = "validations or auditAnnotations must contain at least one item";
        problems.required(&at.child("validations"), detail);
        problems.required(&at.child("auditAnnotations"), detail);
    }
    for (index, variable) in entries(object, "/spec/variables").iter().enumerate() {
        let at = at.child("variables").index(index);
        if text(variable, "/name").is_empty() {
            problems.required(&at.child("name"), "name is not set");
        }
        expression(text(variable, "/expression"), &VARIABLES, &at.child("expression"), problems);
    }
    for (index, validation) in validations.iter().enumerate() {
        let at = at.child("validations").index(index);
        let given = text(validation, "/expression");
        if given.trim().is_empty() {
            problems.required(&at.child("expression"), "expression is not specified");
        } else {
            expression(given, &VARIABLES, &at.child("expression"), problems);
        }
        let message = text(validation, "/messageExpression");
        if !message.is_empty() {
            expression(message, &VARIABLES, &at.child("messageExpression"), problems);
        }
        let reason = text(validation, "/reason");
        if !reason.is_empty() && !REASONS.contains(&reason) {
            problems.not_supported(&at.child("reason"), reason, &REASONS);
        }
    }
    for (index, audit) in audits.iter().enumerate() {
        let at = at.child("auditAnnotations").index(index);
        expression(text(audit, "/valueExpression"), &VARIABLES, &at.child("valueExpression"), problems);
    }
}

fn binding(object: &Value, problems: &mut Problems) {
    let at = At::new("spec");
    if text(object, "/spec/policyName").is_empty() {
        problems.required(&at.child("policyName"), "");
    }
    if let Some(reference) = object.pointer("/spec/paramRef").filter(|reference| !reference.is_null()) {
        let at = at.child("paramRef");
        let has_selector = reference.get("selector").is_some_and(|selector| !selector.is_null());
        match (text(reference, "/name").is_empty(), has_selector) {
            (true, false) => problems.required(&at, "one of name or selector must be specified"),
            (false, true) => problems.forbidden(&at.child("name"), "name and selector are mutually exclusive"),
            _ => {}
        }
        let action = text(reference, "/parameterNotFoundAction");
        if action.is_empty() {
            problems.required(&at.child("parameterNotFoundAction"), "");
        } else if !["Allow", "Deny"].contains(&action) {
            problems.not_supported(&at.child("parameterNotFoundAction"), action, &["Allow", "Deny"]);
        }
    }
    if let Some(constraints) = object.pointer("/spec/matchResources").filter(|constraints| !constraints.is_null()) {
        resources(constraints, false, &at.child("matchResources"), problems);
    }
    let at = at.child("validationActions");
    let actions: Vec<&str> = entries(object, "/spec/validationActions").iter().filter_map(Value::as_str).collect();
    if actions.is_empty() {
        problems.required(&at, "");
    }
    for (index, action) in actions.iter().enumerate() {
        if !ACTIONS.contains(action) {
            problems.not_supported(&at.index(index), action, &ACTIONS);
        } else if actions.iter().take(index).any(|before| before == action) {
            problems.duplicate(&at.index(index), *action);
        }
    }
    if actions.contains(&"Deny") && actions.contains(&"Warn") {
        problems.invalid(
            &at,
            json!(actions),
            "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers \
             serves no purpose)",
        );
    }
}
