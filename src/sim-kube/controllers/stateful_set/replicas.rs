//! Making, keeping and removing the pods of a set (`updateStatefulSet`, `processReplica`, `processCondemned`).

use std::sync::Arc;

use serde_json::Value;

use super::{
    KEEPER, Places, View, claims, delete_pod, identity, is_running_and_ready, record_pod, status::Counts, update,
};
use crate::{
    Cluster, Status,
    api::verbs::Part,
    controllers::{pod_control::is_namespace_terminating, pod_state},
    kind,
    object::{is_deleting, name, namespace, number, text, uid},
};

/// Whether the next pod may be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Next,
    Wait,
}

/// One step for the whole set.
pub(super) fn keep(
    cluster: &mut Cluster,
    view: &View<'_>,
    pods: &[Arc<Value>],
    counts: &mut Counts,
) -> Result<(), Status> {
    let (places, condemned) = sort(view, pods);
    let mut failure = Ok(());
    for (ordinal, pod) in &places {
        match keep_one(cluster, view, *ordinal, pod.as_ref()) {
            Ok(Step::Wait) if view.is_ordered() => return Ok(()),
            Err(status) if view.is_ordered() => return Err(status),
            Err(status) => failure = failure.and(Err(status)),
            Ok(_) => {}
        }
    }
    failure?;
    for pod in &condemned {
        claims::retain(cluster, view, pod, ordinal(view, pod))?;
    }
    // The first that is missing may go though it is not Ready; all others wait for it.
    let first_missing = places
        .iter()
        .find(|(_, pod)| pod.as_ref().is_none_or(|pod| view.is_missing(pod)))
        .map(|(_, pod)| pod.as_ref().map(|pod| uid(pod).to_owned()))
        .or_else(|| condemned.iter().rev().find(|pod| view.is_missing(pod)).map(|pod| Some(uid(pod).to_owned())));
    for pod in &condemned {
        let is_first = first_missing.as_ref().is_some_and(|first| first.as_deref() == Some(uid(pod)));
        if is_deleting(pod) {
            if view.is_ordered() {
                return Ok(());
            }
            continue;
        }
        if view.is_ordered() && !view.is_available(pod) && !is_first {
            return Ok(());
        }
        delete_pod(cluster, view.set, pod)?;
        if view.is_ordered() {
            return Ok(());
        }
    }
    update::roll(cluster, view, &places, counts)
}

fn ordinal(view: &View<'_>, pod: &Value) -> i64 {
    identity::ordinal(name(view.set), name(pod)).unwrap_or(-1)
}

/// The places with their pods, and the pods that have no place any more, the highest ordinal first.
fn sort(view: &View<'_>, pods: &[Arc<Value>]) -> (Places, Vec<Arc<Value>>) {
    let start = identity::start(view.set);
    let end = start + number(view.set, "/spec/replicas").unwrap_or(1);
    let of = |wanted: i64| pods.iter().find(|pod| ordinal(view, pod) == wanted).cloned();
    let places = (start..end).map(|ordinal| (ordinal, of(ordinal))).collect();
    let outside = |pod: &&Arc<Value>| !(start..end).contains(&ordinal(view, pod));
    let mut condemned: Vec<Arc<Value>> = pods.iter().filter(outside).cloned().collect();
    condemned.sort_by_key(|pod| std::cmp::Reverse(ordinal(view, pod)));
    (places, condemned)
}

fn keep_one(cluster: &mut Cluster, view: &View<'_>, ordinal: i64, pod: Option<&Arc<Value>>) -> Result<Step, Status> {
    let Some(pod) = pod else {
        make(cluster, view, ordinal)?;
        return Ok(Step::Wait);
    };
    // A pod that has ended makes room for one of its name, however it ended.
    if pod_state::is_terminal(pod) {
        if !is_deleting(pod) {
            delete_pod(cluster, view.set, pod)?;
        }
        return Ok(Step::Wait);
    }
    if text(pod, "/status/phase") == "Pending" {
        claims::create_missing(cluster, view, pod, ordinal)?;
    }
    if view.is_ordered() && (is_deleting(pod) || !is_running_and_ready(pod) || !view.is_available(pod)) {
        return Ok(Step::Wait);
    }
    claims::retain(cluster, view, pod, ordinal)?;
    if !identity::matches(pod, ordinal) {
        let own = name(pod).to_owned();
        let fixed = cluster
            .update(&kind::POD, namespace(pod), &own, Part::Main, &KEEPER.actor(), |pod| {
                identity::name_labels(pod, &own, ordinal);
            })
            .map(drop);
        record_pod(cluster, view.set, pod, "update", &fixed);
        fixed?;
    }
    Ok(Step::Next)
}

fn make(cluster: &mut Cluster, view: &View<'_>, ordinal: i64) -> Result<(), Status> {
    let pod = identity::pod(view, ordinal);
    if claims::are_stale(cluster, view.set, &pod, ordinal) {
        return Ok(());
    }
    if let Err(status) = claims::create_missing(cluster, view, &pod, ordinal) {
        record_pod(cluster, view.set, &pod, "create", &Err(status.clone()));
        return Err(status);
    }
    let made = cluster.create(&kind::POD, namespace(view.set), pod.clone(), &KEEPER.actor()).map(drop);
    match made {
        // The namespace is going: trying again is of no use, and no failure either.
        Err(status) if is_namespace_terminating(&status) => Ok(()),
        made => {
            record_pod(cluster, view.set, &pod, "create", &made);
            made
        }
    }
}
