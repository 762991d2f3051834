//! The history's limit: old sets without pods go, the oldest revision first (`cleanupDeployment`).

use std::sync::Arc;

use serde_json::Value;

use super::{actor, amounts, annotations};
use crate::{
    Cluster, Status,
    api::verbs::DeleteOptions,
    kind,
    object::{is_deleting, name, namespace, number},
};

pub(super) fn clean(cluster: &mut Cluster, deployment: &Value, old: &[Arc<Value>]) -> Result<(), Status> {
    let limit = number(deployment, "/spec/revisionHistoryLimit").unwrap_or(10);
    let mut candidates: Vec<&Arc<Value>> = old.iter().filter(|set| !is_deleting(set)).collect();
    let Ok(limit) = usize::try_from(limit) else { return Ok(()) };
    let surplus = candidates.len().saturating_sub(limit);
    candidates.sort_by_key(|set| annotations::revision(set));
    for set in candidates.into_iter().take(surplus) {
        let busy = amounts::status(set, "replicas") != 0
            || amounts::replicas(set) != 0
            || number(set, "/metadata/generation") > Some(amounts::status(set, "observedGeneration"));
        if busy {
            continue;
        }
        let options = DeleteOptions { propagation: Some("Background".to_owned()), ..DeleteOptions::default() };
        match cluster.delete(&kind::REPLICA_SET, namespace(set), name(set), &options, &actor()) {
            Err(status) if status.code != 404 => return Err(status),
            _ => {}
        }
    }
    Ok(())
}
