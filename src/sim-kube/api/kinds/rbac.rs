//! Roles and their bindings (`pkg/apis/rbac/v1/defaults.go`, `pkg/apis/rbac/validation`).

use serde_json::{Value, json};

use super::{
    PLAIN, Rules,
    defaults::{default, each},
};
use crate::{
    api::check::{At, Problems, label, name, name::NameRule},
    object::{entries, text},
};

const GROUP: &str = "rbac.authorization.k8s.io";

pub static ROLE: Rules =
    Rules { name: NameRule::PathSegment, validate: |object, problems| rules(object, true, problems), ..PLAIN };

pub static CLUSTER_ROLE: Rules = Rules { name: NameRule::PathSegment, validate: cluster_role, ..PLAIN };

pub static BINDING: Rules = Rules {
    name: NameRule::PathSegment,
    defaults,
    validate: |object, problems| validate_binding(object, true, problems),
    validate_update,
    ..PLAIN
};

pub static CLUSTER_BINDING: Rules = Rules {
    name: NameRule::PathSegment,
    defaults,
    validate: |object, problems| validate_binding(object, false, problems),
    validate_update,
    ..PLAIN
};

fn defaults(object: &mut Value) {
    default(object, "/roleRef/apiGroup", GROUP);
    for subject in each(object, "/subjects") {
        if ["User", "Group"].contains(&text(subject, "/kind")) {
            default(subject, "/apiGroup", GROUP);
        }
    }
}

fn rules(object: &Value, namespaced: bool, problems: &mut Problems) {
    for (index, rule) in entries(object, "/rules").iter().enumerate() {
        validate_rule(rule, namespaced, &At::new("rules").index(index), problems);
    }
}

fn validate_rule(rule: &Value, namespaced: bool, at: &At, problems: &mut Problems) {
    let list = |member: &str| entries(rule, &format!("/{member}"));
    if list("verbs").is_empty() {
        problems.required(&at.child("verbs"), "verbs must contain at least one value");
    }
    if !list("nonResourceURLs").is_empty() {
        let urls = json!(list("nonResourceURLs"));
        if namespaced {
            let detail = "namespaced rules cannot apply to non-resource URLs";
            problems.invalid(&at.child("nonResourceURLs"), urls.clone(), detail);
        }
        if ["apiGroups", "resources", "resourceNames"].iter().any(|member| !list(member).is_empty()) {
            let detail = "rules cannot apply to both regular resources and non-resource URLs";
            problems.invalid(&at.child("nonResourceURLs"), urls, detail);
        }
        return;
    }
    if list("apiGroups").is_empty() {
        problems.required(&at.child("apiGroups"), "resource rules must supply at least one api group");
    }
    if list("resources").is_empty() {
        problems.required(&at.child("resources"), "resource rules must supply at least one resource");
    }
}

fn cluster_role(object: &Value, problems: &mut Problems) {
    rules(object, false, problems);
    let Some(aggregation) = object.get("aggregationRule").filter(|rule| !rule.is_null()) else { return };
    let at = At::new("aggregationRule").child("clusterRoleSelectors");
    let selectors = entries(aggregation, "/clusterRoleSelectors");
    if selectors.is_empty() {
        problems.required(&at, "at least one clusterRoleSelector required if aggregationRule is non-nil");
    }
    for (index, selector) in selectors.iter().enumerate() {
        label::selector(Some(selector), &at.index(index), problems);
    }
}

fn validate_binding(object: &Value, namespaced: bool, problems: &mut Problems) {
    let at = At::new("roleRef");
    let (group, kind) = (text(object, "/roleRef/apiGroup"), text(object, "/roleRef/kind"));
    if group != GROUP {
        problems.not_supported(&at.child("apiGroup"), group, &[GROUP]);
    }
    let kinds: &[&str] = if namespaced { &["Role", "ClusterRole"] } else { &["ClusterRole"] };
    if !kinds.contains(&kind) {
        problems.not_supported(&at.child("kind"), kind, kinds);
    }
    let role = text(object, "/roleRef/name");
    if role.is_empty() {
        problems.required(&at.child("name"), "");
    } else {
        for problem in name::problems(NameRule::PathSegment, role, false) {
            problems.invalid(&at.child("name"), role, problem);
        }
    }
    for (index, subject) in entries(object, "/subjects").iter().enumerate() {
        validate_subject(subject, namespaced, &At::new("subjects").index(index), problems);
    }
}

/// An account without a namespace is one of the binding's own, where that has any.
fn validate_subject(subject: &Value, namespaced: bool, at: &At, problems: &mut Problems) {
    let (kind, own, group) = (text(subject, "/kind"), text(subject, "/name"), text(subject, "/apiGroup"));
    if own.is_empty() {
        problems.required(&at.child("name"), "");
    }
    match kind {
        "ServiceAccount" => {
            for problem in name::subdomain(own).into_iter().filter(|_| !own.is_empty()) {
                problems.invalid(&at.child("name"), own, problem);
            }
            if !group.is_empty() {
                problems.not_supported(&at.child("apiGroup"), group, &[""]);
            }
            if !namespaced && text(subject, "/namespace").is_empty() {
                problems.required(&at.child("namespace"), "");
            }
        }
        "User" | "Group" => {
            if group != GROUP {
                problems.not_supported(&at.child("apiGroup"), group, &[GROUP]);
            }
        }
        other => problems.not_supported(&at.child("kind"), other, &["ServiceAccount", "User", "Group"]),
    }
}

fn validate_update(new: &Value, old: &Value, problems: &mut Problems) {
    if new.get("roleRef") != old.get("roleRef") {
        let role = &new["roleRef"];
        // The internal type has no JSON names.
        let shown = json!({"APIGroup": role["apiGroup"], "Kind": role["kind"], "Name": role["name"]});
        problems.invalid(&At::new("roleRef"), shown, "cannot change roleRef");
    }
}
