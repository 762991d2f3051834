//! Volumes.

use serde_json::{Value, json};

use super::defaults::{default, each};
use crate::{
    api::check::{At, Problems, name},
    object::{entries, text},
};

/// `0644`.
const MODE: i64 = 0o644;

/// Fills in a volume.
pub(super) fn defaults(volume: &mut Value) {
    let sources = volume
        .as_object()
        .map_or(0, |members| members.iter().filter(|(key, value)| *key != "name" && !value.is_null()).count());
    if sources == 0 {
        crate::object::set(volume, "/emptyDir", json!({}));
    }
    for source in ["secret", "configMap", "downwardAPI", "projected"] {
        if volume.get(source).is_some_and(Value::is_object) {
            default(volume, &format!("/{source}/defaultMode"), MODE);
        }
    }
    for item in each(volume, "/downwardAPI/items") {
        field_ref(item);
    }
    for source in each(volume, "/projected/sources") {
        if source.get("serviceAccountToken").is_some_and(Value::is_object) {
            default(source, "/serviceAccountToken/expirationSeconds", 3600);
        }
        for item in each(source, "/downwardAPI/items") {
            field_ref(item);
        }
    }
    if volume.get("hostPath").is_some_and(Value::is_object)
        && volume.pointer("/hostPath/type").is_none_or(Value::is_null)
    {
        crate::object::set(volume, "/hostPath/type", json!(""));
    }
}

fn field_ref(item: &mut Value) {
    if item.get("fieldRef").is_some_and(Value::is_object) {
        default(item, "/fieldRef/apiVersion", "v1");
    }
}

/// Checks a pod's volumes and gives their names.
pub(super) fn validate(spec: &Value, at: &At, problems: &mut Problems) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (index, volume) in entries(spec, "/volumes").iter().enumerate() {
        let at = at.index(index);
        source(volume, &at, problems);
        let own = text(volume, "/name");
        if own.is_empty() {
            problems.required(&at.child("name"), "");
        } else {
            for problem in name::label(own) {
                problems.invalid(&at.child("name"), own, problem);
            }
        }
        if names.iter().any(|name| name == own) {
            problems.duplicate(&at.child("name"), own);
        }
        names.push(own.to_owned());
    }
    names
}

fn source(volume: &Value, at: &At, problems: &mut Problems) {
    let mut given = 0;
    for (kind, found) in volume.as_object().into_iter().flatten() {
        if kind == "name" || found.is_null() {
            continue;
        }
        given += 1;
        let at = at.child(kind);
        if given > 1 {
            problems.forbidden(&at, "may not specify more than 1 volume type");
            continue;
        }
        let needed = match kind.as_str() {
            "configMap" => "name",
            "secret" => "secretName",
            "persistentVolumeClaim" => "claimName",
            "hostPath" => "path",
            _ => "",
        };
        if !needed.is_empty() && text(found, &format!("/{needed}")).is_empty() {
            problems.required(&at.child(needed), "");
        }
        items(found, &at, problems);
        for (index, source) in entries(found, "/sources").iter().enumerate() {
            let at = at.child("sources").index(index);
            for kind in ["configMap", "secret"] {
                if let Some(found) = source.get(kind).filter(|found| !found.is_null()) {
                    if text(found, "/name").is_empty() {
                        problems.required(&at.child(kind).child("name"), "");
                    }
                    items(found, &at.child(kind), problems);
                }
            }
        }
    }
    if given == 0 {
        problems.required(at, "must specify a volume type");
    }
}

fn items(source: &Value, at: &At, problems: &mut Problems) {
    for (index, item) in entries(source, "/items").iter().enumerate() {
        let at = at.child("items").index(index);
        let keyed = item.get("key").is_some();
        if keyed && text(item, "/key").is_empty() {
            problems.required(&at.child("key"), "");
        }
        let path = text(item, "/path");
        if path.is_empty() {
            problems.required(&at.child("path"), "");
        } else if path.starts_with('/') {
            problems.invalid(&at.child("path"), path, "must be a relative path");
        } else if path.split('/').any(|part| part == "..") {
            problems.invalid(&at.child("path"), path, "must not contain '..'");
        }
    }
}
