//! Replacing the pods of an old template, the highest ordinal first, down to the partition (`updateStatefulSetAfterInvariantEstablished`).

use serde_json::Value;

use super::{Places, View, delete_pod, identity, status::Counts};
use crate::{
    Cluster, Status,
    controllers::amounts::scaled,
    object::{is_deleting, name, number, text},
};

pub(super) fn roll(cluster: &mut Cluster, view: &View<'_>, places: &Places, counts: &mut Counts) -> Result<(), Status> {
    if text(view.set, "/spec/updateStrategy/type") == "OnDelete" {
        return Ok(());
    }
    let missing = places.iter().filter(|(_, pod)| pod.as_ref().is_none_or(|pod| view.is_missing(pod))).count();
    let room = unavailable_max(view.set, places.len()).saturating_sub(missing);
    let partition = usize::try_from(number(view.set, "/spec/updateStrategy/rollingUpdate/partition").unwrap_or(0));
    let replaceable = places.iter().skip(partition.unwrap_or(0)).rev().filter_map(|(_, pod)| pod.as_ref());
    let old = replaceable.filter(|pod| identity::revision(pod) != name(view.update) && !is_deleting(pod));
    for pod in old.take(room) {
        delete_pod(cluster, view.set, pod)?;
        counts.current -= 1;
    }
    Ok(())
}

/// How many pods may be missing at once: one, unless `maxUnavailable` says otherwise, and never none.
fn unavailable_max(set: &Value, replicas: usize) -> usize {
    let wanted = set.pointer("/spec/updateStrategy/rollingUpdate/maxUnavailable").filter(|value| !value.is_null());
    let wanted = wanted.map_or(1, |wanted| scaled(Some(wanted), i64::try_from(replicas).unwrap_or(0), true));
    usize::try_from(wanted).unwrap_or(1).max(1)
}
