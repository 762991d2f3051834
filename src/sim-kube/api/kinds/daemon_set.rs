//! DaemonSets (`pkg/apis/apps/v1/defaults.go`, `ValidateDaemonSet`).

use serde_json::{Value, json};

use super::{PLAIN, Rules, defaults::default, template};
use crate::{
    api::check::{At, Problems},
    object::{number, set, text},
};

/// Counts changes of the template. The key has dots and a slash, so no pointer reaches it.
const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

pub static RULES: Rules = Rules {
    defaults,
    create: |object| {
        set(object, "/status", json!({}));
        generation(object, 1);
    },
    update: |new, old| {
        let before = old.pointer("/metadata/annotations").and_then(|notes| notes.get(TEMPLATE_GENERATION));
        let before = before.and_then(Value::as_str).and_then(|text| text.parse().ok()).unwrap_or(1);
        let changed = new.pointer("/spec/template") != old.pointer("/spec/template");
        generation(new, before + i64::from(changed));
    },
    validate,
    validate_update: |new, old, problems| template::same_selector(new, old, problems),
    ..PLAIN
};

fn generation(object: &mut Value, number: i64) {
    if object.pointer("/metadata/annotations").is_none_or(|notes| !notes.is_object()) {
        set(object, "/metadata/annotations", json!({}));
    }
    if let Some(notes) = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        notes.insert(TEMPLATE_GENERATION.to_owned(), json!(number.to_string()));
    }
}

fn defaults(object: &mut Value) {
    default(object, "/spec/updateStrategy/type", "RollingUpdate");
    if text(object, "/spec/updateStrategy/type") == "RollingUpdate" {
        default(object, "/spec/updateStrategy/rollingUpdate/maxUnavailable", 1);
        default(object, "/spec/updateStrategy/rollingUpdate/maxSurge", 0);
    }
    default(object, "/spec/revisionHistoryLimit", 10);
    template::defaults(object);
}

fn validate(object: &Value, problems: &mut Problems) {
    let at = At::new("spec");
    template::validate(object, "daemonset", problems);
    problems.not_negative(&at.child("minReadySeconds"), number(object, "/spec/minReadySeconds"));
    let at_strategy = at.child("updateStrategy");
    match text(object, "/spec/updateStrategy/type") {
        "OnDelete" => {}
        "RollingUpdate" => rolling_update(object, &at_strategy.child("rollingUpdate"), problems),
        other => problems.not_supported(&at_strategy, other, &["RollingUpdate", "OnDelete"]),
    }
    problems.not_negative(&at.child("revisionHistoryLimit"), number(object, "/spec/revisionHistoryLimit"));
}

fn rolling_update(object: &Value, at: &At, problems: &mut Problems) {
    let value = |member: &str| {
        object.pointer(&format!("/spec/updateStrategy/rollingUpdate/{member}")).cloned().unwrap_or_default()
    };
    let (unavailable, surge) = (value("maxUnavailable"), value("maxSurge"));
    template::share_of(&unavailable, &at.child("maxUnavailable"), problems);
    template::share_of(&surge, &at.child("maxSurge"), problems);
    match (template::share(&unavailable) == Some(0), template::share(&surge) == Some(0)) {
        (false, false) => {
            problems.invalid(&at.child("maxSurge"), surge, "may not be set when maxUnavailable is non-zero");
        }
        (true, true) => problems.required(&at.child("maxUnavailable"), "cannot be 0 when maxSurge is 0"),
        _ => {}
    }
}
