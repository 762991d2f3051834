//! Autoscalers (`pkg/apis/autoscaling/v2/defaults.go`, `ValidateHorizontalPodAutoscaler`).

use serde_json::{Value, json};

use super::{PLAIN, Rules, defaults::default};
use crate::{
    api::{
        check::{At, Problems, label, name, name::NameRule},
        quantity::Quantity,
    },
    object::{entries, number, set, text},
};

pub static RULES: Rules = Rules {
    defaults,
    create: |object| set(object, "/status", json!({"desiredReplicas": 0, "currentMetrics": null})),
    validate,
    ..PLAIN
};

/// The share of their processor requests that pods are meant to use, where nothing else is said.
const CPU: i64 = 80;
/// The longest time over which recommendations are weighed, and over which a policy counts, in seconds.
const WINDOW_MAX: i64 = 3600;
const PERIOD_MAX: i64 = 1800;

fn defaults(object: &mut Value) {
    default(object, "/spec/minReplicas", 1);
    if entries(object, "/spec/metrics").is_empty() {
        let target = json!({"type": "Utilization", "averageUtilization": CPU});
        set(object, "/spec/metrics", json!([{"type": "Resource", "resource": {"name": "cpu", "target": target}}]));
    }
    if object.pointer("/spec/behavior").is_none_or(Value::is_null) {
        return;
    }
    let policy = |kind: &str, value: i64| json!({"type": kind, "value": value, "periodSeconds": 15});
    for (side, policies) in [
        ("scaleUp", json!([policy("Pods", 4), policy("Percent", 100)])),
        ("scaleDown", json!([policy("Percent", 100)])),
    ] {
        let at = format!("/spec/behavior/{side}");
        if side == "scaleUp" {
            default(object, &format!("{at}/stabilizationWindowSeconds"), 0);
        }
        default(object, &format!("{at}/selectPolicy"), "Max");
        default(object, &format!("{at}/policies"), policies);
    }
}

fn validate(object: &Value, problems: &mut Problems) {
    let at = At::new("spec");
    let (least, most) = (number(object, "/spec/minReplicas"), number(object, "/spec/maxReplicas").unwrap_or(0));
    if let Some(least) = least.filter(|least| *least < 1) {
        problems.invalid(&at.child("minReplicas"), least, "must be greater than or equal to 1");
    }
    if most < 1 {
        problems.invalid(&at.child("maxReplicas"), most, "must be greater than 0");
    }
    if least.is_some_and(|least| most < least) {
        problems.invalid(&at.child("maxReplicas"), most, "must be greater than or equal to `minReplicas`");
    }
    reference(object.pointer("/spec/scaleTargetRef").unwrap_or(&Value::Null), &at.child("scaleTargetRef"), problems);
    for (index, metric) in entries(object, "/spec/metrics").iter().enumerate() {
        validate_metric(metric, &at.child("metrics").index(index), problems);
    }
    for side in ["scaleUp", "scaleDown"] {
        if let Some(rules) = object.pointer(&format!("/spec/behavior/{side}")).filter(|rules| !rules.is_null()) {
            behavior(rules, &at.child("behavior").child(side), problems);
        }
    }
}

fn reference(reference: &Value, at: &At, problems: &mut Problems) {
    for member in ["kind", "name"] {
        let value = text(reference, &format!("/{member}"));
        if value.is_empty() {
            problems.required(&at.child(member), "");
        } else {
            for problem in name::problems(NameRule::PathSegment, value, false) {
                problems.invalid(&at.child(member), value, problem);
            }
        }
    }
}

const SOURCES: [(&str, &str); 5] = [
    ("ContainerResource", "containerResource"),
    ("External", "external"),
    ("Object", "object"),
    ("Pods", "pods"),
    ("Resource", "resource"),
];

fn validate_metric(metric: &Value, at: &At, problems: &mut Problems) {
    let kind = text(metric, "/type");
    let Some((_, wanted)) = SOURCES.iter().find(|(known, _)| *known == kind) else {
        if kind.is_empty() {
            problems.required(&at.child("type"), "must specify a metric source type");
        } else {
            problems.not_supported(&at.child("type"), kind, &SOURCES.map(|(known, _)| known));
        }
        return;
    };
    for (_, member) in SOURCES {
        if member != *wanted && metric.get(member).is_some_and(|source| !source.is_null()) {
            problems.forbidden(&at.child(member), "must populate the given metric source only");
        }
    }
    let at = at.child(wanted);
    let Some(source) = metric.get(*wanted).filter(|source| !source.is_null()) else {
        problems.required(&at, "must populate information for the given metric source");
        return;
    };
    let target = source.get("target").unwrap_or(&Value::Null);
    match *wanted {
        "resource" | "containerResource" => {
            if text(source, "/name").is_empty() {
                problems.required(&at.child("name"), "must specify a resource name");
            }
            if *wanted == "containerResource" && text(source, "/container").is_empty() {
                problems.required(&at.child("container"), "must specify a container");
            }
            match (number(target, "/averageUtilization"), target.get("averageValue").filter(|value| !value.is_null())) {
                (None, None) => problems.required(
                    &at.child("target").child("averageUtilization"),
                    "must set either a target raw value or a target utilization",
                ),
                (Some(_), Some(_)) => problems.forbidden(
                    &at.child("target").child("averageValue"),
                    "may not set both a target raw value and a target utilization",
                ),
                _ => {}
            }
        }
        _ => {
            let identifier = at.child("metric");
            let own = text(source, "/metric/name");
            if own.is_empty() {
                problems.required(&identifier.child("name"), "must specify a metric name");
            } else {
                for problem in name::problems(NameRule::PathSegment, own, false) {
                    problems.invalid(&identifier.child("name"), own, problem);
                }
            }
            label::selector(source.pointer("/metric/selector"), &identifier.child("selector"), problems);
            if *wanted == "object" {
                reference(
                    source.get("describedObject").unwrap_or(&Value::Null),
                    &at.child("describedObject"),
                    problems,
                );
            }
            let has = |member: &str| target.get(member).is_some_and(|value| !value.is_null());
            if *wanted == "pods" && !has("averageValue") {
                problems
                    .required(&at.child("target").child("averageValue"), "must specify a positive target averageValue");
            } else if !has("value") && !has("averageValue") {
                problems.required(
                    &at.child("target").child("averageValue"),
                    "must set either a target value or averageValue",
                );
            }
        }
    }
    validate_target(target, &at.child("target"), problems);
}

fn validate_target(target: &Value, at: &At, problems: &mut Problems) {
    let kind = text(target, "/type");
    let kinds = ["Utilization", "Value", "AverageValue"];
    if kind.is_empty() {
        problems.required(&at.child("type"), "must specify a metric target type");
    } else if !kinds.contains(&kind) {
        problems.invalid(&at.child("type"), kind, "must be either Utilization, Value, or AverageValue");
    }
    for member in ["value", "averageValue"] {
        let given = text(target, &format!("/{member}"));
        if Quantity::parse(given).is_ok_and(|amount| amount.is_zero() || amount.is_negative()) {
            problems.invalid(&at.child(member), given, "must be positive");
        }
    }
    if let Some(share) = number(target, "/averageUtilization").filter(|share| *share < 1) {
        problems.invalid(&at.child("averageUtilization"), share, "must be greater than 0");
    }
}

fn behavior(rules: &Value, at: &At, problems: &mut Problems) {
    if let Some(window) = number(rules, "/stabilizationWindowSeconds") {
        let at = at.child("stabilizationWindowSeconds");
        if window < 0 {
            problems.invalid(&at, window, "must be greater than or equal to zero");
        } else if window > WINDOW_MAX {
            problems.invalid(&at, window, format!("must be less than or equal to {WINDOW_MAX}"));
        }
    }
    let select = text(rules, "/selectPolicy");
    if !["", "Max", "Min", "Disabled"].contains(&select) {
        problems.not_supported(&at.child("selectPolicy"), select, &["Disabled", "Max", "Min"]);
    }
    let policies = entries(rules, "/policies");
    if policies.is_empty() {
        problems.required(&at.child("policies"), "must specify at least one Policy");
    }
    for (index, policy) in policies.iter().enumerate() {
        let at = at.child("policies").index(index);
        let kind = text(policy, "/type");
        if !["Pods", "Percent"].contains(&kind) {
            problems.not_supported(&at.child("type"), kind, &["Percent", "Pods"]);
        }
        let (value, period) = (number(policy, "/value").unwrap_or(0), number(policy, "/periodSeconds").unwrap_or(0));
        if value <= 0 {
            problems.invalid(&at.child("value"), value, "must be greater than zero");
        }
        if period <= 0 {
            problems.invalid(&at.child("periodSeconds"), period, "must be greater than zero");
        } else if period > PERIOD_MAX {
            let detail = format!("must be less than or equal to {PERIOD_MAX}");
            problems.invalid(&at.child("periodSeconds"), period, detail);
        }
    }
}
