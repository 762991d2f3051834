//! What a plugin is, and what it sees.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::Value;

use crate::{Cluster, controllers::pod_state, kind, object::text};

/// Why a plugin refuses a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// In the real scheduler's words.
    pub reasons: Vec<String>,
    /// Whether evicting other pods could change it (`Unschedulable`, not `UnschedulableAndUnresolvable`).
    pub is_curable: bool,
}

impl Refusal {
    /// A refusal for good.
    pub fn incurable(reason: &str) -> Self {
        Self { reasons: vec![reason.to_owned()], is_curable: false }
    }

    /// A refusal because of other pods.
    pub fn curable(reason: &str) -> Self {
        Self { reasons: vec![reason.to_owned()], is_curable: true }
    }
}

/// One rule of scheduling.
pub trait Plugin: Sync {
    /// Why no node at all will do, before any is looked at (`PreFilter`).
    fn refuse_everywhere(&self, view: &View, pod: &Value) -> Option<String> {
        let _ = (view, pod);
        None
    }

    /// The reasons against this node; `None` where it would do.
    fn filter(&self, view: &View, pod: &Value, node: &Value) -> Option<Refusal> {
        let _ = (view, pod, node);
        None
    }

    /// How much this node is preferred: 0 to 100, times the plugin's weight.
    fn score(&self, view: &View, pod: &Value, node: &Value) -> i64 {
        let _ = (view, pod, node);
        0
    }
}

/// The cluster as one scheduling cycle sees it.
pub struct View {
    /// In the order of their names.
    pub nodes: Vec<Arc<Value>>,
    /// Pods that have a node and have not ended.
    pub placed: Vec<Arc<Value>>,
    /// Namespaces, by name.
    namespaces: BTreeMap<String, Arc<Value>>,
    /// Claims for volumes, as namespace and name.
    claims: BTreeSet<(String, String)>,
}

impl View {
    /// The present state.
    pub fn of(cluster: &Cluster) -> Self {
        Self {
            nodes: cluster.store.list(kind::NODE.collection, None).map(|(_, node)| Arc::clone(node)).collect(),
            placed: cluster
                .store
                .list(kind::POD.collection, None)
                .filter(|(_, pod)| !text(pod, "/spec/nodeName").is_empty() && !pod_state::is_terminal(pod))
                .map(|(_, pod)| Arc::clone(pod))
                .collect(),
            namespaces: cluster
                .store
                .list(kind::NAMESPACE.collection, None)
                .map(|(key, namespace)| (key.name.to_string(), Arc::clone(namespace)))
                .collect(),
            claims: cluster
                .store
                .list("persistentvolumeclaims", None)
                .map(|(key, _)| (key.namespace.to_string(), key.name.to_string()))
                .collect(),
        }
    }

    /// A namespace by name.
    pub fn namespace(&self, name: &str) -> Option<&Value> {
        self.namespaces.get(name).map(AsRef::as_ref)
    }

    /// Whether there is a claim of this name.
    pub fn has_claim(&self, namespace: &str, name: &str) -> bool {
        self.claims.contains(&(namespace.to_owned(), name.to_owned()))
    }

    /// The pods on a node.
    pub fn on<'a>(&'a self, node: &'a str) -> impl Iterator<Item = &'a Arc<Value>> {
        self.placed.iter().filter(move |pod| text(pod, "/spec/nodeName") == node)
    }
}
