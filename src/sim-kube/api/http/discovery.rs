//! Discovery: which resources there are, in the plain and the aggregated form.

use serde_json::{Value, json};

use crate::{
    Cluster, Kind,
    custom::{self, naming::preferred},
    kind::{QUESTIONS, Question, READINGS},
};

/// Named groups in the order in which a server lists them.
const ORDER: [&str; 18] = [
    "apps",
    "events.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "scheduling.k8s.io",
    "coordination.k8s.io",
    "node.k8s.io",
    "discovery.k8s.io",
    "metrics.k8s.io",
];

/// What can be done with what is worked out when it is asked for.
const READ: [&str; 2] = ["get", "list"];

const VERBS: [&str; 8] = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/// Named groups with their versions, the preferred one first.
fn named_groups(cluster: &Cluster) -> Vec<(&'static str, Vec<&'static str>)> {
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for (group, version) in custom::groups(cluster).into_iter().filter(|(group, _)| !group.is_empty()) {
        match groups.iter_mut().find(|(known, _)| *known == group) {
            Some((_, versions)) => versions.push(version),
            None => groups.push((group, vec![version])),
        }
    }
    groups.iter_mut().for_each(|(_, versions)| versions.sort_by(|a, b| preferred(a, b)));
    groups.sort_by_key(|(group, _)| ORDER.iter().position(|known| known == group).unwrap_or(ORDER.len()));
    groups
}

/// What a subresource takes and gives: group, version, kind, verbs.
fn subresource(kind: &'static Kind, name: &str) -> (&'static str, &'static str, &'static str, &'static [&'static str]) {
    match name {
        "attach" => ("", "", "PodAttachOptions", &["create", "get"]),
        "binding" => ("", "", "Binding", &["create"]),
        "eviction" => ("policy", "v1", "Eviction", &["create"]),
        "exec" => ("", "", "PodExecOptions", &["create", "get"]),
        "log" => ("", "", kind.kind, &["get"]),
        "portforward" => ("", "", "PodPortForwardOptions", &["create", "get"]),
        "proxy" => {
            let options = match kind.kind {
                "Pod" => "PodProxyOptions",
                "Service" => "ServiceProxyOptions",
                _ => "NodeProxyOptions",
            };
            ("", "", options, &["create", "delete", "get", "patch", "update"])
        }
        "scale" => ("autoscaling", "v1", "Scale", &["get", "patch", "update"]),
        "finalize" => ("", "", kind.kind, &["update"]),
        "token" => ("authentication.k8s.io", "v1", "TokenRequest", &["create"]),
        _ => ("", "", kind.kind, &["get", "patch", "update"]),
    }
}

/// Namespaces cannot be deleted together.
fn verbs(kind: &Kind) -> Vec<&'static str> {
    VERBS.into_iter().filter(|verb| kind.collection != "namespaces" || *verb != "deletecollection").collect()
}

/// Whether a name or category is worth showing at all.
fn put(object: &mut Value, key: &str, list: &[&str]) {
    if !list.is_empty() {
        object[key] = json!(list);
    }
}

/// `/apis`.
pub(super) fn groups(cluster: &Cluster) -> Value {
    let groups: Vec<_> = named_groups(cluster).into_iter().map(|(name, _)| group(cluster, name, false)).collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

/// `/apis/GROUP`, or its entry in the list.
pub(super) fn group(cluster: &Cluster, name: &str, alone: bool) -> Value {
    let versions =
        named_groups(cluster).into_iter().find(|(group, _)| *group == name).map_or(Vec::new(), |(_, them)| them);
    let versions: Vec<_> = versions
        .into_iter()
        .map(|version| json!({"groupVersion": format!("{name}/{version}"), "version": version}))
        .collect();
    let mut group = json!({"name": name, "versions": versions, "preferredVersion": versions.first()});
    if alone {
        group["kind"] = json!("APIGroup");
        group["apiVersion"] = json!("v1");
    }
    group
}

/// `/api/v1`, `/apis/GROUP/VERSION`.
pub(super) fn resources(cluster: &Cluster, group: &str, version: &str) -> Value {
    let mut list = Vec::new();
    for kind in custom::all_kinds(cluster).into_iter().filter(|kind| kind.group == group && kind.version == version) {
        let mut entry = json!({
            "name": kind.plural,
            "singularName": kind.singular,
            "namespaced": kind.namespaced,
            "kind": kind.kind,
            "verbs": verbs(kind),
        });
        put(&mut entry, "shortNames", kind.short);
        put(&mut entry, "categories", kind.categories);
        list.push(entry);
        for name in kind.subresources {
            let (group, version, response, verbs) = subresource(kind, name);
            let mut entry = json!({
                "name": format!("{}/{name}", kind.plural),
                "singularName": "",
                "namespaced": kind.namespaced,
                "kind": response,
                "verbs": verbs,
            });
            if !group.is_empty() {
                entry["group"] = json!(group);
                entry["version"] = json!(version);
            }
            list.push(entry);
        }
    }
    for kind in READINGS.iter().filter(|kind| kind.group == group && kind.version == version) {
        list.push(json!({
            "name": kind.plural,
            "singularName": kind.singular,
            "namespaced": kind.namespaced,
            "kind": kind.kind,
            "verbs": READ,
        }));
    }
    for question in QUESTIONS.iter().filter(|question| question.group == group && question.version == version) {
        list.push(json!({
            "name": question.plural,
            "singularName": question.singular,
            "namespaced": question.namespaced,
            "kind": question.kind,
            "verbs": ["create"],
        }));
    }
    list.sort_by(|a, b| a["name"].as_str().cmp(&b["name"].as_str()));
    let full = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    let mut body = json!({"kind": "APIResourceList", "groupVersion": full, "resources": list});
    if !group.is_empty() {
        body["apiVersion"] = json!("v1");
    }
    body
}

/// `/api` and `/apis` in one document each, of version `v2` or `v2beta1` of `apidiscovery.k8s.io`.
pub(super) fn aggregated(cluster: &Cluster, core: bool, version: &str) -> Value {
    let groups = if core { vec![("", vec!["v1"])] } else { named_groups(cluster) };
    let items: Vec<_> = groups
        .into_iter()
        .map(|(group, served)| {
            let metadata = if group.is_empty() { json!({}) } else { json!({"name": group}) };
            let versions: Vec<_> = served.into_iter().map(|version| of_version(cluster, group, version)).collect();
            json!({"metadata": metadata, "versions": versions})
        })
        .collect();
    json!({
        "kind": "APIGroupDiscoveryList",
        "apiVersion": format!("apidiscovery.k8s.io/{version}"),
        "metadata": {},
        "items": items,
    })
}

fn of_version(cluster: &Cluster, group: &str, version: &str) -> Value {
    let mut resources: Vec<_> = custom::all_kinds(cluster)
        .into_iter()
        .filter(|kind| kind.group == group && kind.version == version)
        .map(resource)
        .chain(READINGS.iter().filter(|kind| kind.group == group && kind.version == version).map(|kind| reading(kind)))
        .chain(QUESTIONS.iter().filter(|question| question.group == group).map(question))
        .collect();
    resources.sort_by(|a, b| a["resource"].as_str().cmp(&b["resource"].as_str()));
    json!({"version": version, "resources": resources, "freshness": "Current"})
}

fn reading(kind: &Kind) -> Value {
    json!({
        "resource": kind.plural,
        "responseKind": response("", "", kind.kind),
        "scope": if kind.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": kind.singular,
        "verbs": READ,
    })
}

fn response(group: &str, version: &str, kind: &str) -> Value {
    json!({"group": group, "version": version, "kind": kind})
}

fn resource(kind: &'static Kind) -> Value {
    let mut entry = json!({
        "resource": kind.plural,
        "responseKind": response("", "", kind.kind),
        "scope": if kind.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": kind.singular,
        "verbs": verbs(kind),
    });
    put(&mut entry, "shortNames", kind.short);
    put(&mut entry, "categories", kind.categories);
    let parts: Vec<_> = kind
        .subresources
        .iter()
        .map(|name| {
            let (group, version, given, verbs) = subresource(kind, name);
            json!({"subresource": name, "responseKind": response(group, version, given), "verbs": verbs})
        })
        .collect();
    if !parts.is_empty() {
        entry["subresources"] = json!(parts);
    }
    entry
}

fn question(question: &Question) -> Value {
    json!({
        "resource": question.plural,
        "responseKind": response("", "", question.kind),
        "scope": if question.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": question.singular,
        "verbs": ["create"],
    })
}

#[cfg(test)]
#[path = "discovery_tests.rs"]
mod tests;
