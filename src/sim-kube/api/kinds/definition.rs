//! Definitions of custom resources (`apiextensions-apiserver/pkg/apis/apiextensions/{v1/defaults.go,validation}`,
//! `pkg/registry/customresourcedefinition`).

use serde_json::{Value, json};

use super::{
    PLAIN, Rules,
    defaults::{default, each},
};
use crate::{
    api::check::{At, Problems, name},
    object::{entries, is_deleting, members, set, text, truth},
};

/// Held by a definition until its objects are gone.
pub const CLEAN_UP: &str = "customresourcecleanup.apiextensions.k8s.io";

pub static RULES: Rules = Rules {
    defaults,
    create: |object| {
        let stored: Vec<Value> = entries(object, "/spec/versions")
            .iter()
            .filter(|version| truth(version, "/storage"))
            .filter_map(|version| version.get("name").cloned())
            .collect();
        let names = json!({"plural": "", "kind": ""});
        set(object, "/status", json!({"conditions": null, "acceptedNames": names, "storedVersions": stored}));
    },
    update: |new, old| {
        // A version that objects are stored in is remembered.
        let mut stored = entries(old, "/status/storedVersions").to_vec();
        let now = entries(new, "/spec/versions").iter().find(|version| truth(version, "/storage"));
        if let Some(name) = now.and_then(|version| version.get("name"))
            && !stored.contains(name)
        {
            stored.push(name.clone());
            set(new, "/status/storedVersions", Value::Array(stored));
        }
    },
    deleting: |object| {
        let mut list = entries(object, "/metadata/finalizers").to_vec();
        if !list.iter().any(|known| known == CLEAN_UP) {
            list.push(json!(CLEAN_UP));
        }
        set(object, "/metadata/finalizers", Value::Array(list));
    },
    validate,
    validate_update,
    ..PLAIN
};

fn defaults(object: &mut Value) {
    let kind = text(object, "/spec/names/kind").to_owned();
    if !kind.is_empty() {
        default(object, "/spec/names/singular", kind.to_lowercase());
        default(object, "/spec/names/listKind", format!("{kind}List"));
    }
    default(object, "/spec/conversion/strategy", "None");
    for version in each(object, "/spec/versions") {
        if version.pointer("/subresources/scale").is_some_and(Value::is_null) {
            crate::object::unset(version, "/subresources/scale");
        }
    }
}

fn validate(object: &Value, problems: &mut Problems) {
    let (own, plural, group) =
        (text(object, "/metadata/name"), text(object, "/spec/names/plural"), text(object, "/spec/group"));
    let wanted = format!("{plural}.{group}");
    if own != wanted {
        problems.invalid(&At::new("metadata").child("name"), own, "must be spec.names.plural+\".\"+spec.group");
    }
    let at = At::new("spec");
    if group.is_empty() {
        problems.required(&at.child("group"), "");
    } else {
        for problem in name::subdomain(group) {
            problems.invalid(&at.child("group"), group, problem);
        }
        if group.split('.').count() < 2 {
            problems.invalid(&at.child("group"), group, "should be a domain with at least one dot");
        }
    }
    let scope = text(object, "/spec/scope");
    if scope.is_empty() {
        problems.required(&at.child("scope"), "");
    } else if !["Cluster", "Namespaced"].contains(&scope) {
        problems.not_supported(&at.child("scope"), scope, &["Cluster", "Namespaced"]);
    }
    names(object, &at.child("names"), problems);
    versions(object, &at.child("versions"), problems);
    let strategy = text(object, "/spec/conversion/strategy");
    if !["None", "Webhook"].contains(&strategy) {
        problems.not_supported(&at.child("conversion").child("strategy"), strategy, &["None", "Webhook"]);
    }
}

fn names(object: &Value, at: &At, problems: &mut Problems) {
    for member in ["plural", "singular", "kind", "listKind"] {
        let given = text(object, &format!("/spec/names/{member}"));
        if given.is_empty() {
            problems.required(&at.child(member), "");
            continue;
        }
        let plain = given.to_lowercase();
        let checked = if member.ends_with("ind") { plain.as_str() } else { given };
        for problem in name::label_1035(checked) {
            problems.invalid(&at.child(member), given, problem);
        }
    }
    for (index, short) in entries(object, "/spec/names/shortNames").iter().filter_map(Value::as_str).enumerate() {
        for problem in name::label_1035(short) {
            problems.invalid(&at.child("shortNames").index(index), short, problem);
        }
    }
    let (kind, list) = (text(object, "/spec/names/kind"), text(object, "/spec/names/listKind"));
    if !kind.is_empty() && kind == list {
        problems.invalid(&at.child("listKind"), list, "kind and listKind may not be the same");
    }
}

fn versions(object: &Value, at: &At, problems: &mut Problems) {
    let versions = entries(object, "/spec/versions");
    let storing = versions.iter().filter(|version| truth(version, "/storage")).count();
    if versions.is_empty() {
        problems.required(at, "must have exactly one version marked as storage version");
    } else if storing != 1 {
        problems.invalid(at, json!(versions), "must have exactly one version marked as storage version");
    }
    let mut seen: Vec<&str> = Vec::new();
    for (index, version) in versions.iter().enumerate() {
        let at = at.index(index);
        let own = text(version, "/name");
        for problem in name::label_1035(own) {
            problems.invalid(&at.child("name"), own, problem);
        }
        if seen.contains(&own) {
            problems.invalid(&at.child("name"), own, "must be unique");
        }
        seen.push(own);
        let at_schema = at.child("schema").child("openAPIV3Schema");
        match version.pointer("/schema/openAPIV3Schema").filter(|schema| !schema.is_null()) {
            None => problems.required(&at_schema, "schemas are required"),
            Some(schema) => structural(schema, true, &at_schema, problems),
        }
        if let Some(scale) = version.pointer("/subresources/scale").filter(|scale| !scale.is_null()) {
            let at = at.child("subresources").child("scale");
            for (member, under) in [("specReplicasPath", ".spec."), ("statusReplicasPath", ".status.")] {
                let path = text(scale, &format!("/{member}"));
                if path.is_empty() {
                    problems.required(&at.child(member), "");
                } else if !path.starts_with(under) {
                    let detail = format!("should be a json path under {}", under.trim_end_matches('.'));
                    problems.invalid(&at.child(member), path, detail);
                }
            }
        }
        columns(version, &at.child("additionalPrinterColumns"), problems);
    }
}

fn columns(version: &Value, at: &At, problems: &mut Problems) {
    for (index, column) in entries(version, "/additionalPrinterColumns").iter().enumerate() {
        let at = at.index(index);
        if text(column, "/name").is_empty() {
            problems.required(&at.child("name"), "");
        }
        let kind = text(column, "/type");
        let kinds = ["boolean", "date", "integer", "number", "string"];
        if kind.is_empty() {
            let detail = format!("must be one of {}", kinds.join(","));
            problems.required(&at.child("type"), &detail);
        } else if !kinds.contains(&kind) {
            problems.invalid(&at.child("type"), kind, format!("must be one of {}", kinds.join(",")));
        }
        let path = text(column, "/jsonPath");
        if path.is_empty() {
            problems.required(&at.child("jsonPath"), "");
        } else if !path.starts_with(['.', '{']) {
            problems.invalid(&at.child("jsonPath"), path, "must be a simple json path starting with .");
        }
    }
}

/// Every value says what it is (`schema.ValidateStructural`).
fn structural(schema: &Value, root: bool, at: &At, problems: &mut Problems) {
    let free = truth(schema, "/x-kubernetes-int-or-string") || truth(schema, "/x-kubernetes-preserve-unknown-fields");
    let kind = text(schema, "/type");
    if kind.is_empty() && !free {
        let detail =
            if root { "must not be empty at the root" } else { "must not be empty for specified object fields" };
        problems.required(&at.child("type"), detail);
    } else if root && kind != "object" {
        problems.invalid(&at.child("type"), kind, "must be object at the root");
    } else if !["", "object", "array", "string", "integer", "number", "boolean"].contains(&kind) {
        problems.not_supported(&at.child("type"), kind, &["array", "boolean", "integer", "number", "object", "string"]);
    }
    if kind == "array" && schema.get("items").is_none_or(Value::is_null) {
        problems.required(&at.child("items"), "must be specified");
    }
    for (name, inner) in members(schema, "/properties") {
        structural(inner, false, &at.child("properties").key(name), problems);
    }
    if let Some(inner) = schema.get("items").filter(|inner| inner.is_object()) {
        structural(inner, false, &at.child("items"), problems);
    }
    if let Some(inner) = schema.get("additionalProperties").filter(|inner| inner.is_object()) {
        if members(schema, "/properties").next().is_some() {
            problems.forbidden(
                &at.child("additionalProperties"),
                "additionalProperties and properties are mutual exclusive",
            );
        }
        structural(inner, false, &at.child("additionalProperties"), problems);
    }
    for (index, rule) in entries(schema, "/x-kubernetes-validations").iter().enumerate() {
        let at = at.child("x-kubernetes-validations").index(index).child("rule");
        let source = text(rule, "/rule");
        if source.trim().is_empty() {
            problems.required(&at, "rule is not specified");
        } else if let Err(error) = crate::cel::Expression::compile(source, &["self", "oldSelf"]) {
            problems.invalid(&at, source, format!("compilation failed: {error}"));
        }
    }
}

fn validate_update(new: &Value, old: &Value, problems: &mut Problems) {
    if is_deleting(new) {
        return;
    }
    let established = entries(old, "/status/conditions")
        .iter()
        .any(|condition| text(condition, "/type") == "Established" && text(condition, "/status") == "True");
    let at = At::new("spec");
    if established {
        for member in ["scope", "names/kind", "names/listKind"] {
            let pointer = format!("/spec/{member}");
            if member == "scope" && text(new, &pointer) != text(old, &pointer) {
                problems.invalid(&at.child("scope"), text(new, &pointer), "field is immutable");
            }
        }
    }
    for member in ["group", "names/plural"] {
        let pointer = format!("/spec/{member}");
        if text(new, &pointer) != text(old, &pointer) {
            problems.invalid(&at.child(&member.replace('/', ".")), text(new, &pointer), "field is immutable");
        }
    }
    for (index, stored) in entries(old, "/status/storedVersions").iter().filter_map(Value::as_str).enumerate() {
        if !entries(new, "/spec/versions").iter().any(|version| text(version, "/name") == stored) {
            let at = At::new("status").child("storedVersions").index(index);
            problems.invalid(&at, stored, "missing from spec.versions; v1 was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in v1 and removes v1 from status.storedVersions".replace("v1", stored));
        }
    }
}
