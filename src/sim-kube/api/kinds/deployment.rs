//! Deployments (`pkg/apis/apps/v1/defaults.go`, `pkg/apis/apps/validation`).

use serde_json::{Value, json};

use super::{
    PLAIN, Rules,
    defaults::default,
    template::{self, share},
};
use crate::{
    api::check::{At, Problems, name::NameRule},
    object::{number, set, text},
};

pub static RULES: Rules = Rules {
    name: NameRule::Subdomain,
    defaults,
    create: |object| set(object, "/status", json!({})),
    validate,
    validate_update: |new, old, problems| template::same_selector(new, old, problems),
    // Annotations count too: a rollback writes the revision there.
    counts: |new, old| {
        new.get("spec") != old.get("spec")
            || new.pointer("/metadata/annotations") != old.pointer("/metadata/annotations")
    },
    ..PLAIN
};

fn defaults(object: &mut Value) {
    default(object, "/spec/replicas", 1);
    default(object, "/spec/strategy/type", "RollingUpdate");
    if text(object, "/spec/strategy/type") == "RollingUpdate" {
        default(object, "/spec/strategy/rollingUpdate/maxUnavailable", "25%");
        default(object, "/spec/strategy/rollingUpdate/maxSurge", "25%");
    }
    default(object, "/spec/revisionHistoryLimit", 10);
    default(object, "/spec/progressDeadlineSeconds", 600);
    template::defaults(object);
}

fn validate(object: &Value, problems: &mut Problems) {
    let at = At::new("spec");
    problems.not_negative(&at.child("replicas"), number(object, "/spec/replicas"));
    template::validate(object, "deployment", problems);
    strategy(object, &at.child("strategy"), problems);
    problems.not_negative(&at.child("minReadySeconds"), number(object, "/spec/minReadySeconds"));
    problems.not_negative(&at.child("revisionHistoryLimit"), number(object, "/spec/revisionHistoryLimit"));
    let deadline = number(object, "/spec/progressDeadlineSeconds");
    problems.not_negative(&at.child("progressDeadlineSeconds"), deadline);
    let ready = number(object, "/spec/minReadySeconds").unwrap_or(0);
    if let Some(deadline) = deadline.filter(|deadline| *deadline <= ready) {
        problems.invalid(&at.child("progressDeadlineSeconds"), deadline, "must be greater than minReadySeconds");
    }
}

fn strategy(object: &Value, at: &At, problems: &mut Problems) {
    match text(object, "/spec/strategy/type") {
        "Recreate" => {
            if object.pointer("/spec/strategy/rollingUpdate").is_some_and(|value| !value.is_null()) {
                problems
                    .forbidden(&at.child("rollingUpdate"), "may not be specified when strategy `type` is 'Recreate'");
            }
        }
        "RollingUpdate" => rolling_update(object, &at.child("rollingUpdate"), problems),
        other => problems.not_supported(&at.child("type"), other, &["Recreate", "RollingUpdate"]),
    }
}

fn rolling_update(object: &Value, at: &At, problems: &mut Problems) {
    let mut zero = Vec::new();
    for member in ["maxUnavailable", "maxSurge"] {
        let value = object.pointer(&format!("/spec/strategy/rollingUpdate/{member}")).cloned().unwrap_or_default();
        zero.push(share(&value) == Some(0));
        template::share_of(&value, &at.child(member), problems);
        if member == "maxUnavailable" && value.is_string() && share(&value).is_some_and(|share| share > 100) {
            problems.invalid(&at.child(member), value, "must not be greater than 100%");
        }
    }
    if zero.iter().all(|zero| *zero) {
        let value = object.pointer("/spec/strategy/rollingUpdate/maxUnavailable").cloned().unwrap_or_default();
        problems.invalid(&at.child("maxUnavailable"), value, "may not be 0 when `maxSurge` is 0");
    }
}
