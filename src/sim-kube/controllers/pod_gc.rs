//! Pods that nobody looks after any more are removed by force (`pkg/controller/podgc`): those of a node that is gone, those of a node that
//! is declared out of service, and those that were deleted before they had a node.

use std::time::Duration;

use breakfix_sim::{Key, StoreEvent, StoreEventKind};
use serde_json::{Value, json};

use super::{Controller, pod_control::actor, pod_state, queue::enqueue};
use crate::{
    Cluster, Status,
    api::verbs::{DeleteOptions, Part},
    kind,
    object::{entries, is_deleting, name, namespace, set, text, uid},
};

pub const CONTROLLER: Controller = Controller { name: NAME, told, reconcile };

const NAME: &str = "pod-gc";
/// `gcCheckPeriod`.
const PERIOD: Duration = Duration::from_secs(20);
/// `quarantineTime`: a node that is gone may come back.
const QUARANTINE: Duration = Duration::from_secs(40);
const LOST: &str = "PodGC: node no longer exists";
const OUT_OF_SERVICE: &str = "node.kubernetes.io/out-of-service";

fn told(cluster: &mut Cluster, event: &StoreEvent) {
    match &*event.key.collection {
        "nodes" => {
            let is_gone = event.kind == StoreEventKind::Deleted;
            if is_gone || is_out_of_service(&event.object) {
                let delay = next_check(cluster) + if is_gone { QUARANTINE } else { Duration::ZERO };
                let here: Vec<Key> = cluster
                    .store
                    .list(kind::POD.collection, None)
                    .filter(|(_, pod)| text(pod, "/spec/nodeName") == &*event.key.name)
                    .map(|(key, _)| key.clone())
                    .collect();
                for pod in here {
                    enqueue(cluster, NAME, &pod, delay);
                }
            }
        }
        "pods" if event.kind != StoreEventKind::Deleted => {
            let pod = &event.object;
            let node = kind::NODE.key("", text(pod, "/spec/nodeName"));
            let is_lost = !node.name.is_empty() && cluster.store.get(&node).is_none();
            let is_out = is_deleting(pod) && cluster.store.get(&node).is_some_and(|node| is_out_of_service(node));
            if is_lost || is_out || is_deleting(pod) && node.name.is_empty() {
                let delay = next_check(cluster) + if is_lost { QUARANTINE } else { Duration::ZERO };
                enqueue(cluster, NAME, &event.key, delay);
            }
        }
        _ => {}
    }
}

/// How long until the collector looks again.
fn next_check(cluster: &Cluster) -> Duration {
    let period = u64::try_from(PERIOD.as_millis()).unwrap_or(1);
    Duration::from_millis(period - cluster.now().0 % period)
}

fn is_out_of_service(node: &Value) -> bool {
    entries(node, "/spec/taints").iter().any(|taint| text(taint, "/key") == OUT_OF_SERVICE)
        && !pod_state::condition_holds(node, "Ready")
}

/// Why a pod goes; of the first, its condition says so.
fn why(cluster: &Cluster, pod: &Value) -> Option<&'static str> {
    let node = text(pod, "/spec/nodeName");
    if node.is_empty() {
        return is_deleting(pod).then_some("unscheduled and terminating");
    }
    match cluster.store.get(&kind::NODE.key("", node)) {
        None => Some(LOST),
        Some(node) if is_deleting(pod) && is_out_of_service(node) => Some("node is out of service"),
        Some(_) => None,
    }
}

fn reconcile(cluster: &mut Cluster, key: &Key) -> Result<(), Status> {
    let Some(pod) = cluster.store.get(key).cloned() else { return Ok(()) };
    let Some(why) = why(cluster, &pod) else { return Ok(()) };
    let by = actor("pod-garbage-collector");
    if !pod_state::is_terminal(&pod) {
        let today = cluster.today();
        let is_lost = why == LOST;
        cluster.update(&kind::POD, namespace(&pod), name(&pod), Part::Status, &by, |pod| {
            set(pod, "/status/phase", json!("Failed"));
            if is_lost {
                let mut conditions = entries(pod, "/status/conditions").to_vec();
                conditions.retain(|condition| text(condition, "/type") != "DisruptionTarget");
                conditions.push(json!({
                    "type": "DisruptionTarget",
                    "status": "True",
                    "reason": "DeletionByPodGC",
                    "message": why,
                    "lastTransitionTime": today,
                }));
                set(pod, "/status/conditions", Value::Array(conditions));
            }
        })?;
    }
    let options = DeleteOptions { grace_seconds: Some(0), uid: Some(uid(&pod).to_owned()), ..DeleteOptions::default() };
    match cluster.delete(&kind::POD, namespace(&pod), name(&pod), &options, &by) {
        Err(status) if status.code != 404 => Err(status),
        _ => Ok(()),
    }
}
