//! Plugin `Priority`, for classes: only one may be the default (`plugin/pkg/admission/priority/admission.go`).

use serde_json::Value;

use super::{Attempt, refuse};
use crate::{
    Cluster, Status,
    object::{name, truth},
};

const CLASSES: &str = "priorityclasses.scheduling.k8s.io";

pub(super) fn validate(cluster: &Cluster, attempt: Attempt<'_>, class: &Value) -> Result<(), Status> {
    if attempt.kind.collection != CLASSES || !truth(class, "/globalDefault") {
        return Ok(());
    }
    let other = default_class(cluster).filter(|other| attempt.is_create() || name(other) != name(class));
    match other {
        Some(other) => {
            let why = format!("PriorityClass {} is already marked as default. Only one default can exist", name(other));
            Err(refuse(attempt, class, &why))
        }
        None => Ok(()),
    }
}

/// The class of pods that name none: of several the lowest.
pub fn default_class(cluster: &Cluster) -> Option<&std::sync::Arc<Value>> {
    let defaults =
        cluster.store.list(CLASSES, None).map(|(_, class)| class).filter(|class| truth(class, "/globalDefault"));
    defaults.min_by_key(|class| crate::object::number(class, "/value").unwrap_or_default())
}
