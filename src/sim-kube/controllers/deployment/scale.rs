//! A change of replicas: paused or in mid roll-out, every set takes its share (`sync`, `scale` and `GetReplicaSetProportion`).

use std::sync::Arc;

use serde_json::Value;

use super::{amounts, annotations, cleanup, sets, status};
use crate::{
    Cluster, Status, kind,
    object::{name, namespace, text, truth},
};

pub(super) fn sync(cluster: &mut Cluster, deployment: &Value, all: &[Arc<Value>]) -> Result<(), Status> {
    let key = kind::DEPLOYMENT.key(namespace(deployment), name(deployment));
    let (new, old) = sets::find(cluster, deployment, all, false)?;
    scale(cluster, deployment, new.as_ref(), &old)?;
    if truth(deployment, "/spec/paused") {
        cleanup::clean(cluster, deployment, &old)?;
    }
    status::sync(cluster, &key, new.as_ref(), &old)
}

fn scale(
    cluster: &mut Cluster,
    deployment: &Value,
    new: Option<&Arc<Value>>,
    old: &[Arc<Value>],
) -> Result<(), Status> {
    if let Some(only) = active_or_latest(new, old) {
        if amounts::replicas(&only) != amounts::replicas(deployment) {
            sets::scale(cluster, deployment, &only, amounts::replicas(deployment))?;
        }
        return Ok(());
    }
    if new.is_some_and(|new| is_saturated(deployment, new)) {
        for set in old.iter().filter(|set| amounts::replicas(set) > 0) {
            sets::scale(cluster, deployment, set, 0)?;
        }
        return Ok(());
    }
    if amounts::is_rolling(deployment) { share_out(cluster, deployment, new, old) } else { Ok(()) }
}

/// `FindActiveOrLatest`: the one set that has pods; where none has, the new one or the latest. None where several have.
fn active_or_latest(new: Option<&Arc<Value>>, old: &[Arc<Value>]) -> Option<Arc<Value>> {
    let all = sets::all(new, old);
    let mut active = all.iter().filter(|set| amounts::replicas(set) > 0);
    match (active.next(), active.next()) {
        (Some(only), None) => Some(Arc::clone(only)),
        (Some(_), Some(_)) => None,
        (None, _) => new.cloned().or_else(|| {
            old.iter()
                .max_by_key(|set| (text(set, "/metadata/creationTimestamp").to_owned(), name(set).to_owned()))
                .cloned()
        }),
    }
}

/// `IsSaturated`: the new set has all the pods it will get, and all are available.
fn is_saturated(deployment: &Value, new: &Value) -> bool {
    let wanted = amounts::replicas(deployment);
    amounts::replicas(new) == wanted
        && annotations::desired_replicas(new) == Some(wanted)
        && amounts::status(new, "availableReplicas") == wanted
}

/// Every active set takes its share of the difference, the largest first; what rounding leaves goes to the first.
fn share_out(
    cluster: &mut Cluster,
    deployment: &Value,
    new: Option<&Arc<Value>>,
    old: &[Arc<Value>],
) -> Result<(), Status> {
    let mut active: Vec<Arc<Value>> =
        sets::all(new, old).into_iter().filter(|set| amounts::replicas(set) > 0).collect();
    let has = amounts::wanted(&active);
    let wanted = amounts::replicas(deployment);
    let allowed = if wanted > 0 { wanted + amounts::surge_max(deployment) } else { 0 };
    let to_add = allowed - has;
    // The newest first where pods are added, the oldest first where they are taken away.
    active.sort_by_cached_key(|set| (text(set, "/metadata/creationTimestamp").to_owned(), name(set).to_owned()));
    if to_add > 0 {
        active.reverse();
    }
    active.sort_by_key(|set| std::cmp::Reverse(amounts::replicas(set)));
    let mut added = 0;
    let mut counts: Vec<i64> = Vec::new();
    for set in &active {
        let share = if to_add == 0 { 0 } else { proportion(deployment, set, to_add, added) };
        added += share;
        counts.push(amounts::replicas(set) + share);
    }
    if let Some(first) = counts.first_mut() {
        *first = (*first + to_add - added).max(0);
    }
    for (set, count) in active.iter().zip(counts) {
        if count != amounts::replicas(set) {
            sets::scale(cluster, deployment, set, count)?;
        } else if annotations::desired_replicas(set) != Some(wanted) {
            sets::write_scale(cluster, deployment, set, count)?;
        }
    }
    Ok(())
}

/// `GetReplicaSetProportion`.
fn proportion(deployment: &Value, set: &Value, to_add: i64, added: i64) -> i64 {
    let left = to_add - added;
    let fraction = fraction(deployment, set);
    if to_add > 0 { fraction.min(left) } else { fraction.max(left) }
}

/// `getReplicaSetFraction`: the set's size times the ratio of the new to the old maximum, rounded half away from zero.
fn fraction(deployment: &Value, set: &Value) -> i64 {
    let has = amounts::replicas(set);
    if amounts::replicas(deployment) == 0 {
        return -has;
    }
    let max = amounts::replicas(deployment) + amounts::surge_max(deployment);
    let before = annotations::max_replicas(set).filter(|max| *max > 0);
    let before = before.unwrap_or_else(|| amounts::status(deployment, "replicas")).max(1);
    (2 * has * max + before).div_euclid(2 * before) - has
}
