//! Jobs that are over for `ttlSecondsAfterFinished` are deleted (`pkg/controller/ttlafterfinished`).

use std::time::Duration;

use breakfix_sim::{Key, StoreEvent, StoreEventKind};

use super::{Controller, job, pod_control::actor, queue::enqueue};
use crate::{
    Cluster, Status,
    api::verbs::DeleteOptions,
    kind,
    object::{is_deleting, number, text, uid},
};

pub const CONTROLLER: Controller = Controller { name: NAME, told, reconcile };

const NAME: &str = "ttl-after-finished";
const LAG: Duration = Duration::from_millis(10);

fn told(cluster: &mut Cluster, event: &StoreEvent) {
    if &*event.key.collection == kind::JOB.collection
        && event.kind != StoreEventKind::Deleted
        && number(&event.object, "/spec/ttlSecondsAfterFinished").is_some()
        && job::is_finished(&event.object)
    {
        enqueue(cluster, NAME, &event.key, LAG);
    }
}

fn reconcile(cluster: &mut Cluster, key: &Key) -> Result<(), Status> {
    let Some(job) = cluster.store.get(key).cloned().filter(|job| !is_deleting(job)) else { return Ok(()) };
    let Some(ttl) = number(&job, "/spec/ttlSecondsAfterFinished").and_then(|ttl| u64::try_from(ttl).ok()) else {
        return Ok(());
    };
    let Some(end) = job::finished(&job) else { return Ok(()) };
    let since = crate::date::since(text(end, "/lastTransitionTime"), cluster.clock.today());
    let since = since.and_then(|since| Duration::try_from(since).ok()).unwrap_or_default();
    let left = Duration::from_secs(ttl).saturating_sub(since);
    if !left.is_zero() {
        enqueue(cluster, NAME, key, left);
        return Ok(());
    }
    let options = DeleteOptions {
        propagation: Some("Foreground".to_owned()),
        uid: Some(uid(&job).to_owned()),
        ..DeleteOptions::default()
    };
    match cluster.delete(&kind::JOB, &key.namespace, &key.name, &options, &actor("ttl-after-finished-controller")) {
        Err(status) if status.code != 404 => Err(status),
        _ => Ok(()),
    }
}
