//! Replacing old daemons by new ones, within bounds (`daemon/update.go`).

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::Value;

use super::{nodes, pods};
use crate::{
    Cluster, Status,
    controllers::{amounts::scaled, pod_state},
    kind,
    object::{is_deleting, name, number, text},
};

/// Whether a roll-out may have two pods on a node.
pub(super) fn surge(daemon_set: &Value) -> bool {
    text(daemon_set, "/spec/updateStrategy/type") != "OnDelete"
        && scaled(daemon_set.pointer("/spec/updateStrategy/rollingUpdate/maxSurge"), 100, true) > 0
}

/// `minReadySeconds`.
pub(super) fn min_ready(object: &Value) -> Duration {
    let seconds = number(object, "/spec/minReadySeconds").and_then(|seconds| u64::try_from(seconds).ok());
    Duration::from_secs(seconds.unwrap_or(0))
}

pub(super) fn is_available(cluster: &Cluster, daemon_set: &Value, pod: &Value) -> bool {
    pod_state::available(pod, min_ready(daemon_set), cluster.clock.today()).is_ok()
}

/// The pods of a node that are not going: that of the present template and that of another; nothing where there are two of a sort.
struct Pair {
    new: Option<Arc<Value>>,
    old: Option<Arc<Value>>,
}

fn pair(daemon_set: &Value, pods: &[Arc<Value>], hash: &str) -> Option<Pair> {
    let mut pair = Pair { new: None, old: None };
    for pod in pods.iter().filter(|pod| !is_deleting(pod)) {
        let place = if pods::is_updated(daemon_set, pod, hash) { &mut pair.new } else { &mut pair.old };
        if place.is_some() {
            return None;
        }
        *place = Some(Arc::clone(pod));
    }
    Some(pair)
}

/// `rollingUpdate`.
pub(super) fn roll(cluster: &mut Cluster, daemon_set: &Value, hash: &str) -> Result<(), Status> {
    let mut by_node = pods::by_node(cluster, daemon_set)?;
    let (surge_max, unavailable_max) = bounds(cluster, daemon_set, &mut by_node);
    if surge_max == 0 {
        return in_place(cluster, daemon_set, hash, &by_node, unavailable_max);
    }
    side_by_side(cluster, daemon_set, hash, &by_node, surge_max)
}

/// Surge and unavailability in nodes; nodes that should have a pod and have none are added to the map.
fn bounds(cluster: &Cluster, daemon_set: &Value, by_node: &mut BTreeMap<String, Vec<Arc<Value>>>) -> (i64, i64) {
    let wanted: Vec<String> = cluster
        .list(&kind::NODE, None)
        .filter(|node| nodes::wish(daemon_set, node).run)
        .map(|node| name(node).to_owned())
        .collect();
    let desired = i64::try_from(wanted.len()).unwrap_or(0);
    for node in wanted {
        by_node.entry(node).or_default();
    }
    let rolling = &daemon_set["spec"]["updateStrategy"]["rollingUpdate"];
    let surge = scaled(rolling.get("maxSurge"), desired, true);
    let unavailable = scaled(rolling.get("maxUnavailable"), desired, true);
    // Both zero would never move.
    if surge == 0 && unavailable == 0 { (0, 1) } else { (surge, unavailable) }
}

/// Deletes as many old pods as may be missing; those that serve nobody first.
fn in_place(
    cluster: &mut Cluster,
    daemon_set: &Value,
    hash: &str,
    by_node: &BTreeMap<String, Vec<Arc<Value>>>,
    max: i64,
) -> Result<(), Status> {
    let mut unavailable = 0;
    let (mut useless, mut candidates) = (Vec::new(), Vec::new());
    for pods in by_node.values() {
        match pair(daemon_set, pods, hash) {
            Some(Pair { new: Some(new), old: None }) if is_available(cluster, daemon_set, &new) => {}
            Some(Pair { new: None, old: Some(old) }) if !is_available(cluster, daemon_set, &old) => useless.push(old),
            Some(Pair { new: None, old: Some(old) }) => candidates.push(old),
            _ => unavailable += 1,
        }
    }
    let room = usize::try_from(max - unavailable).unwrap_or(0);
    useless.extend(candidates.into_iter().take(room));
    pods::sync(cluster, daemon_set, &useless, &[], hash)
}

/// Makes new pods beside old ones, and deletes an old one once its successor is available.
fn side_by_side(
    cluster: &mut Cluster,
    daemon_set: &Value,
    hash: &str,
    by_node: &BTreeMap<String, Vec<Arc<Value>>>,
    max: i64,
) -> Result<(), Status> {
    let mut surging = 0;
    let (mut done, mut allowed, mut candidates) = (Vec::new(), Vec::new(), Vec::new());
    for (node, pods) in by_node {
        match pair(daemon_set, pods, hash) {
            None => surging += 1,
            Some(Pair { old: None, .. }) => {}
            Some(Pair { new: None, old: Some(old) }) => {
                let list = if is_available(cluster, daemon_set, &old) { &mut candidates } else { &mut allowed };
                list.push(node.clone());
            }
            Some(Pair { new: Some(new), old: Some(old) }) if is_available(cluster, daemon_set, &new) => done.push(old),
            Some(_) => surging += 1,
        }
    }
    let room = usize::try_from(max - surging).unwrap_or(0);
    allowed.extend(candidates.into_iter().take(room));
    pods::sync(cluster, daemon_set, &done, &allowed, hash)
}
