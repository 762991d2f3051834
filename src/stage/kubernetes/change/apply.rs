//! `apply`: create or replace the documents of a file.

use std::collections::BTreeMap;

use breakfix_lab::{Document, live::fill};
use http::Method;
use serde_json::{Value, json};

use crate::{
    kubernetes::{belongings, create::named, object, resource::Resource, target::KubeTarget},
    target::{Cause, TargetError},
};

/// The kind of what says on which node a pod runs.
const BINDING: &str = "Binding";
/// How often a replacement is tried again when somebody else wrote in between.
const ATTEMPTS: u32 = 5;

impl KubeTarget {
    /// Creates or replaces a file's documents, with live values filled in.
    pub(super) async fn apply(&self, path: &str, live: &BTreeMap<String, String>) -> Result<(), TargetError> {
        let documents = self.place.files.get(path).ok_or_else(|| {
            TargetError::new(Cause::Local, format!("apply {path}: the lab has no such file"))
                .hint("`breakfix lab lint` names every file that is missing.")
        })?;
        for document in belongings::in_order(documents) {
            let mut document = document.clone();
            fill(&mut document.body, live);
            document.name = object::name(&document.body).to_owned();
            if document.kind == BINDING {
                self.bind(&document).await?;
                continue;
            }
            let resource = self.served(&document).await?;
            self.check_allowed(&resource, &document)?;
            self.apply_document(&resource, &document).await?;
        }
        Ok(())
    }

    /// A Binding is no object that stays: it is sent to the pod of its name, which then has a node. With it one does a scheduler's work by hand.
    async fn bind(&self, document: &Document) -> Result<(), TargetError> {
        let what = format!(
            "bind Pod {} to {}",
            document.name,
            object::text(&document.body, "/target/name").unwrap_or("no node")
        );
        let Some(pods) = Resource::built_in(None, "Pod") else { return Ok(()) };
        let namespace = belongings::namespace_of(&self.place, &pods, document.namespace.as_deref());
        let path = pods.path(namespace, Some(&document.name), Some("binding"));
        let sent = self.api().await?.send(Method::POST, &path, Some(("application/json", &document.body))).await;
        sent.map(drop).map_err(|trouble| self.cannot(what, trouble))
    }

    async fn apply_document(&self, resource: &Resource, document: &Document) -> Result<(), TargetError> {
        let api = &*self.api().await?;
        let what = format!("apply {}", named(document));
        let mut body = belongings::body_of(&self.place, resource, document);
        self.host.adapt(&mut body);
        let namespace = belongings::namespace_of(&self.place, resource, document.namespace.as_deref());
        for attempt in 1.. {
            let found =
                api.get(resource, namespace, &document.name).await.map_err(|trouble| self.cannot(&what, trouble))?;
            let done = match &found {
                None => api.create(resource, namespace, &body).await,
                Some(found) => {
                    let foreign = belongings::needs_label(&self.place, resource, namespace)
                        && !object::is_of_session(found, &self.place.session);
                    if foreign {
                        return Err(TargetError::new(
                            Cause::Refused,
                            format!("{what}: there is one that is not this session's"),
                        )
                        .hint("Only `patch` may change what was there before the lab."));
                    }
                    api.replace(resource, namespace, &document.name, &replacement(found, &body)).await
                }
            };
            match done {
                Ok(_) if found.is_none() && document.kind == "Namespace" => {
                    return self.await_namespace(api, &document.name).await;
                }
                Ok(_) => return Ok(()),
                Err(trouble) if attempt < ATTEMPTS && (trouble.is_conflict() || trouble.is_already_exists()) => {}
                Err(trouble) => return Err(self.cannot(what, trouble)),
            }
        }
        Ok(())
    }
}

/// Fields that the API fills in once and then holds fast; a manifest does not have them.
const ALLOCATED: &[(&str, &[&str])] = &[
    ("Service", &["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "healthCheckNodePort"]),
    ("PersistentVolumeClaim", &["volumeName", "storageClassName", "volumeMode"]),
    ("PersistentVolume", &["claimRef"]),
    ("Job", &["selector"]),
    ("Namespace", &["finalizers"]),
    ("Pod", &["nodeName", "serviceAccountName", "tolerations", "priority", "preemptionPolicy", "volumes"]),
];

/// What replaces `found` by `wanted`: the wanted object with the identity and the allocated fields of the one there.
pub(crate) fn replacement(found: &Value, wanted: &Value) -> Value {
    let mut body = wanted.clone();
    for key in ["resourceVersion", "uid", "finalizers", "ownerReferences"] {
        keep(found, &mut body, &["metadata", key]);
    }
    let kind = object::text(wanted, "/kind").unwrap_or_default();
    let fields = ALLOCATED.iter().find(|(name, _)| *name == kind).map_or(&[][..], |(_, fields)| fields);
    for field in fields {
        keep(found, &mut body, &["spec", field]);
    }
    if kind == "Service" {
        keep_node_ports(found, &mut body);
    }
    body
}

/// Copies a field that the wanted object leaves open.
fn keep(found: &Value, body: &mut Value, path: &[&str]) {
    let pointer = format!("/{}", path.join("/"));
    if body.pointer(&pointer).is_none()
        && let Some(value) = found.pointer(&pointer)
    {
        object::set(body, path, value.clone());
    }
}

/// A port keeps its node port, so that a replaced Service answers where it did.
fn keep_node_ports(found: &Value, body: &mut Value) {
    let Some(Value::Array(ports)) = body.pointer_mut("/spec/ports") else { return };
    for port in ports.iter_mut().filter(|port| port.get("nodePort").is_none()) {
        let same = |other: &&Value| other.get("port") == port.get("port") && other.get("nodePort").is_some();
        if let Some(node_port) =
            object::list(found, "/spec/ports").iter().find(same).and_then(|other| other.get("nodePort"))
        {
            object::set(port, &["nodePort"], json!(node_port));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replacement_keeps_what_was_allocated_and_nothing_else() {
        let found = json!({
            "kind": "Service",
            "metadata": {"name": "web", "uid": "u", "resourceVersion": "7", "annotations": {"a": "b"}},
            "spec": {"clusterIP": "10.0.0.1", "selector": {"old": "x"}, "ports": [{"port": 80, "nodePort": 30080}, {"port": 81}]},
            "status": {},
        });
        let wanted = json!({"kind": "Service", "metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}});
        let body = replacement(&found, &wanted);
        assert_eq!(
            body,
            json!({
                "kind": "Service",
                "metadata": {"name": "web", "uid": "u", "resourceVersion": "7"},
                "spec": {"clusterIP": "10.0.0.1", "selector": {"app": "web"}, "ports": [{"port": 80, "nodePort": 30080}]},
            })
        );
        let headless = json!({"kind": "Service", "metadata": {"name": "web"}, "spec": {"clusterIP": "None"}});
        assert_eq!(
            replacement(&found, &headless)["spec"]["clusterIP"],
            json!("None"),
            "the API must see what is immutable"
        );
    }
}
