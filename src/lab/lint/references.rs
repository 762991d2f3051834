//! References inside the healthy system: what its objects need is there.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Lint, Rule};
use crate::{Document, LoadedLab, ecs, lab::Platform, problem::Place, suggest, visit};

pub(super) const RULE: Rule = Rule {
    name: "references",
    why: "the system must be healthy before the fault; a name that leads nowhere is a second fault that nobody meant",
    whole: true,
    check,
};

/// An object that another one needs.
#[derive(Debug, PartialEq, Eq)]
struct Needed {
    kind: &'static str,
    name: String,
}

fn check(lint: &mut Lint<'_>) {
    let lab = lint.lab;
    if lab.platform() == Platform::Ecs {
        check_references(lint);
        return;
    }
    for document in &lab.documents {
        let needed = match lab.platform() {
            Platform::Kubernetes => needed_by_manifest(document),
            Platform::Docker => needed_by_container(document),
            Platform::Ecs => Vec::new(),
        };
        for needed in needed.into_iter().filter(|needed| !is_there(lab, document, needed)) {
            let names: BTreeSet<&str> = lab
                .documents
                .iter()
                .filter(|other| other.kind == needed.kind)
                .map(|other| other.name.as_str())
                .collect();
            let names: Vec<&str> = names.into_iter().collect();
            let message = format!("{} `{}` needs the {} `{}`", document.kind, document.name, needed.kind, needed.name);
            let help =
                suggest::help(&needed.name, &names).unwrap_or_else(|| "write its document to system/".to_owned());
            lint.error_in(&document.file, Place { line: document.line, column: 1 }, message, help);
        }
    }
}

/// References of an ECS lab, wherever they stand, that no kind answers or that name nothing the lab ever makes.
fn check_references(lint: &mut Lint<'_>) {
    let lab = lint.lab;
    let all = || lab.documents.iter().chain(lab.files.values().flatten());
    let known: BTreeSet<(&str, &str)> = all().map(|it| (it.kind.as_str(), it.name.as_str())).collect();
    let fault = |reference: &ecs::Reference| {
        let said = format!("`${{{}/{}.{}}}`", reference.kind, reference.name, reference.attribute);
        let Some(kind) = ecs::kind(&reference.kind) else {
            let help = suggest::help(&reference.kind, &ecs::names()).unwrap_or_default();
            return Some((format!("{said} names no kind"), help));
        };
        if !kind.attributes.contains(&reference.attribute.as_str()) {
            let help = format!("a {} has {}", kind.name, kind.attributes.join(" and "));
            return Some((format!("{said} asks for what a {} does not have", kind.name), help));
        }
        let there = known.contains(&(kind.name, reference.name.as_str()));
        let names: Vec<&str> = known.iter().filter(|(other, _)| *other == kind.name).map(|(_, name)| *name).collect();
        let help =
            || suggest::help(&reference.name, &names).unwrap_or_else(|| "write its document to system/".to_owned());
        (!there).then(|| (format!("{said} names nothing that the lab has"), help()))
    };
    for document in all() {
        for (message, help) in ecs::references(&document.body).iter().filter_map(fault) {
            lint.error_in(&document.file, Place { line: document.line, column: 1 }, message, help);
        }
    }
    let changes = visit::changes(&lab.lab).into_iter().map(|(steps, change)| (steps, serde_json::json!(change)));
    let checks = visit::checks(&lab.lab).into_iter().map(|(steps, check)| (steps, serde_json::json!(check)));
    for (steps, value) in changes.chain(checks) {
        for (message, help) in ecs::references(&value).iter().filter_map(fault) {
            lint.error(&steps, message, help);
        }
    }
}

fn is_there(lab: &LoadedLab, document: &Document, needed: &Needed) -> bool {
    let own = lab.namespace();
    let place = |document: &Document| document.namespace.clone().or_else(|| own.map(str::to_owned));
    let cluster_wide = ["StorageClass", "PriorityClass"].contains(&needed.kind);
    let built_in = match lab.platform() {
        Platform::Ecs => false,
        Platform::Kubernetes => needed.kind == "ServiceAccount" && needed.name == "default",
        Platform::Docker => {
            needed.kind == "Network" && ["bridge", "host", "none", "default"].contains(&needed.name.as_str())
        }
    };
    built_in
        || lab.documents.iter().any(|other| {
            other.kind == needed.kind && other.name == needed.name && (cluster_wide || place(other) == place(document))
        })
}

/// ConfigMaps, Secrets, claims and accounts that a pod template names and does not call optional.
fn needed_by_manifest(document: &Document) -> Vec<Needed> {
    let mut needed = Vec::new();
    in_template(&document.body, &mut needed);
    // A StatefulSet's own claims, and accounts that a binding only speaks of, are no needs.
    needed
}

fn in_template(value: &Value, needed: &mut Vec<Needed>) {
    const REFERENCES: [(&str, &str, &str); 8] = [
        ("configMap", "name", "ConfigMap"),
        ("configMapRef", "name", "ConfigMap"),
        ("configMapKeyRef", "name", "ConfigMap"),
        ("secret", "secretName", "Secret"),
        ("secret", "name", "Secret"),
        ("secretRef", "name", "Secret"),
        ("secretKeyRef", "name", "Secret"),
        ("persistentVolumeClaim", "claimName", "PersistentVolumeClaim"),
    ];
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                for (_, name, kind) in REFERENCES.iter().filter(|(reference, ..)| reference == key) {
                    let optional = value.get("optional").and_then(Value::as_bool) == Some(true);
                    if let Some(name) = value.get(name).and_then(Value::as_str).filter(|_| !optional) {
                        needed.push(Needed { kind, name: name.to_owned() });
                    }
                }
                if key == "serviceAccountName"
                    && let Some(name) = value.as_str()
                {
                    needed.push(Needed { kind: "ServiceAccount", name: name.to_owned() });
                }
                in_template(value, needed);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| in_template(item, needed)),
        _ => {}
    }
}

/// Networks, named volumes and containers that a container's create body names.
fn needed_by_container(document: &Document) -> Vec<Needed> {
    if document.kind != "Container" {
        return Vec::new();
    }
    let mut needed = Vec::new();
    let mut need = |kind, name: &str| needed.push(Needed { kind, name: name.to_owned() });
    let host = document.body.get("HostConfig");
    let text = |key: &str| host.and_then(|host| host.get(key)).and_then(Value::as_str);
    for mode in ["NetworkMode", "PidMode", "IpcMode"] {
        match text(mode).map(|mode| mode.split_once(':').unwrap_or((mode, ""))) {
            Some(("container", name)) => need("Container", name),
            Some((network, "")) if mode == "NetworkMode" => need("Network", network),
            _ => {}
        }
    }
    let endpoints = document.body.pointer("/NetworkingConfig/EndpointsConfig").and_then(Value::as_object);
    for (network, _) in endpoints.into_iter().flatten() {
        need("Network", network);
    }
    let binds = host.and_then(|host| host.get("Binds")).and_then(Value::as_array);
    for bind in binds.into_iter().flatten().filter_map(Value::as_str) {
        if let Some((source, _)) = bind.split_once(':')
            && !source.starts_with('/')
        {
            need("Volume", source);
        }
    }
    let mounts = host.and_then(|host| host.get("Mounts")).and_then(Value::as_array);
    for mount in mounts.into_iter().flatten() {
        let is_volume = mount.get("Type").and_then(Value::as_str) == Some("volume");
        if let Some(source) = mount.get("Source").and_then(Value::as_str).filter(|_| is_volume) {
            need("Volume", source);
        }
    }
    needed
}
