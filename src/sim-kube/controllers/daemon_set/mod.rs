//! The daemon set controller: one pod a node that should have one (`pkg/controller/daemon`).
//!
//! `nodes` says which nodes should, `pods` makes and removes them, `rolling` replaces old ones, `revisions` keeps the templates,
//! `status` counts, `back_off` slows down the fight with a node that will not have its pod.

mod back_off;
mod nodes;
mod pods;
mod revisions;
mod rolling;
mod status;

use std::time::Duration;

use breakfix_sim::{Key, StoreEvent, StoreEventKind};
use serde_json::{Value, json};

pub use back_off::BackOffs;

use super::{
    Controller,
    events::{self, Note},
    owner,
    pod_control::{self, Keeper},
    queue::enqueue,
};
use crate::{
    Cluster, Status, kind,
    object::{entries, is_deleting, members, text},
};

pub const CONTROLLER: Controller = Controller { name: NAME, told, reconcile };

const NAME: &str = "daemon-set";
const LAG: Duration = Duration::from_millis(8);
static KEEPER: Keeper =
    Keeper { kind: &kind::DAEMON_SET, component: "daemonset-controller", account: "daemon-set-controller" };

fn told(cluster: &mut Cluster, event: &StoreEvent) {
    match &*event.key.collection {
        "daemonsets.apps" => enqueue(cluster, NAME, &event.key, LAG),
        "pods" => {
            for set in pod_control::owners_concerned(cluster, event, &kind::DAEMON_SET) {
                enqueue(cluster, NAME, &set, LAG);
            }
        }
        "controllerrevisions.apps" => {
            for set in owner::controllers_concerned(event, &kind::DAEMON_SET) {
                enqueue(cluster, NAME, &kind::DAEMON_SET.key(&event.key.namespace, &set), LAG);
            }
        }
        "nodes" => {
            let is_same = event.before.as_ref().is_some_and(|before| face(before) == face(&event.object));
            if event.kind == StoreEventKind::Deleted || !is_same {
                let all: Vec<Key> =
                    cluster.store.list(kind::DAEMON_SET.collection, None).map(|(key, _)| key.clone()).collect();
                for set in all {
                    enqueue(cluster, NAME, &set, LAG);
                }
            }
        }
        _ => {}
    }
}

/// What of a node decides whether it should have a daemon.
fn face(node: &Value) -> Value {
    json!([node["metadata"]["labels"], node["spec"]["taints"]])
}

/// `syncDaemonSet`.
fn reconcile(cluster: &mut Cluster, key: &Key) -> Result<(), Status> {
    let Some(set) = cluster.store.get(key).cloned() else {
        cluster.controllers.daemons.forget(key);
        return Ok(());
    };
    if selects_everything(&set) {
        let words = "This daemon set is selecting all pods. A non-empty selector is required.";
        events::record(cluster, KEEPER.component, &set, Note::warning("SelectingAll", words));
        return Ok(());
    }
    if is_deleting(&set) {
        return Ok(());
    }
    let Some((current, old)) = revisions::current(cluster, &set)? else {
        // Another template has this hash; the next step tries the next one.
        return Err(Status::internal("a hash met another template's"));
    };
    let hash = pod_control::label(&current, super::history::REVISION_HASH).to_owned();
    let changed = pods::manage(cluster, key, &set, &hash).and_then(|changed| {
        if !changed && text(&set, "/spec/updateStrategy/type") != "OnDelete" {
            rolling::roll(cluster, &set, &hash)?;
        }
        revisions::clean_up(cluster, &set, &old)
    });
    status::write(cluster, key, &hash)?;
    changed
}

fn selects_everything(set: &Value) -> bool {
    members(set, "/spec/selector/matchLabels").next().is_none()
        && entries(set, "/spec/selector/matchExpressions").is_empty()
}
