//! What workloads share: a selector, a template that fits it, and numbers that may be shares.

use serde_json::Value;

use super::pod_spec;
use crate::{
    api::{
        check::{At, Problems, label},
        select::label::matches_selector,
    },
    object::text,
};

/// Fills in the template's pod.
pub(super) fn defaults(object: &mut Value) {
    if let Some(spec) = object.pointer_mut("/spec/template/spec") {
        pod_spec::defaults(spec);
    }
}

/// Checks selector and template.
pub(super) fn validate(object: &Value, kind: &str, problems: &mut Problems) {
    let at = At::new("spec");
    let selector = object.pointer("/spec/selector").filter(|selector| !selector.is_null());
    match selector {
        None => problems.required(&at.child("selector"), ""),
        Some(selector) => {
            label::selector(Some(selector), &at.child("selector"), problems);
            let empty = ["matchLabels", "matchExpressions"].iter().all(|member| {
                selector.get(member).is_none_or(|value| value.as_object().is_some_and(serde_json::Map::is_empty))
            });
            if empty {
                problems.invalid(
                    &at.child("selector"),
                    selector.clone(),
                    format!("empty selector is invalid for {kind}"),
                );
            }
        }
    }
    let at = at.child("template");
    let labels = object.pointer("/spec/template/metadata/labels");
    if let Some(selector) = selector
        && !matches_selector(selector, labels)
    {
        let shown = labels.cloned().unwrap_or(Value::Null);
        problems.invalid(&at.child("metadata").child("labels"), shown, "`selector` does not match template `labels`");
    }
    label::labels(labels, &at.child("metadata").child("labels"), problems);
    label::annotations(
        object.pointer("/spec/template/metadata/annotations"),
        &at.child("metadata").child("annotations"),
        problems,
    );
    let Some(spec) = object.pointer("/spec/template/spec") else { return };
    // A StatefulSet's pods get volumes that its template does not have: upstream looks at their spec only when they are made
    // (`ValidatePodTemplateSpecForStatefulSet`).
    if kind != "statefulset" {
        pod_spec::validate(spec, &at.child("spec"), problems);
    }
    let policy = text(spec, "/restartPolicy");
    if ["OnFailure", "Never"].contains(&policy) {
        problems.not_supported(&at.child("spec").child("restartPolicy"), policy, &["Always"]);
    }
    if spec.get("activeDeadlineSeconds").is_some_and(|deadline| !deadline.is_null()) {
        let at = at.child("spec").child("activeDeadlineSeconds");
        problems.forbidden(&at, format!("activeDeadlineSeconds in {} is not Supported", title(kind)));
    }
}

fn title(kind: &str) -> &'static str {
    match kind {
        "deployment" => "Deployment",
        "statefulset" => "StatefulSet",
        "daemonset" => "DaemonSet",
        "replicationcontroller" => "ReplicationController",
        _ => "ReplicaSet",
    }
}

/// Checks a number that may also be a share in percent (`ValidatePositiveIntOrPercent`).
pub(super) fn share_of(value: &Value, at: &At, problems: &mut Problems) {
    match value {
        Value::Number(number) => problems.not_negative(at, number.as_i64()),
        Value::String(text) if share(value).is_none() => problems.invalid(
            at,
            text.as_str(),
            "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation \
             is '[0-9]+%')",
        ),
        _ => {}
    }
}

/// A number, or the number before `%`.
pub(super) fn share(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => {
            let digits = text.strip_suffix('%')?;
            let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            if is_number { digits.parse().ok() } else { None }
        }
        _ => None,
    }
}

/// A selector stays what it is.
pub(super) fn same_selector(new: &Value, old: &Value, problems: &mut Problems) {
    let selector = new.pointer("/spec/selector");
    if selector != old.pointer("/spec/selector") {
        problems.invalid(
            &At::new("spec").child("selector"),
            selector.cloned().unwrap_or_default(),
            "field is immutable",
        );
    }
}
