//! Admission: what is added to objects on their way in, and what is refused although its author may write it and it is well-formed.
//!
//! In an API server's order (`pkg/kubeapiserver/options/plugins.go`): first every plugin that changes objects, then the kind's own
//! validation, then every plugin that only refuses, quotas last of all. The plugins of pods that need nothing but the pod's namespace
//! (ServiceAccount, Priority, DefaultTolerationSeconds) are in `api/kinds/pod_admission.rs`; NamespaceLifecycle is where namespaces are
//! looked up (`api/write/`).

mod amounts;
mod limit_ranger;
pub mod pod_security;
pub mod priority_class;
pub mod quota;

#[cfg(test)]
mod tests;

use serde_json::Value;

pub use amounts::{Amounts, of_pod};

use crate::{Cluster, Kind, Status, api::write::Touch, object::text};

/// A write that asks to be admitted.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    pub kind: &'static Kind,
    /// The object as it is; none for a new one.
    pub old: Option<&'a Value>,
    pub touch: Touch,
}

impl Attempt<'_> {
    fn is_create(&self) -> bool {
        self.old.is_none()
    }

    /// Whether the object as such is written, not a part of it.
    fn is_whole(&self) -> bool {
        self.touch == Touch::Main
    }

    /// Whether what a pod's containers are may change.
    fn touches_containers(&self) -> bool {
        matches!(self.touch, Touch::Main | Touch::EphemeralContainers | Touch::Resize)
    }
}

/// Runs the plugins that change the object.
pub fn mutate(cluster: &Cluster, attempt: Attempt<'_>, object: &mut Value) {
    limit_ranger::mutate(cluster, attempt, object);
}

/// Runs the plugins that only refuse, but for quotas: those come last, after the cluster's own webhooks and policies ([`quota::check`]).
/// What is warned of goes to the client.
///
/// # Errors
/// A refusal in the API's words.
pub fn validate(
    cluster: &Cluster,
    attempt: Attempt<'_>,
    object: &Value,
    warnings: &mut Vec<String>,
) -> Result<(), Status> {
    limit_ranger::validate(cluster, attempt, object)?;
    pod_security::validate(cluster, attempt, object, warnings)?;
    priority_class::validate(cluster, attempt, object)
}

/// 403 about the object that is written.
fn refuse(attempt: Attempt<'_>, object: &Value, why: &str) -> Status {
    Status::forbidden(attempt.kind, text(object, "/metadata/name"), why)
}
