//! Pods whose Job is gone or over: nobody counts them, so their finalizer goes (`syncOrphanPod`).

use std::time::Duration;

use breakfix_sim::{Key, StoreEvent, StoreEventKind};
use serde_json::Value;

use super::{KEEPER, TRACKING, is_finished, is_tracked};
use crate::{
    Cluster, Status,
    controllers::{Controller, owner, pod_control, queue::enqueue},
    kind,
    object::{controller, is_deleting, namespace, text, uid},
};

pub const CONTROLLER: Controller = Controller { name: NAME, told, reconcile };

const NAME: &str = "job-orphan-pods";
const LAG: Duration = Duration::from_millis(12);

fn told(cluster: &mut Cluster, event: &StoreEvent) {
    match &*event.key.collection {
        "pods"
            if event.kind != StoreEventKind::Deleted
                && is_tracked(&event.object)
                && (controller(&event.object).is_none() || is_deleting(&event.object)) =>
        {
            enqueue(cluster, NAME, &event.key, LAG);
        }
        "jobs.batch" if event.kind == StoreEventKind::Deleted || is_finished(&event.object) => {
            let left: Vec<Key> = cluster
                .store
                .list(kind::POD.collection, Some(&event.key.namespace))
                .filter(|(_, pod)| is_tracked(pod) && owner::controls(&event.object, pod))
                .map(|(key, _)| key.clone())
                .collect();
            for pod in left {
                enqueue(cluster, NAME, &pod, LAG);
            }
        }
        _ => {}
    }
}

fn reconcile(cluster: &mut Cluster, key: &Key) -> Result<(), Status> {
    let Some(pod) = cluster.store.get(key).cloned().filter(|pod| is_tracked(pod)) else { return Ok(()) };
    if is_counted_by_somebody(cluster, &pod) {
        return Ok(());
    }
    pod_control::drop_finalizer(cluster, &pod, TRACKING, &KEEPER.actor())
}

fn is_counted_by_somebody(cluster: &Cluster, pod: &Value) -> bool {
    let Some(reference) = controller(pod) else { return false };
    let Some(job) = owner::controller_name(pod, &kind::JOB) else { return true };
    cluster
        .store
        .get(&kind::JOB.key(namespace(pod), job))
        .is_some_and(|job| uid(job) == text(reference, "/uid") && !is_finished(job))
}
