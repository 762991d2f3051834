//! Webhook configurations (`pkg/apis/admissionregistration/v1/defaults.go`, `pkg/apis/admissionregistration/validation`).

use serde_json::{Value, json};

use super::{
    PLAIN, Rules,
    admission_match::{match_conditions, rule},
    defaults::{default, each},
};
use crate::{
    api::check::{At, Problems, label, name},
    object::{entries, number, text},
};

pub static VALIDATING: Rules = Rules {
    defaults: |object| defaults(object, false),
    validate: |object, problems| validate(object, problems),
    counts: |new, old| new.get("webhooks") != old.get("webhooks"),
    ..PLAIN
};

pub static MUTATING: Rules = Rules {
    defaults: |object| defaults(object, true),
    validate: |object, problems| validate(object, problems),
    counts: |new, old| new.get("webhooks") != old.get("webhooks"),
    ..PLAIN
};

/// The versions of the review that a server can send.
const REVIEWS: [&str; 2] = ["v1", "v1beta1"];

fn defaults(object: &mut Value, mutating: bool) {
    for webhook in each(object, "/webhooks") {
        default(webhook, "/failurePolicy", "Fail");
        default(webhook, "/matchPolicy", "Equivalent");
        default(webhook, "/namespaceSelector", json!({}));
        default(webhook, "/objectSelector", json!({}));
        default(webhook, "/timeoutSeconds", 10);
        if mutating {
            default(webhook, "/reinvocationPolicy", "Never");
        }
        if webhook.pointer("/clientConfig/service").is_some_and(Value::is_object) {
            default(webhook, "/clientConfig/service/port", 443);
        }
        for rule in each(webhook, "/rules") {
            default(rule, "/scope", "*");
        }
    }
}

fn validate(object: &Value, problems: &mut Problems) {
    let mut names: Vec<&str> = Vec::new();
    for (index, webhook) in entries(object, "/webhooks").iter().enumerate() {
        let at = At::new("webhooks").index(index);
        let own = text(webhook, "/name");
        qualified(own, &at.child("name"), problems);
        if names.contains(&own) {
            problems.duplicate(&at.child("name"), own);
        }
        names.push(own);
        reviews(webhook, &at.child("admissionReviewVersions"), problems);
        for (index, given) in entries(webhook, "/rules").iter().enumerate() {
            rule(given, &at.child("rules").index(index), problems);
        }
        for (member, allowed) in [
            ("failurePolicy", &["Fail", "Ignore"][..]),
            ("matchPolicy", &["Equivalent", "Exact"][..]),
            ("reinvocationPolicy", &["IfNeeded", "Never"][..]),
        ] {
            let value = text(webhook, &format!("/{member}"));
            if !value.is_empty() && !allowed.contains(&value) {
                problems.not_supported(&at.child(member), value, allowed);
            }
        }
        match text(webhook, "/sideEffects") {
            "" => problems.required(&at.child("sideEffects"), "must specify one of None, NoneOnDryRun"),
            "None" | "NoneOnDryRun" => {}
            other => problems.not_supported(&at.child("sideEffects"), other, &["None", "NoneOnDryRun"]),
        }
        if let Some(seconds) = number(webhook, "/timeoutSeconds").filter(|seconds| !(1..=30).contains(seconds)) {
            problems.invalid(
                &at.child("timeoutSeconds"),
                seconds,
                "the timeout value must be between 1 and 30 seconds",
            );
        }
        for member in ["namespaceSelector", "objectSelector"] {
            label::selector(webhook.get(member), &at.child(member), problems);
        }
        client(webhook.get("clientConfig").unwrap_or(&Value::Null), &at.child("clientConfig"), problems);
        match_conditions(webhook, &at, problems);
    }
}

/// A webhook's name is a domain of three parts at least.
fn qualified(given: &str, at: &At, problems: &mut Problems) {
    if given.is_empty() {
        problems.required(at, "");
        return;
    }
    for problem in name::subdomain(given) {
        problems.invalid(at, given, problem);
    }
    if given.split('.').count() < 3 {
        problems.invalid(at, given, "should be a domain with at least three segments separated by dots");
    }
}

fn reviews(webhook: &Value, at: &At, problems: &mut Problems) {
    let given: Vec<&str> = entries(webhook, "/admissionReviewVersions").iter().filter_map(Value::as_str).collect();
    if given.is_empty() {
        problems.required(at, &format!("must specify one of {}", REVIEWS.join(", ")));
    } else if !given.iter().any(|version| REVIEWS.contains(version)) {
        problems.invalid(at, json!(given), format!("must include at least one of {}", REVIEWS.join(", ")));
    }
}

fn client(config: &Value, at: &At, problems: &mut Problems) {
    let given = |member: &str| config.get(member).filter(|value| !value.is_null());
    match (given("url"), given("service")) {
        (Some(_), Some(_)) | (None, None) => {
            problems.required(at, "exactly one of url or service is required");
        }
        (Some(url), None) => {
            let url = url.as_str().unwrap_or("");
            if !url.starts_with("https://") {
                problems.invalid(
                    &at.child("url"),
                    url,
                    "'https' is the only allowed URL scheme; desired format: https://host[/path]",
                );
            }
        }
        (None, Some(service)) => {
            let at = at.child("service");
            for member in ["name", "namespace"] {
                if text(service, &format!("/{member}")).is_empty() {
                    problems.required(&at.child(member), &format!("service {member} is required"));
                }
            }
            if let Some(port) = number(service, "/port").filter(|port| !(1..=65535).contains(port)) {
                problems.invalid(&at.child("port"), port, "port is not valid: must be between 1 and 65535, inclusive");
            }
            let path = text(service, "/path");
            if !path.is_empty() && !path.starts_with('/') {
                problems.invalid(&at.child("path"), path, "must start with a '/'");
            }
        }
    }
}
