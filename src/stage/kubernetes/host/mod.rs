//! How a cluster is come by: the little in which `sim`, `kind` and `context:NAME` differ.

mod context;
mod kind;
mod sim;

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use serde_json::Value;

pub(crate) use context::{ContextHost, consent};
pub(crate) use kind::{KindHost, delete_cluster};
pub(crate) use sim::{LocalSimHost, SimHost, close_simulator, serve_simulator};

use super::api::{Api, SystemClock};
use crate::target::{Reach, TargetError};

/// A way to a cluster.
#[async_trait]
pub(crate) trait Host: Send + Sync {
    /// A client, after whatever it takes: a process started, a cluster created, a context read.
    async fn connect(&self) -> Result<kube::Client, TargetError>;

    /// Makes these image references, all the workload, known to the nodes.
    async fn provide_images(&self, api: &Api, images: &[String]) -> Result<(), TargetError>;

    /// Lets time pass on the system.
    async fn pass(&self, time: Duration) -> Result<(), TargetError>;

    /// Variables and sentences for the learner.
    async fn reach(&self) -> Result<Reach, TargetError>;

    /// The system's own time, where its `Date` headers say another's.
    fn clock(&self) -> Option<SystemClock> {
        None
    }

    /// Removes the whole system, where it belongs to the session alone. True if so: there is nothing left to clear.
    async fn wipe(&self) -> Result<bool, TargetError> {
        Ok(false)
    }

    /// Whether the whole cluster is no more, so that nothing of the session can be left on it. Asked when nobody answers.
    async fn is_gone(&self) -> bool {
        false
    }

    /// Adapts what is sent to the cluster: image references where these must come from a registry.
    fn adapt(&self, body: &mut Value) {
        let _ = body;
    }

    /// Whether cluster-scoped objects other than Namespaces may be made.
    fn allows_cluster_scoped(&self) -> bool {
        true
    }

    /// Whether the cluster is breakfix's own and outlives the session, so that everything a learner does to it must be undone.
    fn owns_cluster(&self) -> bool {
        false
    }

    /// What to try when nobody answers; a whole sentence.
    fn when_unreachable(&self) -> String;

    /// How pods get the workload's image: `Never` where it is put on the nodes.
    fn pull_policy(&self) -> &'static str {
        "Never"
    }

    /// Whether [`Host::pass`] moves a clock of the system's own instead of waiting.
    fn skips_time(&self) -> bool {
        false
    }

    /// A word that nobody can know beforehand.
    fn nonce(&self) -> String {
        random_word()
    }
}

/// Sixteen hexadecimal digits from the system's random source, by way of the standard library's hash keys.
pub(crate) fn random_word() -> String {
    use std::hash::{BuildHasher, Hasher, RandomState};
    format!("{:016x}", RandomState::new().build_hasher().finish())
}

/// Replaces the prefix of every text that is an image reference of ours.
pub(crate) fn rewrite_images(body: &mut Value, from: &str, to: &str) {
    match body {
        Value::String(text) => {
            if let Some(rest) = text.strip_prefix(from) {
                *text = format!("{to}{rest}");
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rewrite_images(item, from, to)),
        Value::Object(map) => map.values_mut().for_each(|value| rewrite_images(value, from, to)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The variables of a target whose only one is a kubeconfig.
pub(crate) fn kubeconfig_env(path: &std::path::Path) -> BTreeMap<String, String> {
    BTreeMap::from([("KUBECONFIG".to_owned(), path.display().to_string())])
}
