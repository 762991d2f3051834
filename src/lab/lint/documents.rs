//! The healthy system's documents: in namespaces of the lab's own, and without a history that gives the answer away.

use std::collections::BTreeSet;

use super::{Lint, Rule};
use crate::{Document, lab::Platform, problem::Place};

pub(super) const RULE: Rule = Rule {
    name: "documents",
    why: "what a lab makes must be the lab's own, so that `stop` can take it away and nothing else is touched",
    whole: true,
    check,
};

/// Kinds without a namespace in Kubernetes' own API groups.
const CLUSTER_KINDS: [&str; 22] = [
    "APIService",
    "CSIDriver",
    "CSINode",
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "FlowSchema",
    "IngressClass",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PriorityClass",
    "PriorityLevelConfiguration",
    "RuntimeClass",
    "StorageClass",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
    "VolumeAttachment",
    "VolumeAttributesClass",
    "DeviceClass",
];

/// Namespaces that every cluster has.
const FOREIGN: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

fn check(lint: &mut Lint<'_>) {
    if lint.lab.platform() != Platform::Kubernetes {
        return;
    }
    let documents: Vec<Document> =
        lint.lab.documents.iter().chain(lint.lab.files.values().flatten()).cloned().collect();
    let declared: BTreeSet<String> = documents
        .iter()
        .filter(|document| document.kind == "Namespace")
        .map(|document| document.name.clone())
        .collect();
    if lint.lab.namespace().is_none() {
        lint.error_in("system", Place::default(), "the system has no Namespace", "begin it with one of the lab's own");
        return;
    }
    for document in &documents {
        let place = Place { line: document.line, column: 1 };
        if document.kind == "Namespace" {
            if FOREIGN.contains(&document.name.as_str()) {
                let message = format!("the namespace `{}` is the cluster's", document.name);
                lint.error_in(&document.file, place, message, "use a namespace of the lab's own");
            }
            continue;
        }
        let cluster_wide = CLUSTER_KINDS.contains(&document.kind.as_str());
        match &document.namespace {
            Some(_) if cluster_wide => {
                let message = format!("a {} has no namespace", document.kind);
                lint.error_in(&document.file, place, message, "take `metadata.namespace` out");
            }
            Some(namespace) if !declared.contains(namespace) => {
                let message = format!("the namespace `{namespace}` is not the lab's");
                let help = "use one that a Namespace document of system/ declares";
                lint.error_in(&document.file, place, message, help);
            }
            _ => {}
        }
        let annotations = document.body.get("metadata").and_then(|metadata| metadata.get("annotations"));
        if annotations.and_then(|map| map.get("kubectl.kubernetes.io/last-applied-configuration")).is_some() {
            let help = "it shows the healthy state; take the annotation out";
            lint.error_in(&document.file, place, "the document carries its last applied configuration", help);
        }
        for field in ["status", "metadata.uid", "metadata.resourceVersion", "metadata.managedFields"] {
            let pointer = format!("/{}", field.replace('.', "/"));
            if document.body.pointer(&pointer).is_some() {
                let message = format!("`{field}` is the server's to write");
                lint.error_in(&document.file, place, message, "take it out");
            }
        }
    }
}
