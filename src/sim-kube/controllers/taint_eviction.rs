//! NoExecute taints: pods that do not tolerate them are deleted, at once or when their patience ends (`pkg/controller/tainteviction`).

use std::time::Duration;

use breakfix_sim::{Key, StoreEvent, StoreEventKind};
use serde_json::{Value, json};

use super::{
    Controller,
    events::{self, Note},
    pod_state,
    queue::enqueue,
};
use crate::{
    Cluster, Status,
    api::verbs::{Actor, DeleteOptions, Part},
    kind,
    object::{entries, is_deleting, name, namespace, set, text},
    scheduler::taints,
};

pub const CONTROLLER: Controller = Controller { name: NAME, told, reconcile };

const NAME: &str = "taint-eviction";
const LAG: Duration = Duration::from_millis(30);

fn actor() -> Actor {
    Actor {
        user: "system:serviceaccount:kube-system:node-controller".into(),
        manager: "kube-controller-manager".into(),
    }
}

fn told(cluster: &mut Cluster, event: &StoreEvent) {
    if event.kind == StoreEventKind::Deleted {
        return;
    }
    if &*event.key.collection == kind::NODE.collection {
        if event.before.as_ref().is_some_and(|before| before["spec"]["taints"] == event.object["spec"]["taints"]) {
            return;
        }
        let pods: Vec<Key> = cluster
            .store
            .list(kind::POD.collection, None)
            .filter(|(_, pod)| text(pod, "/spec/nodeName") == &*event.key.name)
            .map(|(key, _)| key.clone())
            .collect();
        for pod in pods {
            enqueue(cluster, NAME, &pod, LAG);
        }
    } else if &*event.key.collection == kind::POD.collection
        && event.before.as_ref().is_none_or(|before| {
            before["spec"]["nodeName"] != event.object["spec"]["nodeName"]
                || before["spec"]["tolerations"] != event.object["spec"]["tolerations"]
        })
    {
        enqueue(cluster, NAME, &event.key, LAG);
    }
}

fn reconcile(cluster: &mut Cluster, key: &Key) -> Result<(), Status> {
    let Some(pod) = cluster.store.get(key).cloned() else { return Ok(()) };
    if is_deleting(&pod) || pod_state::is_terminal(&pod) {
        return Ok(());
    }
    let Some(node) = cluster.store.get(&kind::NODE.key("", text(&pod, "/spec/nodeName"))).cloned() else {
        return Ok(());
    };
    match patience(&pod, &node, cluster.clock.today()) {
        None => Ok(()),
        Some(left) if left.is_zero() => evict(cluster, &pod),
        Some(left) => {
            enqueue(cluster, NAME, key, left);
            Ok(())
        }
    }
}

/// How long the pod may stay: for ever (`None`), or the shortest of its tolerations from when the taint came.
fn patience(pod: &Value, node: &Value, today: jiff::Timestamp) -> Option<Duration> {
    let executing = entries(node, "/spec/taints").iter().filter(|taint| text(taint, "/effect") == "NoExecute");
    let mut shortest = None;
    for taint in executing {
        let left = match taints::toleration(pod, taint) {
            None => Duration::ZERO,
            Some(toleration) => match toleration["tolerationSeconds"].as_i64() {
                None => continue,
                Some(seconds) => {
                    let allowed = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
                    let since = crate::date::since(text(taint, "/timeAdded"), today);
                    let since = since.and_then(|since| Duration::try_from(since).ok()).unwrap_or_default();
                    allowed.saturating_sub(since)
                }
            },
        };
        shortest = Some(shortest.map_or(left, |shortest: Duration| shortest.min(left)));
    }
    shortest
}

fn evict(cluster: &mut Cluster, pod: &Value) -> Result<(), Status> {
    let message = format!("Marking for deletion Pod {}/{}", namespace(pod), name(pod));
    events::record(cluster, "taint-eviction-controller", pod, Note::normal("TaintManagerEviction", &message));
    let today = cluster.today();
    cluster.update(&kind::POD, namespace(pod), name(pod), Part::Status, &actor(), |pod| {
        let mut conditions = entries(pod, "/status/conditions").to_vec();
        conditions.push(json!({
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "DeletionByTaintManager",
            "message": "Taint manager: deleting due to NoExecute taint",
            "lastTransitionTime": today,
        }));
        set(pod, "/status/conditions", Value::Array(conditions));
    })?;
    match cluster.delete(&kind::POD, namespace(pod), name(pod), &DeleteOptions::default(), &actor()) {
        Err(status) if status.code != 404 => Err(status),
        _ => Ok(()),
    }
}
