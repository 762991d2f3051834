//! What a plugin is, and what it sees.

use std::sync::Arc;

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
        }
    }

    /// The pods on a node.
    pub fn on<'a>(&'a self, node: &'a str) -> impl Iterator<Item = &'a Arc<Value>> {
        self.placed.iter().filter(move |pod| text(pod, "/spec/nodeName") == node)
    }
}
