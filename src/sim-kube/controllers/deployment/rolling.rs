//! RollingUpdate: the new set grows into the room that surge allows, old ones shrink as far as availability allows (`rolling.go`).

use std::sync::Arc;

use serde_json::Value;

use super::{amounts, cleanup, sets, status};
use crate::{
    Cluster, Status, kind,
    object::{name, namespace, text},
};

pub(super) fn roll(cluster: &mut Cluster, deployment: &Value, all: &[Arc<Value>]) -> Result<(), Status> {
    let key = kind::DEPLOYMENT.key(namespace(deployment), name(deployment));
    let known = sets::find(cluster, deployment, all, false)?;
    let (Some(new), old) = known else {
        // Having made the set, the real controller stumbles over its own write and comes back (a conflict on the status).
        return sets::find(cluster, deployment, all, true).map(drop);
    };
    if grow_new(cluster, deployment, &new, &old)? || shrink_old(cluster, deployment, &new, &old)? {
        return status::sync_roll_out(cluster, &key, Some(&new), &old);
    }
    if let Some(current) = cluster.store.get(&key).cloned()
        && status::is_complete(&current, &current["status"])
    {
        cleanup::clean(cluster, &current, &old)?;
    }
    status::sync_roll_out(cluster, &key, Some(&new), &old)
}

/// `reconcileNewReplicaSet`.
fn grow_new(cluster: &mut Cluster, deployment: &Value, new: &Arc<Value>, old: &[Arc<Value>]) -> Result<bool, Status> {
    let has = amounts::replicas(new);
    let wanted = amounts::replicas(deployment);
    let count =
        if has >= wanted { wanted } else { amounts::new_set_replicas(deployment, &sets::all(Some(new), old), has) };
    sets::scale(cluster, deployment, new, count)
}

/// `reconcileOldReplicaSets`.
fn shrink_old(cluster: &mut Cluster, deployment: &Value, new: &Arc<Value>, old: &[Arc<Value>]) -> Result<bool, Status> {
    if amounts::wanted(old) == 0 {
        return Ok(false);
    }
    let everything = amounts::wanted(&sets::all(Some(new), old));
    let available_min = amounts::replicas(deployment) - amounts::unavailable_max(deployment);
    let new_unavailable = amounts::replicas(new) - amounts::status(new, "availableReplicas");
    let removable = everything - available_min - new_unavailable;
    if removable <= 0 {
        return Ok(false);
    }
    let (old, cleaned) = drop_unhealthy(cluster, deployment, old, removable)?;
    let scaled = drop_surplus(cluster, deployment, new, &old)?;
    Ok(cleaned + scaled > 0)
}

/// Old sets, the oldest first.
fn by_age(old: &[Arc<Value>]) -> Vec<Arc<Value>> {
    let mut old = old.to_vec();
    old.sort_by_cached_key(|set| (text(set, "/metadata/creationTimestamp").to_owned(), name(set).to_owned()));
    old
}

/// `cleanupUnhealthyReplicas`: pods that serve nobody go first.
fn drop_unhealthy(
    cluster: &mut Cluster,
    deployment: &Value,
    old: &[Arc<Value>],
    max: i64,
) -> Result<(Vec<Arc<Value>>, i64), Status> {
    let mut cleaned = 0;
    let mut left = by_age(old);
    for set in &mut left {
        let has = amounts::replicas(set);
        let unhealthy = has - amounts::status(set, "availableReplicas");
        if cleaned >= max || has == 0 || unhealthy <= 0 {
            continue;
        }
        let fewer = unhealthy.min(max - cleaned);
        sets::scale(cluster, deployment, set, has - fewer)?;
        refresh(cluster, set);
        cleaned += fewer;
    }
    Ok((left, cleaned))
}

/// `scaleDownOldReplicaSetsForRollingUpdate`: as many as are available above the least that must be.
fn drop_surplus(
    cluster: &mut Cluster,
    deployment: &Value,
    new: &Arc<Value>,
    old: &[Arc<Value>],
) -> Result<i64, Status> {
    let available_min = amounts::replicas(deployment) - amounts::unavailable_max(deployment);
    let available = amounts::total(&sets::all(Some(new), old), "availableReplicas");
    let surplus = available - available_min;
    let mut dropped = 0;
    for set in by_age(old) {
        let has = amounts::replicas(&set);
        if dropped >= surplus {
            break;
        }
        if has == 0 {
            continue;
        }
        let fewer = has.min(surplus - dropped);
        sets::scale(cluster, deployment, &set, has - fewer)?;
        dropped += fewer;
    }
    Ok(dropped)
}

fn refresh(cluster: &Cluster, set: &mut Arc<Value>) {
    if let Some(current) = cluster.store.get(&kind::REPLICA_SET.key(namespace(set), name(set))) {
        *set = Arc::clone(current);
    }
}
