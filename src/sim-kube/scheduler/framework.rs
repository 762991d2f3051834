//! What a plugin is, and what it sees.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;

use super::preemption;
use crate::{
    Cluster,
    controllers::pod_state,
    kind,
    object::{set, text, uid},
};

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
#[derive(Clone)]
pub struct View {
    /// In the order of their names.
    pub nodes: Vec<Arc<Value>>,
    /// Pods that have a node and have not ended.
    pub placed: Vec<Arc<Value>>,
    /// Namespaces, by name.
    namespaces: BTreeMap<String, Arc<Value>>,
    /// Claims for volumes, by namespace and name.
    claims: BTreeMap<(String, String), Arc<Value>>,
    /// Volumes, in the order of their names.
    pub volumes: Vec<Arc<Value>>,
    /// Storage classes, by name.
    pub classes: BTreeMap<String, Arc<Value>>,
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
                .chain(super::binding::assumed(cluster))
                .collect(),
            namespaces: cluster
                .store
                .list(kind::NAMESPACE.collection, None)
                .map(|(key, namespace)| (key.name.to_string(), Arc::clone(namespace)))
                .collect(),
            claims: cluster
                .store
                .list(kind::PERSISTENT_VOLUME_CLAIM.collection, None)
                .map(|(key, claim)| ((key.namespace.to_string(), key.name.to_string()), Arc::clone(claim)))
                .collect(),
            volumes: cluster
                .store
                .list(kind::PERSISTENT_VOLUME.collection, None)
                .map(|(_, volume)| Arc::clone(volume))
                .collect(),
            classes: cluster
                .store
                .list(kind::STORAGE_CLASS.collection, None)
                .map(|(key, class)| (key.name.to_string(), Arc::clone(class)))
                .collect(),
        }
    }

    /// With the pods that have been promised a node: for a pod of no higher priority they are there already.
    #[must_use]
    pub fn with_promised(mut self, cluster: &Cluster, pod: &Value) -> Self {
        let promised = cluster.store.list(kind::POD.collection, None).map(|(_, other)| other).filter(|other| {
            !text(other, "/status/nominatedNodeName").is_empty()
                && text(other, "/spec/nodeName").is_empty()
                && !pod_state::is_terminal(other)
                && uid(other) != uid(pod)
                && preemption::priority(other) >= preemption::priority(pod)
        });
        let promised: Vec<Arc<Value>> =
            promised.filter(|other| !self.placed.iter().any(|placed| uid(placed) == uid(other))).cloned().collect();
        for mut other in promised {
            let node = text(&other, "/status/nominatedNodeName").to_owned();
            set(Arc::make_mut(&mut other), "/spec/nodeName", Value::from(node));
            self.placed.push(other);
        }
        self
    }

    /// The same without some of the pods.
    #[must_use]
    pub fn without(&self, gone: &[Arc<Value>]) -> Self {
        let mut view = self.clone();
        view.placed.retain(|placed| !gone.iter().any(|gone| uid(gone) == uid(placed)));
        view
    }

    /// A namespace by name.
    pub fn namespace(&self, name: &str) -> Option<&Value> {
        self.namespaces.get(name).map(AsRef::as_ref)
    }

    /// A claim by name.
    pub fn claim(&self, namespace: &str, name: &str) -> Option<&Arc<Value>> {
        self.claims.get(&(namespace.to_owned(), name.to_owned()))
    }

    /// The pods on a node.
    pub fn on<'a>(&'a self, node: &'a str) -> impl Iterator<Item = &'a Arc<Value>> {
        self.placed.iter().filter(move |pod| text(pod, "/spec/nodeName") == node)
    }
}
