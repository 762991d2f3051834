//! How a cluster is come by: the little in which `sim`, `kind` and `context:NAME` differ.

mod context;
mod kind;
mod sim;

use std::{collections::BTreeMap, path::Path, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;

pub(crate) use context::{ContextHost, consent};
pub(crate) use kind::{KindHost, delete_cluster, delete_unfinished};
pub(crate) use sim::{LocalSimHost, SimHost, close_simulator, serve_simulator};

use super::{
    api::{Api, SystemClock},
    kubeconfig,
};
pub(crate) use crate::target::random_word;
use crate::target::{Cause, NodeOutput, Reach, TargetError, WayBack};

/// A way to a cluster.
#[async_trait]
pub(crate) trait Host: Send + Sync {
    /// A client, after whatever it takes: a process started, a cluster created, a context read.
    async fn connect(&self) -> Result<kube::Client, TargetError>;

    /// The system is the learner's from here on: one that stood inside this process gets a process of its own. True if it is to be connected
    /// to anew.
    async fn hand_over(&self) -> Result<bool, TargetError> {
        Ok(false)
    }

    /// Whether a system that is this host's own still has the files that it lives in.
    fn is_there(&self) -> bool {
        true
    }

    /// A client that says of nobody whom it acts for, after [`Host::connect`]; `folder`: the session's.
    async fn without_credentials(&self, folder: &Path) -> Result<kube::Client, TargetError> {
        kubeconfig::without_credentials(folder).await
    }

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

    /// See [`crate::Target::epoch`].
    async fn epoch(&self) -> Option<Timestamp> {
        None
    }

    /// The machines behind the nodes, by name; `None` where nobody gets to them.
    async fn machines(&self, api: &Api) -> Result<Option<Vec<String>>, TargetError> {
        let _ = api;
        Ok(None)
    }

    /// Runs a command on a machine and waits for its end.
    async fn on_machine(&self, api: &Api, machine: &str, command: &[String]) -> Result<NodeOutput, TargetError> {
        let _ = (api, command);
        Err(TargetError::new(Cause::Missing, format!("run a command on {machine}: nobody gets to the nodes here")))
    }

    /// Switches a machine on that is off.
    async fn wake(&self, machine: &str) -> Result<(), TargetError> {
        let _ = machine;
        Ok(())
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

    /// A way back to the system as it is now; see [`crate::Target::way_back`].
    fn way_back(&self) -> Option<WayBack> {
        None
    }

    /// A word that nobody can know beforehand.
    fn nonce(&self) -> String {
        random_word()
    }
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

/// The variables of a target that is reached through a kubeconfig. kubectl's cache of discovery lies beside that file
/// (`KUBECACHEDIR`, kubectl 1.27 and newer): it goes with the session instead of staying in the learner's home.
pub(crate) fn kubeconfig_env(path: &std::path::Path) -> BTreeMap<String, String> {
    let cache = path.with_file_name("kubectl-cache");
    BTreeMap::from([
        ("KUBECONFIG".to_owned(), path.display().to_string()),
        ("KUBECACHEDIR".to_owned(), cache.display().to_string()),
    ])
}
