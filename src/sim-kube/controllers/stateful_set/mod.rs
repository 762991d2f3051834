//! The stateful set controller: pods with a name, a place and claims of their own, one after the other (`pkg/controller/statefulset`).
//!
//! `identity` is what a pod of an ordinal looks like, `claims` its volumes and their end, `replicas` makes, keeps and removes pods,
//! `update` replaces those of an old template, `revisions` keeps the templates, `status` counts.
//!
//! One rule makes the well-known trap: with `OrderedReady` nothing goes on, an update least of all, while a pod is not Ready. A pod of a
//! broken template therefore stays even after the template is put right, until somebody deletes it.

mod claims;
mod identity;
mod replicas;
mod revisions;
mod status;
mod update;

use std::{sync::Arc, time::Duration};

use breakfix_sim::{Key, StoreEvent};
use serde_json::Value;

use super::{
    Controller,
    events::{self, Note},
    owner,
    pod_control::{self, Keeper},
    pod_state,
    queue::enqueue,
};
use crate::{
    Cluster, Status, kind,
    object::{is_deleting, name, number, text},
};

pub const CONTROLLER: Controller = Controller { name: NAME, told, reconcile };

const NAME: &str = "stateful-set";
const LAG: Duration = Duration::from_millis(8);
static KEEPER: Keeper =
    Keeper { kind: &kind::STATEFUL_SET, component: "statefulset-controller", account: "statefulset-controller" };

/// A set and the two revisions between which an update moves it.
struct View<'a> {
    set: &'a Value,
    current: &'a Value,
    update: &'a Value,
    min_ready: Duration,
    today: jiff::Timestamp,
}

impl View<'_> {
    /// Whether pods wait for each other (`OrderedReady`).
    fn is_ordered(&self) -> bool {
        text(self.set, "/spec/podManagementPolicy") != "Parallel"
    }

    fn is_available(&self, pod: &Value) -> bool {
        is_running_and_ready(pod) && pod_state::available(pod, self.min_ready, self.today).is_ok()
    }

    /// Not available, or on its way out.
    fn is_missing(&self, pod: &Value) -> bool {
        is_deleting(pod) || !self.is_available(pod)
    }
}

fn is_running_and_ready(pod: &Value) -> bool {
    text(pod, "/status/phase") == "Running" && pod_state::is_ready(pod)
}

fn told(cluster: &mut Cluster, event: &StoreEvent) {
    match &*event.key.collection {
        "statefulsets.apps" => enqueue(cluster, NAME, &event.key, LAG),
        "pods" => {
            for set in pod_control::owners_concerned(cluster, event, &kind::STATEFUL_SET) {
                enqueue(cluster, NAME, &set, LAG);
            }
        }
        _ => {}
    }
}

/// `sync`.
fn reconcile(cluster: &mut Cluster, key: &Key) -> Result<(), Status> {
    let Some(set) = cluster.store.get(key).cloned() else { return Ok(()) };
    let own = name(&set).to_owned();
    let mut pods = owner::claim(cluster, KEEPER.kind, &set, &kind::POD, &KEEPER.actor(), |pod| {
        identity::ordinal(&own, name(pod)).is_some()
    })?;
    pods.retain(|pod| identity::ordinal(&own, name(pod)).is_some());
    let all = revisions::list(cluster, &set)?;
    let Some(found) = revisions::find(cluster, &set, &all)? else {
        return Err(Status::internal("a hash met another template's"));
    };
    let seconds = number(&set, "/spec/minReadySeconds").and_then(|seconds| u64::try_from(seconds).ok());
    let min_ready = Duration::from_secs(seconds.unwrap_or(0));
    let today = cluster.clock.today();
    let view = View { set: &set, current: &found.current, update: &found.update, min_ready, today };
    let mut counts = status::count(&view, &pods);
    let outcome = if is_deleting(&set) { Ok(()) } else { replicas::keep(cluster, &view, &pods, &mut counts) };
    status::write(cluster, key, &view, &counts)?;
    outcome?;
    revisions::clean_up(cluster, &view, &pods, &all)?;
    let wake = pods.iter().filter_map(|pod| pod_state::available(pod, min_ready, today).err().flatten()).min();
    if let Some(wake) = wake {
        enqueue(cluster, NAME, key, wake);
    }
    Ok(())
}

/// Deletes a pod of the set and says so.
fn delete_pod(cluster: &mut Cluster, set: &Value, pod: &Value) -> Result<(), Status> {
    use crate::{api::verbs::DeleteOptions, object::namespace};
    let options = DeleteOptions::default();
    let gone = cluster.delete(&kind::POD, namespace(pod), name(pod), &options, &KEEPER.actor()).map(drop);
    record_pod(cluster, set, pod, "delete", &gone);
    match gone {
        Err(status) if status.code == 404 => Ok(()),
        gone => gone,
    }
}

/// `recordPodEvent`.
fn record_pod(cluster: &mut Cluster, set: &Value, pod: &Value, verb: &str, outcome: &Result<(), Status>) {
    let what = format!("{verb} Pod {} in StatefulSet {}", name(pod), name(set));
    record(cluster, set, verb, outcome, &format!("{what} successful"), &format!("{what} failed"));
}

/// `recordClaimEvent`.
fn record_claim(
    cluster: &mut Cluster,
    set: &Value,
    pod: &Value,
    claim: &str,
    verb: &str,
    outcome: &Result<(), Status>,
) {
    let place = format!("{} in StatefulSet {}", name(pod), name(set));
    let well = format!("{verb} Claim {claim} Pod {place} success");
    record(cluster, set, verb, outcome, &well, &format!("{verb} Claim {claim} for Pod {place} failed"));
}

fn record(cluster: &mut Cluster, set: &Value, verb: &str, outcome: &Result<(), Status>, well: &str, ill: &str) {
    let title = match verb {
        "create" => "Create",
        "delete" => "Delete",
        _ => "Update",
    };
    match outcome {
        Ok(()) => {
            let reason = format!("Successful{title}");
            events::record(cluster, KEEPER.component, set, Note::normal(&reason, well));
        }
        Err(status) => {
            let (reason, message) = (format!("Failed{title}"), format!("{ill} error: {status}"));
            events::record(cluster, KEEPER.component, set, Note::warning(&reason, &message));
        }
    }
}

/// The pods of the set as their places have them.
type Places = Vec<(i64, Option<Arc<Value>>)>;
