//! The priority classes that every cluster has (`pkg/apis/scheduling/v1/helpers.go`).

use serde_json::json;

use super::create;
use crate::{Cluster, Status, kind};

/// Name, value, description.
const SYSTEM: [(&str, i64, &str); 2] = [
    (
        "system-cluster-critical",
        2_000_000_000,
        "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
    ),
    (
        "system-node-critical",
        2_000_001_000,
        "Used for system critical pods that must not be moved from their current node.",
    ),
];

pub(super) fn create_all(cluster: &mut Cluster) -> Result<(), Status> {
    for (name, value, description) in SYSTEM {
        let class = json!({"metadata": {"name": name}, "value": value, "description": description});
        create(cluster, &kind::PRIORITY_CLASS, "", class)?;
    }
    Ok(())
}
