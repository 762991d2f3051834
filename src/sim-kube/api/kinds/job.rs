//! Jobs (`pkg/apis/batch/v1/defaults.go`, `pkg/registry/batch/job/strategy.go`, `ValidateJob`).

use serde_json::{Value, json};

use super::{
    PLAIN, Rules,
    defaults::{default, each},
    pod_spec, template,
};
use crate::{
    api::{
        check::{At, Problems, label},
        select::label::matches_selector,
    },
    object::{entries, number, set, text, truth},
};

pub static RULES: Rules =
    Rules { defaults, create, validate: |object, problems| validate(object, problems), validate_update, ..PLAIN };

/// The labels by which a job finds its pods; the old names first.
const LABELS: [(&str, bool); 4] = [
    ("controller-uid", true),
    ("job-name", false),
    ("batch.kubernetes.io/controller-uid", true),
    ("batch.kubernetes.io/job-name", false),
];
const OWN: &str = "batch.kubernetes.io/controller-uid";
/// The most pods at a time of a job whose pods have numbers.
const INDEXED_MAX: i64 = 100_000;

fn defaults(object: &mut Value) {
    if number(object, "/spec/completions").is_none() && number(object, "/spec/parallelism").is_none() {
        set(object, "/spec/completions", json!(1));
        set(object, "/spec/parallelism", json!(1));
    }
    default(object, "/spec/parallelism", 1);
    let each_index = number(object, "/spec/backoffLimitPerIndex").is_some();
    default(object, "/spec/backoffLimit", if each_index { i64::from(i32::MAX) } else { 6 });
    default(object, "/spec/completionMode", "NonIndexed");
    default(object, "/spec/suspend", false);
    default(object, "/spec/manualSelector", false);
    let has_policy = object.pointer("/spec/podFailurePolicy").is_some_and(|policy| !policy.is_null());
    default(object, "/spec/podReplacementPolicy", if has_policy { "Failed" } else { "TerminatingOrFailed" });
    for rule in each(object, "/spec/podFailurePolicy/rules") {
        for pattern in each(rule, "/onPodConditions") {
            default(pattern, "/status", "True");
        }
    }
    template::defaults(object);
    let labels = object.pointer("/spec/template/metadata/labels").cloned().unwrap_or_default();
    if is_empty(object.pointer("/metadata/labels")) && !is_empty(Some(&labels)) {
        set(object, "/metadata/labels", labels);
    }
}

fn is_empty(labels: Option<&Value>) -> bool {
    labels.and_then(Value::as_object).is_none_or(serde_json::Map::is_empty)
}

/// The selector is the job's uid, unless it is given by hand.
fn create(object: &mut Value) {
    set(object, "/status", json!({}));
    if truth(object, "/spec/manualSelector") {
        return;
    }
    let (uid, name) = (text(object, "/metadata/uid").to_owned(), text(object, "/metadata/name").to_owned());
    let own = object.pointer("/metadata/labels").cloned();
    // A job without labels has those of its template, what is added here included.
    let shared = is_empty(own.as_ref()) || own.as_ref() == object.pointer("/spec/template/metadata/labels");
    for place in ["/spec/template/metadata/labels", "/metadata/labels"] {
        if place == "/metadata/labels" && !shared {
            continue;
        }
        if is_empty(object.pointer(place)) {
            set(object, place, json!({}));
        }
        let Some(labels) = object.pointer_mut(place).and_then(Value::as_object_mut) else { continue };
        for (key, is_uid) in LABELS {
            let value = if is_uid { &uid } else { &name };
            labels.entry(key).or_insert_with(|| json!(value));
        }
    }
    if object.pointer("/spec/selector/matchLabels").is_none_or(|labels| !labels.is_object()) {
        set(object, "/spec/selector/matchLabels", json!({}));
    }
    if let Some(labels) = object.pointer_mut("/spec/selector/matchLabels").and_then(Value::as_object_mut)
        && !labels.contains_key(OWN)
        && !labels.contains_key("controller-uid")
    {
        labels.insert(OWN.to_owned(), json!(uid));
    }
}

fn validate(object: &Value, problems: &mut Problems) {
    let at = At::new("spec");
    generated(object, &at, problems);
    let spec = object.get("spec").unwrap_or(&Value::Null);
    validate_spec(spec, &at, problems);
    match spec.get("selector").filter(|selector| !selector.is_null()) {
        None => problems.required(&at.child("selector"), ""),
        Some(selector) => {
            label::selector(Some(selector), &at.child("selector"), problems);
            let labels = spec.pointer("/template/metadata/labels");
            if !matches_selector(selector, labels) {
                problems.invalid(
                    &at.child("template").child("metadata").child("labels"),
                    labels.cloned().unwrap_or_default(),
                    "`selector` does not match template `labels`",
                );
            }
        }
    }
}

/// A selector that is not given by hand is the one that the server made.
fn generated(object: &Value, at: &At, problems: &mut Problems) {
    if truth(object, "/spec/manualSelector") {
        return;
    }
    let (uid, name) = (text(object, "/metadata/uid"), text(object, "/metadata/name"));
    let labels = object.pointer("/spec/template/metadata/labels").unwrap_or(&Value::Null);
    let here = at.child("template").child("metadata").child("labels");
    for (key, is_uid) in LABELS {
        let wanted = if is_uid { uid } else { name };
        match labels.get(key).and_then(Value::as_str) {
            None => problems.required(&here.key(key), &format!("must be '{wanted}'")),
            Some(found) if found != wanted => {
                problems.invalid(&here.key(key), labels.clone(), format!("must be '{wanted}'"));
            }
            Some(_) => {}
        }
    }
    let expected = json!({
        "controller-uid": uid,
        OWN: uid,
        "job-name": name,
        "batch.kubernetes.io/job-name": name,
    });
    let selector = object.pointer("/spec/selector").unwrap_or(&Value::Null);
    if !selector.is_null() && !matches_selector(selector, Some(&expected)) {
        problems.invalid(&at.child("selector"), selector.clone(), "`selector` not auto-generated");
    }
}

/// Checks a job's spec, of a job or in the template of a CronJob.
pub(super) fn validate_spec(spec: &Value, at: &At, problems: &mut Problems) {
    for member in [
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "backoffLimitPerIndex",
        "maxFailedIndexes",
    ] {
        problems.not_negative(&at.child(member), number(spec, &format!("/{member}")));
    }
    match text(spec, "/completionMode") {
        "Indexed" => {
            if number(spec, "/completions").is_none() {
                problems.required(&at.child("completions"), "when completion mode is Indexed");
            }
            if let Some(many) = number(spec, "/parallelism").filter(|many| *many > INDEXED_MAX) {
                problems.invalid(
                    &at.child("parallelism"),
                    many,
                    format!("must be less than or equal to {INDEXED_MAX} when completion mode is Indexed"),
                );
            }
        }
        "NonIndexed" | "" => {
            if number(spec, "/backoffLimitPerIndex").is_some() {
                problems.invalid(
                    &at.child("backoffLimitPerIndex"),
                    number(spec, "/backoffLimitPerIndex"),
                    "requires indexed completion mode",
                );
            }
        }
        other => problems.not_supported(&at.child("completionMode"), other, &["NonIndexed", "Indexed"]),
    }
    let replacement = text(spec, "/podReplacementPolicy");
    if !["", "Failed", "TerminatingOrFailed"].contains(&replacement) {
        problems.not_supported(&at.child("podReplacementPolicy"), replacement, &["Failed", "TerminatingOrFailed"]);
    }
    failure_policy(spec, &at.child("podFailurePolicy"), problems);
    let at = at.child("template");
    label::labels(spec.pointer("/template/metadata/labels"), &at.child("metadata").child("labels"), problems);
    label::annotations(
        spec.pointer("/template/metadata/annotations"),
        &at.child("metadata").child("annotations"),
        problems,
    );
    let at = at.child("spec");
    let Some(pod) = spec.pointer("/template/spec") else { return };
    pod_spec::validate(pod, &at, problems);
    let has_policy = spec.get("podFailurePolicy").is_some_and(|policy| !policy.is_null());
    match text(pod, "/restartPolicy") {
        // What is left out has become `Always` by now.
        "" | "Always" => {
            problems.required(&at.child("restartPolicy"), "valid values: \"OnFailure\", \"Never\"");
        }
        "OnFailure" if has_policy => problems.invalid(
            &at.child("restartPolicy"),
            "OnFailure",
            "only \"Never\" is supported when podFailurePolicy is specified",
        ),
        _ => {}
    }
}

fn failure_policy(spec: &Value, at: &At, problems: &mut Problems) {
    for (index, rule) in entries(spec, "/podFailurePolicy/rules").iter().enumerate() {
        let at = at.child("rules").index(index);
        let action = text(rule, "/action");
        let known = ["Count", "FailIndex", "FailJob", "Ignore"];
        if action.is_empty() {
            problems.required(&at.child("action"), "valid values: [\"Count\" \"FailIndex\" \"FailJob\" \"Ignore\"]");
        } else if !known.contains(&action) {
            problems.not_supported(&at.child("action"), action, &known);
        }
        let has_codes = rule.get("onExitCodes").is_some_and(|codes| !codes.is_null());
        let has_conditions = !entries(rule, "/onPodConditions").is_empty();
        match (has_codes, has_conditions) {
            (true, true) => {
                problems.invalid(&at, "", "specifying both OnExitCodes and OnPodConditions is not supported")
            }
            (false, false) => {
                problems.invalid(&at, "", "specifying one of OnExitCodes and OnPodConditions is required")
            }
            _ => {}
        }
    }
}

fn validate_update(new: &Value, old: &Value, problems: &mut Problems) {
    let at = At::new("spec");
    let indexed = text(new, "/spec/completionMode") == "Indexed";
    let same = |member: &str| new.pointer(&format!("/spec/{member}")) == old.pointer(&format!("/spec/{member}"));
    let mut refuse = |member: &str, detail: &str| {
        let value = new.pointer(&format!("/spec/{member}")).cloned().unwrap_or_default();
        problems.invalid(&at.child(member), value, detail);
    };
    if !same("completions") {
        if !indexed {
            refuse("completions", "field is immutable");
        } else if new.pointer("/spec/completions") != new.pointer("/spec/parallelism")
            || old.pointer("/spec/completions") != old.pointer("/spec/parallelism")
        {
            refuse("completions", "can only be modified in tandem with spec.parallelism");
        }
    }
    for member in
        ["selector", "completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"]
    {
        if !same(member) {
            refuse(member, "field is immutable");
        }
    }
    if template_matters(new, old) {
        let template = new.pointer("/spec/template").unwrap_or(&Value::Null);
        let shown = super::pod_diff::shown_of("io.k8s.api.core.v1.PodTemplateSpec", template);
        problems.invalid_text(&at.child("template"), &shown, "field is immutable");
    }
}

/// Where a suspended job that has not begun may change where its pods go, and what they may use.
fn template_matters(new: &Value, old: &Value) -> bool {
    let suspended = truth(old, "/spec/suspend") && text(old, "/status/startTime").is_empty();
    if !suspended {
        return new.pointer("/spec/template") != old.pointer("/spec/template");
    }
    let rest = |object: &Value| {
        let mut template = object.pointer("/spec/template").cloned().unwrap_or_default();
        for member in ["labels", "annotations"] {
            crate::object::unset(&mut template, &format!("/metadata/{member}"));
        }
        for member in ["nodeSelector", "affinity", "tolerations", "schedulingGates"] {
            crate::object::unset(&mut template, &format!("/spec/{member}"));
        }
        for list in ["containers", "initContainers"] {
            for container in each(&mut template, &format!("/spec/{list}")) {
                crate::object::unset(container, "/resources");
            }
        }
        template
    };
    rest(new) != rest(old)
}
