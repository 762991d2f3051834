//! The wrong fixes that people try on any system: nothing at all, nothing left running, an impostor, everything allowed.
//!
//! They are made from the lab's own documents, so that no lab has to write them and none can leave them out. An impostor is tried on
//! Kubernetes and ECS alone: on an engine a container is found by its name, and a name that is taken cannot be given twice.

use std::collections::BTreeMap;

use breakfix_lab::{
    Change, Document, LoadedLab, Platform,
    change::{ObjectRef, Patch, Recreate, Scale},
};
use serde_json::{Value, json};

use super::break_system;

/// An address of the shared system's network at which nothing listens.
const STRANGE_ADDRESS: &str = "10.20.0.250";

/// The file names under which what the wrong fixes apply is known to a target; no lab has a folder of this name.
const IMPOSTORS: &str = "generic/impostors.yaml";
const GRANTS: &str = "generic/grants.yaml";
/// The house rule that a grant of everything breaks.
const NO_NEW_POWER: &str = "no-new-power";

/// Everything allowed to a role.
fn everything(role: &str) -> Change {
    let document = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    let merge = json!({"RolePolicyList": [{"PolicyName": "everything", "PolicyDocument": document}]});
    patch("Role", role, merge)
}

/// Somebody else registered as a target.
fn strange_target(group: &str) -> Change {
    patch("TargetGroup", group, json!({"Targets": [{"Id": STRANGE_ADDRESS}]}))
}

fn patch(kind: &str, name: &str, strategic: Value) -> Change {
    Change::Patch(Patch {
        kind: kind.to_owned(),
        name: Some(name.to_owned()),
        owned_by: None,
        namespace: None,
        merge: None,
        strategic: Some(strategic),
        json: None,
        subresource: None,
        account: None,
    })
}

/// Every generic wrong fix that fits the lab, by name.
pub(super) fn controls(lab: &LoadedLab) -> Vec<(String, Vec<Change>)> {
    let reference = || lab.lab.controls.get("reference").cloned().unwrap_or_default();
    let of = |kinds: &'static [&'static str]| {
        lab.documents.iter().filter(move |document| kinds.contains(&document.kind.as_str()))
    };
    let sized: &'static [&'static str] = match lab.platform() {
        Platform::Kubernetes => &["Deployment", "StatefulSet"],
        Platform::Docker => &[],
        Platform::Ecs => &["Service"],
    };
    let to_zero = of(sized).map(|it| {
        let (kind, name, namespace) = (it.kind.clone(), it.name.clone(), it.namespace.clone());
        Change::Scale(Scale { kind, name, namespace, replicas: 0 })
    });
    let stopped = of(&["Container"])
        .map(|it| Change::Stop(ObjectRef { kind: it.kind.clone(), name: it.name.clone(), namespace: None }));
    let files = files(lab);
    let applied = |path: &str| files.contains_key(path).then(|| Change::Apply(path.to_owned()));
    // A power beside a real repair: it is the power that must be refused. On a cluster that forbids it the repair is not made either; a
    // container's must come last, as the repair may make the container anew.
    let granted: Vec<Change> = match lab.platform() {
        _ if !lab.safeguards().iter().any(|rule| rule.name == NO_NEW_POWER) => Vec::new(),
        Platform::Kubernetes => applied(GRANTS).into_iter().chain(reference()).collect(),
        Platform::Ecs => of(&["Role"]).map(|role| everything(&role.name)).chain(reference()).collect(),
        Platform::Docker => {
            let merge = Some(json!({"HostConfig": {"Privileged": true}}));
            let privileged = of(&["Container"]).map(|it| {
                Change::Recreate(Recreate { name: it.name.clone(), merge: merge.clone(), new_address: false })
            });
            reference().into_iter().chain(privileged).collect()
        }
    };
    let impostors = match lab.platform() {
        Platform::Ecs => of(&["TargetGroup"]).map(|group| strange_target(&group.name)).collect(),
        _ => applied(IMPOSTORS).into_iter().collect(),
    };
    let named = [
        ("generic-no-change", Vec::new()),
        ("generic-scale-to-zero", to_zero.collect()),
        ("generic-stop-everything", stopped.collect()),
        ("generic-impostors", impostors),
        ("generic-grant-everything", granted),
    ];
    let fits = |(name, changes): &(&str, Vec<Change>)| *name == "generic-no-change" || !changes.is_empty();
    named.into_iter().filter(fits).map(|(name, changes)| (name.to_owned(), changes)).collect()
}

/// What the generic wrong fixes apply, by path: a target that is to prove a lab must know these files beside the lab's own.
pub(crate) fn files(lab: &LoadedLab) -> BTreeMap<String, Vec<Document>> {
    if lab.platform() != Platform::Kubernetes {
        return BTreeMap::new();
    }
    // A lab that cannot be broken has said so before it comes to any control.
    let broken = break_system(lab).map(|it| it.documents).unwrap_or_default();
    let image = lab.lab.images.first();
    let impostors = broken.iter().filter_map(|service| impostor(service, image?)).collect();
    let files = [(IMPOSTORS, impostors), (GRANTS, grant(lab).into_iter().collect())];
    let files = files.into_iter().filter(|(_, documents): &(&str, Vec<Document>)| !documents.is_empty());
    files.map(|(path, documents)| (path.to_owned(), documents)).collect()
}

/// A pod of nobody's that wears what a Service looks for and listens where it sends.
fn impostor(service: &Document, image: &str) -> Option<Document> {
    let selector = service.body.pointer("/spec/selector").filter(|_| service.kind == "Service")?;
    let labels = selector.as_object().filter(|labels| !labels.is_empty())?;
    let port = service.body.pointer("/spec/ports/0")?;
    let target = port.get("targetPort").or_else(|| port.get("port"))?;
    let (name, number) = match target {
        Value::String(name) => (name.as_str(), 8080),
        number => ("impostor", number.as_u64()?),
    };
    let container = json!({
        "name": "impostor",
        "image": image,
        "env": [{"name": "PORT", "value": number.to_string()}],
        "ports": [{"name": name, "containerPort": number}],
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}},
    });
    let spec = json!({"containers": [container]});
    Some(document(service, "v1", "Pod", format!("impostor-{}", service.name), labels.clone().into(), &[("spec", spec)]))
}

/// Every account of the lab's namespace may do everything in it.
fn grant(lab: &LoadedLab) -> Option<Document> {
    let own = lab.documents.iter().find(|it| Some(it.name.as_str()) == lab.namespace() && it.kind == "Namespace")?;
    let everybody = format!("system:serviceaccounts:{}", own.name);
    let role = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"});
    let subjects = json!([{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": everybody}]);
    let mut granted = document(
        own,
        "rbac.authorization.k8s.io/v1",
        "RoleBinding",
        "everybody-may-everything".to_owned(),
        json!({}),
        &[("roleRef", role), ("subjects", subjects)],
    );
    granted.namespace = Some(own.name.clone());
    granted.body["metadata"]["namespace"] = json!(own.name);
    Some(granted)
}

fn document(
    like: &Document,
    version: &str,
    kind: &str,
    name: String,
    labels: Value,
    parts: &[(&str, Value)],
) -> Document {
    let mut body = json!({"apiVersion": version, "kind": kind, "metadata": {"name": name, "labels": labels}});
    if let Some(namespace) = &like.namespace {
        body["metadata"]["namespace"] = json!(namespace);
    }
    for (key, part) in parts {
        body[*key] = part.clone();
    }
    Document {
        api_version: Some(version.to_owned()),
        kind: kind.to_owned(),
        name,
        namespace: like.namespace.clone(),
        body,
        file: "generic".to_owned(),
        line: 1,
    }
}

#[cfg(test)]
mod tests {
    use breakfix_lab::Catalogue;

    use super::*;

    fn names(lab: &LoadedLab) -> Vec<String> {
        controls(lab).into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn every_lab_is_tried_without_any_change_without_any_workload_and_with_everything_allowed() {
        for source in Catalogue::embedded().list() {
            let lab = source.load().unwrap();
            let names = names(&lab);
            assert!(names.iter().any(|name| name == "generic-no-change"), "{names:?}");
            // Pods of their own have no number to set to zero.
            let sized: &[&str] = match lab.platform() {
                Platform::Kubernetes => &["Deployment", "StatefulSet"],
                Platform::Docker => &["Container"],
                Platform::Ecs => &["Service"],
            };
            let is_sized = lab.documents.iter().any(|it| sized.contains(&it.kind.as_str()));
            let away = ["generic-scale-to-zero", "generic-stop-everything"];
            assert_eq!(names.iter().any(|name| away.contains(&name.as_str())), is_sized, "{}: {names:?}", lab.id());
            assert!(names.iter().any(|name| name == "generic-grant-everything"), "{names:?}");
        }
    }

    #[test]
    fn an_impostor_wears_the_broken_selector_and_listens_where_the_service_sends() {
        let lab = Catalogue::embedded().find("shop-answers-nobody").unwrap().load().unwrap();
        let files = files(&lab);
        let impostors = &files[IMPOSTORS];
        let shop = impostors.iter().find(|it| it.name == "impostor-shop").unwrap();
        assert_eq!(shop.body["metadata"]["labels"], json!({"component": "storefront"}));
        assert_eq!(shop.body["metadata"]["namespace"], "shop");
        assert_eq!(shop.body["spec"]["containers"][0]["ports"][0]["name"], "http");
        assert!(names(&lab).contains(&"generic-impostors".to_owned()));
    }
}
