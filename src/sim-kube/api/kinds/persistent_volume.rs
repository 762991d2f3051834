//! Volumes of the cluster (`pkg/apis/core/v1/defaults.go`, `ValidatePersistentVolume`).

use serde_json::{Map, Value, json};

use super::{PLAIN, Rules, claim, defaults::default};
use crate::{
    api::{
        check::{At, Problems, name},
        quantity::Quantity,
        schema,
    },
    object::{set, text},
};

pub static RULES: Rules = Rules {
    defaults: |object| {
        default(object, "/spec/persistentVolumeReclaimPolicy", "Retain");
        default(object, "/spec/volumeMode", "Filesystem");
        if object.pointer("/spec/hostPath").is_some_and(Value::is_object)
            && object.pointer("/spec/hostPath/type").is_none_or(Value::is_null)
        {
            set(object, "/spec/hostPath/type", json!(""));
        }
    },
    create: |object| {
        set(object, "/status", json!({"phase": "Pending"}));
        claim::protect(object, "kubernetes.io/pv-protection");
    },
    validate,
    validate_update,
    ..PLAIN
};

const POLICIES: [&str; 3] = ["Delete", "Recycle", "Retain"];

/// The members of a spec that say where the volume is.
fn sources(object: &Value) -> Map<String, Value> {
    let Some(of) = schema::find("io.k8s.api.core.v1.PersistentVolumeSource") else { return Map::new() };
    let spec = object.get("spec").and_then(Value::as_object).cloned().unwrap_or_default();
    spec.into_iter().filter(|(key, value)| of.field(key).is_some() && !value.is_null()).collect()
}

fn validate(object: &Value, problems: &mut Problems) {
    let at = At::new("spec");
    claim::modes(object, &at, problems);
    let capacity = object.pointer("/spec/capacity").and_then(Value::as_object).cloned().unwrap_or_default();
    let at_capacity = at.child("capacity");
    if capacity.is_empty() {
        problems.required(&at_capacity, "");
    }
    match capacity.get("storage").and_then(Value::as_str) {
        None if !capacity.is_empty() => {
            let given = Value::Object(capacity.clone()).to_string();
            problems.not_supported(&at_capacity, &given, &["storage"]);
        }
        Some(size) if Quantity::parse(size).is_ok_and(|size| size.is_zero() || size.is_negative()) => {
            problems.invalid(&at_capacity.key("storage"), size, "must be greater than zero");
        }
        _ => {}
    }
    let policy = text(object, "/spec/persistentVolumeReclaimPolicy");
    if !POLICIES.contains(&policy) {
        problems.not_supported(&at.child("persistentVolumeReclaimPolicy"), policy, &POLICIES);
    }
    let sources = sources(object);
    match sources.len() {
        0 => problems.required(&at, "must specify a volume type"),
        1 => {}
        _ => {
            let second = sources.keys().nth(1).cloned().unwrap_or_default();
            problems.forbidden(&at.child(&second), "may not specify more than 1 volume type");
        }
    }
    if sources.contains_key("hostPath") && text(object, "/spec/hostPath/path").is_empty() {
        problems.required(&at.child("hostPath").child("path"), "");
    }
    if sources.contains_key("local") {
        if text(object, "/spec/local/path").is_empty() {
            problems.required(&at.child("local").child("path"), "");
        }
        if object.pointer("/spec/nodeAffinity/required").is_none_or(Value::is_null) {
            problems.required(&at.child("nodeAffinity"), "Local volume requires node affinity");
        }
    }
    let class = text(object, "/spec/storageClassName");
    if !class.is_empty() {
        for problem in name::subdomain(class) {
            problems.invalid(&at.child("storageClassName"), class, problem);
        }
    }
    let mode = text(object, "/spec/volumeMode");
    if !["Block", "Filesystem"].contains(&mode) {
        problems.not_supported(&at.child("volumeMode"), mode, &["Block", "Filesystem"]);
    }
}

fn validate_update(new: &Value, old: &Value, problems: &mut Problems) {
    let at = At::new("spec");
    let (after, before) = (Value::Object(sources(new)), Value::Object(sources(old)));
    if after != before {
        let diff = super::pod_diff::diff_of("io.k8s.api.core.v1.PersistentVolumeSource", &before, &after);
        problems.forbidden(
            &at.child("persistentvolumesource"),
            format!("spec.persistentvolumesource is immutable after creation\n{diff}"),
        );
    }
    for member in ["volumeMode", "nodeAffinity"] {
        let before = old.pointer(&format!("/spec/{member}")).filter(|value| !value.is_null());
        let after = new.pointer(&format!("/spec/{member}")).filter(|value| !value.is_null());
        if after != before && (member == "volumeMode" || before.is_some()) {
            problems.invalid(&at.child(member), after.cloned().unwrap_or_default(), "field is immutable");
        }
    }
}
