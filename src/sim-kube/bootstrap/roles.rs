//! The roles and bindings of a new cluster, from `data/roles.txt`.

use serde_json::{Value, json};

use super::create;
use crate::{Cluster, Status, kind};

const TEXT: &str = include_str!("../data/roles.txt");
const GROUP: &str = "rbac.authorization.k8s.io";
const READ: &str = "get,list,watch";
const WRITE: &str = "create,delete,deletecollection,patch,update";
const MANAGE: &str = "create,delete,deletecollection,get,list,patch,update,watch";

pub(super) fn create_all(cluster: &mut Cluster) -> Result<(), Status> {
    for object in objects(TEXT) {
        let kind = if object["kind"] == "ClusterRole" { &kind::CLUSTER_ROLE } else { &kind::CLUSTER_ROLE_BINDING };
        create(cluster, kind, "", object)?;
    }
    Ok(())
}

/// Every object of the text, in its order.
fn objects(text: &str) -> Vec<Value> {
    let mut objects: Vec<Value> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["role", name, marks @ ..] => objects.push(role(name, marks)),
            ["bind", name, role, subjects, marks @ ..] => objects.push(binding(name, role, subjects, marks)),
            [verbs, rest @ ..] if line.starts_with(' ') => {
                if let Some(rules) = objects.last_mut().and_then(|role| role["rules"].as_array_mut()) {
                    rules.push(rule(verbs, rest));
                }
            }
            _ => {}
        }
    }
    objects
}

fn metadata(name: &str, marks: &[&str]) -> Value {
    if marks.contains(&"plain") {
        return json!({"name": name});
    }
    json!({
        "name": name,
        "annotations": {"rbac.authorization.kubernetes.io/autoupdate": "true"},
        "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"},
    })
}

fn role(name: &str, marks: &[&str]) -> Value {
    let mut role = json!({
        "apiVersion": format!("{GROUP}/v1"),
        "kind": "ClusterRole",
        "metadata": metadata(name, marks),
        "rules": [],
    });
    for pair in marks.windows(2) {
        match pair {
            ["into", other] => role["metadata"]["labels"][format!("{GROUP}/aggregate-to-{other}")] = json!("true"),
            ["from", own] => {
                let labels = json!({format!("{GROUP}/aggregate-to-{own}"): "true"});
                role["aggregationRule"] = json!({"clusterRoleSelectors": [{"matchLabels": labels}]});
            }
            _ => {}
        }
    }
    role
}

fn rule(verbs: &str, rest: &[&str]) -> Value {
    let list = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<_>>();
    let verbs = list(match verbs {
        "read" => READ,
        "write" => WRITE,
        "manage" => MANAGE,
        other => other,
    });
    let [groups, resources, names @ ..] = rest else {
        return json!({"verbs": verbs, "nonResourceURLs": list(rest.first().copied().unwrap_or("*"))});
    };
    let groups: Vec<_> =
        list(groups).into_iter().map(|group| if group == "-" { String::new() } else { group }).collect();
    let mut rule = json!({"verbs": verbs, "apiGroups": groups, "resources": list(resources)});
    if let [names, ..] = names {
        rule["resourceNames"] = json!(list(names));
    }
    rule
}

fn binding(name: &str, role: &str, subjects: &str, marks: &[&str]) -> Value {
    let subject = |text: &str| match text.split_once(':') {
        Some(("account", name)) => {
            let (namespace, name) = name.split_once('/').unwrap_or(("", name));
            json!({"kind": "ServiceAccount", "name": name, "namespace": namespace})
        }
        Some(("user", name)) => json!({"kind": "User", "apiGroup": GROUP, "name": name}),
        Some((_, name)) => json!({"kind": "Group", "apiGroup": GROUP, "name": name}),
        None => Value::Null,
    };
    json!({
        "apiVersion": format!("{GROUP}/v1"),
        "kind": "ClusterRoleBinding",
        "metadata": metadata(name, marks),
        "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": role},
        "subjects": subjects.split(',').map(subject).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::object::{entries, name, text};

    #[test]
    fn every_binding_finds_its_role_and_every_rule_has_its_parts() {
        let objects = objects(TEXT);
        let names: BTreeSet<_> = objects.iter().filter(|object| object["kind"] == "ClusterRole").map(name).collect();
        for object in &objects {
            if object["kind"] == "ClusterRole" {
                let collects = object.get("aggregationRule").is_some();
                assert_eq!(entries(object, "/rules").is_empty(), collects, "{}", name(object));
            } else {
                assert!(names.contains(text(object, "/roleRef/name")), "{}", name(object));
                assert!(!entries(object, "/subjects").contains(&Value::Null), "{}", name(object));
            }
        }
    }

    #[test]
    fn a_line_is_a_rule() {
        assert_eq!(
            rule("get,update", &["-,events.k8s.io", "events", "x"]),
            json!({"verbs": ["get", "update"], "apiGroups": ["", "events.k8s.io"], "resources": ["events"], "resourceNames": ["x"]})
        );
        assert_eq!(rule("get", &["/api/*,/api"]), json!({"verbs": ["get"], "nonResourceURLs": ["/api/*", "/api"]}));
    }
}
