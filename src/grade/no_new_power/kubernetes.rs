//! Rights of a pod over its node, and of accounts over the cluster.
//!
//! Source: the Pod Security Standards' *baseline* and *restricted* profiles (privileged, capabilities other than NET_BIND_SERVICE, host
//! namespaces, hostPath, hostPort); for accounts and people a rule with `*` or with a verb that
//! escalates, the ClusterRole `cluster-admin`, and `admin` or `edit` in every namespace. Ephemeral containers are left out:
//! they are how one looks into a pod, and nothing can take them out again.

use std::collections::{BTreeMap, BTreeSet};

use breakfix_lab::lab::Exception;
use serde_json::Value;

use super::Power;
use crate::{View, object, pods, unchanged::without};

pub(super) const KINDS: [&str; 12] = [
    "Pod",
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "Job",
    "CronJob",
    "PersistentVolume",
    "Role",
    "RoleBinding",
    "ClusterRole",
    "ClusterRoleBinding",
];

/// The namespaces of the lab: its own, and every one that the baseline knows.
pub(super) fn namespaces<'a>(view: &View<'a>) -> BTreeSet<&'a str> {
    let known = view.baseline.objects.values().flatten().filter_map(object::namespace);
    let named = view.baseline.objects.get("Namespace").into_iter().flatten().map(object::name);
    known.chain(named).chain([view.scope.namespace.as_str()]).collect()
}

pub(super) fn scan(
    objects: &[(&'static str, &Value)],
    namespaces: &BTreeSet<&str>,
    except: &[Exception],
) -> BTreeSet<Power> {
    let by_uid: BTreeMap<&str, (&str, &Value)> =
        objects.iter().filter_map(|(kind, it)| Some((object::uid(it)?, (*kind, *it)))).collect();
    let mut powers = BTreeSet::new();
    // A ClusterRole gives nobody anything by itself; what grants it looks it up.
    for (kind, object) in objects.iter().filter(|(kind, _)| *kind != "ClusterRole") {
        let (root_kind, root_name) = root(kind, object, &by_uid);
        let excepted = [(root_kind, root_name), (*kind, object::name(object))];
        if excepted.into_iter().any(|(kind, name)| object::is_excepted(except, kind, name)) {
            continue;
        }
        let object = without(object, kind, except);
        let found = match *kind {
            "Pod" if object::is_going(&object) || pods::is_finished(&object) => Vec::new(),
            // What a controller holds is its owner's template, or an old one that nothing runs from.
            "ReplicaSet" | "Job" if object::controller(&object).is_some() => Vec::new(),
            "PersistentVolume" => volume(&object, namespaces),
            "Role" => wide_rules(&object).into_iter().map(|rule| format!("allows {rule}")).collect(),
            "RoleBinding" | "ClusterRoleBinding" => grants(kind, &object, objects, namespaces),
            kind => template(kind, &object).map_or_else(Vec::new, pod),
        };
        powers.extend(found.into_iter().map(|what| Power {
            kind: root_kind.to_owned(),
            name: root_name.to_owned(),
            what,
        }));
    }
    powers
}

/// The workload at the upper end of the owner chain; where a reference leads out of what was fetched, what it says.
fn root<'a>(kind: &'a str, object: &'a Value, by_uid: &BTreeMap<&str, (&'a str, &'a Value)>) -> (&'a str, &'a str) {
    let (mut kind, mut object) = (kind, object);
    // A ring of references ends here too.
    for _ in 0..=by_uid.len() {
        let Some(owner) = object::controller(object) else { break };
        match object::text(owner, &["uid"]).and_then(|uid| by_uid.get(uid)) {
            Some((above, next)) => (kind, object) = (above, next),
            None => {
                return (object::text(owner, &["kind"]).unwrap_or(kind), object::text(owner, &["name"]).unwrap_or(""));
            }
        }
    }
    (kind, object::name(object))
}

fn template<'a>(kind: &str, object: &'a Value) -> Option<&'a Value> {
    match kind {
        "Pod" => object::at(object, &["spec"]),
        "CronJob" => object::at(object, &["spec", "jobTemplate", "spec", "template", "spec"]),
        _ => object::at(object, &["spec", "template", "spec"]),
    }
}

/// The rights of a pod's spec.
fn pod(spec: &Value) -> Vec<String> {
    let mut powers = Vec::new();
    for shared in ["hostNetwork", "hostPID", "hostIPC"] {
        if object::flag(spec, &[shared]) {
            powers.push(format!("has {shared}"));
        }
    }
    for path in object::list(spec, &["volumes"]).iter().filter_map(|it| object::text(it, &["hostPath", "path"])) {
        powers.push(format!("has the node's path {path}"));
    }
    for container in ["containers", "initContainers"].into_iter().flat_map(|list| object::list(spec, &[list])) {
        let name = object::text(container, &["name"]).unwrap_or("");
        if object::flag(container, &["securityContext", "privileged"]) {
            powers.push(format!("container {name} is privileged"));
        }
        let added =
            object::list(container, &["securityContext", "capabilities", "add"]).iter().filter_map(Value::as_str);
        for capability in added.filter(|it| *it != "NET_BIND_SERVICE") {
            powers.push(format!("container {name} has the added capability {capability}"));
        }
        let ports = object::list(container, &["ports"]).iter().filter_map(|it| object::number(it, &["hostPort"]));
        powers.extend(
            ports.filter(|port| *port != 0).map(|port| format!("container {name} takes the node's port {port}")),
        );
    }
    powers
}

/// A volume on a node's disk that a claim of the lab may use. One that a provisioner made is the storage class's business: there
/// are provisioners whose volumes are of type hostPath.
fn volume(volume: &Value, namespaces: &BTreeSet<&str>) -> Vec<String> {
    let ours = object::text(volume, &["spec", "claimRef", "namespace"]).is_some_and(|it| namespaces.contains(it));
    let made = object::at(volume, &["metadata", "annotations", "pv.kubernetes.io/provisioned-by"]).is_some();
    let path = ["hostPath", "local"].into_iter().find_map(|sort| object::text(volume, &["spec", sort, "path"]));
    path.filter(|_| ours && !made).map(|path| format!("gives a claim the node's path {path}")).into_iter().collect()
}

/// Verbs that give more rights than their holder has (`k8s.io/kubernetes/pkg/registry/rbac`).
const ESCALATING: [&str; 3] = ["escalate", "bind", "impersonate"];

/// Rules that say `*` for verbs, resources or groups, or that are a way to any other right; in words.
fn wide_rules(role: &Value) -> Vec<String> {
    let rules = object::list(role, &["rules"]).iter();
    rules
        .filter_map(|rule| {
            let says = |key: &str| object::list(rule, &[key]).iter().filter_map(Value::as_str).collect::<Vec<_>>();
            let starred = ["verbs", "resources", "apiGroups"].into_iter().any(|key| says(key).contains(&"*"));
            let escalates = says("verbs").iter().any(|verb| ESCALATING.contains(verb));
            (starred || escalates).then(|| {
                format!(
                    "{} on {} of \"{}\"",
                    says("verbs").join(","),
                    says("resources").join(","),
                    says("apiGroups").join(",")
                )
            })
        })
        .collect()
}

/// What a binding gives to accounts of the lab that is out of measure. A binding within the lab's namespace counts for everybody.
fn grants(kind: &str, binding: &Value, objects: &[(&'static str, &Value)], namespaces: &BTreeSet<&str>) -> Vec<String> {
    let role_kind = object::text(binding, &["roleRef", "kind"]).unwrap_or("");
    let role_name = object::text(binding, &["roleRef", "name"]).unwrap_or("");
    let role = objects.iter().find(|(kind, it)| *kind == role_kind && object::name(it) == role_name);
    let everywhere = kind == "ClusterRoleBinding";
    let of_the_cluster = role_kind == "ClusterRole"
        && (role_name == "cluster-admin" || everywhere && matches!(role_name, "admin" | "edit"));
    let out_of_measure = of_the_cluster || role.is_some_and(|(_, role)| !wide_rules(role).is_empty());
    if !out_of_measure {
        return Vec::new();
    }
    let subjects = object::list(binding, &["subjects"]).iter();
    subjects
        .filter(|subject| !everywhere || reaches(subject, namespaces))
        .map(|subject| {
            let name = object::text(subject, &["name"]).unwrap_or("");
            let account = object::text(subject, &["kind"]).unwrap_or("subject");
            match object::text(subject, &["namespace"]) {
                Some(namespace) => format!("gives {account} {namespace}/{name} the {role_kind} {role_name}"),
                None => format!("gives {account} {name} the {role_kind} {role_name}"),
            }
        })
        .collect()
}

/// Whether a subject is, or holds, an account of the lab, or is a person: nobody's rights over the cluster grow by a repair.
fn reaches(subject: &Value, namespaces: &BTreeSet<&str>) -> bool {
    let name = object::text(subject, &["name"]).unwrap_or("");
    match object::text(subject, &["kind"]) {
        Some("ServiceAccount") => object::text(subject, &["namespace"]).is_some_and(|it| namespaces.contains(it)),
        Some("Group") => match name.strip_prefix("system:serviceaccounts:") {
            Some(namespace) => namespaces.contains(namespace),
            None => {
                let own = matches!(name, "system:serviceaccounts" | "system:authenticated" | "system:unauthenticated");
                own || !name.starts_with("system:")
            }
        },
        Some("User") => {
            let account = name.strip_prefix("system:serviceaccount:").and_then(|it| it.split(':').next());
            account.map_or(name == "system:anonymous" || !name.starts_with("system:"), |it| namespaces.contains(it))
        }
        _ => false,
    }
}
