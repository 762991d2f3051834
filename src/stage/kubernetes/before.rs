//! A cluster of breakfix's own as it was before a session: what labels cannot find again is put right from this.
//!
//! A learner who is administrator may taint a node, edit the cluster's DNS or grant rights to anybody. On a cluster that is
//! breakfix's own all of it goes with the session; on a cluster of the learner's it is the learner's to undo.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    api::{Api, PatchKind},
    clear::CLUSTER_KINDS,
    object::{self, SESSION_LABEL},
    resource::Resource,
    target::KubeTarget,
    trouble::Trouble,
};
use crate::{
    home::{HomeError, make_private, read_json, write_json},
    target::{Cause, TargetError},
};

/// The system's own ConfigMaps that labs on names and proxies touch.
pub(super) const SYSTEM_CONFIG: [&str; 2] = ["coredns", "kube-proxy"];
pub(super) const SYSTEM_NAMESPACE: &str = "kube-system";
/// Taints that nodes get and lose by themselves.
const SYSTEM_TAINTS: &str = "node.kubernetes.io/";

/// The record.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Before {
    nodes: BTreeMap<String, NodeBefore>,
    /// `data` of the system's ConfigMaps.
    config: BTreeMap<String, Value>,
    /// `Kind name` of every cluster-scoped object and namespace.
    objects: BTreeSet<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct NodeBefore {
    labels: Map<String, Value>,
    taints: Vec<Value>,
    unschedulable: bool,
}

impl NodeBefore {
    fn of(node: &Value) -> Self {
        let of_system = |taint: &&Value| object::text(taint, "/key").is_some_and(|key| key.starts_with(SYSTEM_TAINTS));
        Self {
            labels: node.pointer("/metadata/labels").and_then(Value::as_object).cloned().unwrap_or_default(),
            taints: object::list(node, "/spec/taints").iter().filter(|taint| !of_system(taint)).cloned().collect(),
            unschedulable: node.pointer("/spec/unschedulable").and_then(Value::as_bool).unwrap_or(false),
        }
    }

    /// A merge patch that makes the node what it was; `None` where it is.
    fn patch_for(&self, node: &Value) -> Option<Value> {
        let now = Self::of(node);
        if now == *self {
            return None;
        }
        let gone =
            now.labels.keys().filter(|key| !self.labels.contains_key(*key)).map(|key| (key.clone(), Value::Null));
        let labels: Map<String, Value> = self.labels.clone().into_iter().chain(gone).collect();
        // The system's own taints of this moment stay.
        let system = object::list(node, "/spec/taints").iter().filter(|taint| !now.taints.contains(taint));
        let cordon = |taint: &&Value| object::text(taint, "/key") == Some("node.kubernetes.io/unschedulable");
        let taints: Vec<Value> = self.taints.iter().chain(system.filter(|taint| !cordon(taint))).cloned().collect();
        let unschedulable = if self.unschedulable { json!(true) } else { Value::Null };
        Some(json!({"metadata": {"labels": labels}, "spec": {"taints": taints, "unschedulable": unschedulable}}))
    }
}

impl KubeTarget {
    fn before_file(&self) -> PathBuf {
        self.place.folder.join("cluster-before.json")
    }

    /// Writes the record, once a session.
    pub(super) async fn remember_cluster(&self, api: &Api) -> Result<(), TargetError> {
        let path = self.before_file();
        if !self.host.owns_cluster() || path.exists() {
            return Ok(());
        }
        let mut before = Before::default();
        for node in self.all(api, "Node").await? {
            before.nodes.insert(object::name(&node).to_owned(), NodeBefore::of(&node));
        }
        before.config = self.system_config(api).await?;
        for kind in CLUSTER_KINDS.into_iter().chain(["Namespace"]) {
            let found = self.all(api, kind).await?;
            before.objects.extend(found.iter().map(|object| format!("{kind} {}", object::name(object))));
        }
        let written = make_private(&self.place.folder).and_then(|()| write_json(&path, &before));
        written.map_err(|error| self.local(error))
    }

    /// `data` of the system's ConfigMaps that are there.
    pub(super) async fn system_config(&self, api: &Api) -> Result<BTreeMap<String, Value>, TargetError> {
        let mut config = BTreeMap::new();
        let Some(resource) = Resource::built_in(None, "ConfigMap") else { return Ok(config) };
        for name in SYSTEM_CONFIG {
            match api.get(&resource, Some(SYSTEM_NAMESPACE), name).await {
                Ok(Some(mut found)) => drop(config.insert(name.to_owned(), found["data"].take())),
                Ok(None) => {}
                Err(trouble) if trouble.is_forbidden() => {}
                Err(trouble) => {
                    return Err(self.cannot(format!("read ConfigMap {name} in {SYSTEM_NAMESPACE}"), trouble));
                }
            }
        }
        Ok(config)
    }

    /// Puts right what the session's learner did to the cluster. To be called once the session's own is gone.
    pub(super) async fn restore_cluster(&self, api: &Api) -> Result<(), TargetError> {
        if !self.host.owns_cluster() {
            return Ok(());
        }
        let before: Option<Before> = read_json(&self.before_file()).map_err(|error| self.local(error))?;
        let Some(before) = before else { return Ok(()) };
        let failed = |trouble| self.cannot("make the cluster what it was before the session", trouble);
        self.restore_nodes(api, &before).await.map_err(failed)?;
        self.restore_config(api, &before).await.map_err(failed)?;
        self.remove_strangers(api, &before).await.map_err(failed)
    }

    async fn restore_nodes(&self, api: &Api, before: &Before) -> Result<(), Trouble> {
        let Some(nodes) = Resource::built_in(None, "Node") else { return Ok(()) };
        let (_, found) = api.list(&nodes, None, "").await?;
        for node in &found {
            let patch = before.nodes.get(object::name(node)).and_then(|before| before.patch_for(node));
            if let Some(patch) = patch {
                api.patch(&nodes, None, object::name(node), None, PatchKind::Merge, &patch).await?;
            }
        }
        Ok(())
    }

    async fn restore_config(&self, api: &Api, before: &Before) -> Result<(), Trouble> {
        let Some(resource) = Resource::built_in(None, "ConfigMap") else { return Ok(()) };
        for (name, data) in &before.config {
            let found = api.get(&resource, Some(SYSTEM_NAMESPACE), name).await?;
            if found.as_ref().is_some_and(|found| found["data"] == *data) {
                continue;
            }
            if found.is_none() {
                let metadata = json!({"name": name, "namespace": SYSTEM_NAMESPACE});
                let body = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data});
                api.create(&resource, Some(SYSTEM_NAMESPACE), &body).await?;
                continue;
            }
            // Replaced as a whole: a merge would leave keys that were added.
            let body = json!([{"op": "add", "path": "/data", "value": data}]);
            api.patch(&resource, Some(SYSTEM_NAMESPACE), name, None, PatchKind::Json, &body).await?;
        }
        Ok(())
    }

    /// Deletes what was made since and bears no session's label: only the learner can have made it.
    async fn remove_strangers(&self, api: &Api, before: &Before) -> Result<(), Trouble> {
        for kind in CLUSTER_KINDS.into_iter().chain(["Namespace"]) {
            let Some(resource) = Resource::built_in(None, kind) else { continue };
            let found = match api.list(&resource, None, "").await {
                Ok((_, found)) => found,
                Err(Trouble::NotServed { .. }) => continue,
                Err(trouble) => return Err(trouble),
            };
            for object in &found {
                let known = before.objects.contains(&format!("{kind} {}", object::name(object)));
                if !known && object::label(object, SESSION_LABEL).is_none() && is_since(object, self.place.opened) {
                    api.delete(&resource, None, object::name(object), object::uid(object), None).await?;
                }
            }
        }
        Ok(())
    }

    fn local(&self, error: HomeError) -> TargetError {
        TargetError::new(Cause::Local, format!("use {}", self.before_file().display())).because(error)
    }
}

/// The API writes whole seconds, so the one in which the session began counts.
fn is_since(object: &Value, opened: Timestamp) -> bool {
    let created = object::text(object, "/metadata/creationTimestamp").and_then(|text| text.parse::<Timestamp>().ok());
    created.is_some_and(|created| created.as_second() >= opened.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(labels: Value, spec: Value) -> Value {
        json!({"metadata": {"name": "w1", "labels": labels}, "spec": spec})
    }

    #[test]
    fn a_node_is_made_what_it_was_and_keeps_the_taints_of_the_moment() {
        let before =
            NodeBefore::of(&node(json!({"a": "b"}), json!({"taints": [{"key": "gpu", "effect": "NoSchedule"}]})));
        let cordoned = json!({"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"});
        let pressure = json!({"key": "node.kubernetes.io/disk-pressure", "effect": "NoSchedule"});
        let spec =
            json!({"unschedulable": true, "taints": [{"key": "mine", "effect": "NoExecute"}, cordoned, pressure]});
        let patch = before.patch_for(&node(json!({"a": "x", "tier": "front"}), spec)).unwrap();
        assert_eq!(
            patch,
            json!({
                "metadata": {"labels": {"a": "b", "tier": null}},
                "spec": {"taints": [{"key": "gpu", "effect": "NoSchedule"}, pressure], "unschedulable": null},
            })
        );
        let same = node(json!({"a": "b"}), json!({"taints": [pressure, {"key": "gpu", "effect": "NoSchedule"}]}));
        assert_eq!(before.patch_for(&same), None, "what comes and goes by itself is no change");
    }

    #[test]
    fn only_what_is_younger_than_the_session_can_be_its_learners() {
        let at = |text: &str| json!({"metadata": {"creationTimestamp": text}});
        let opened: Timestamp = "2026-01-05T09:00:00.7Z".parse().unwrap();
        assert!(is_since(&at("2026-01-05T09:00:00Z"), opened) && is_since(&at("2026-01-05T09:30:00Z"), opened));
        assert!(!is_since(&at("2026-01-05T08:59:59Z"), opened) && !is_since(&json!({}), opened));
    }
}
