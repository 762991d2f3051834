//! The replica set controller: as many pods as are wanted (`pkg/controller/replicaset`).

mod status;
mod victims;

use std::{sync::Arc, time::Duration};

use breakfix_sim::{Key, StoreEvent};
use serde_json::{Value, json};

use super::{
    Controller,
    events::{self, Note},
    owner, pod_state,
    queue::enqueue,
    selector,
};
use crate::{
    Cluster, Status,
    api::verbs::{Actor, DeleteOptions},
    kind,
    object::{is_deleting, name, namespace, number, uid},
};

pub const CONTROLLER: Controller = Controller { name: NAME, told, reconcile };

const NAME: &str = "replica-set";
const COMPONENT: &str = "replicaset-controller";
const LAG: Duration = Duration::from_millis(8);
/// `BurstReplicas`: pods made or deleted in one step.
const BURST: usize = 500;

fn actor() -> Actor {
    Actor {
        user: "system:serviceaccount:kube-system:replicaset-controller".into(),
        manager: "kube-controller-manager".into(),
    }
}

fn told(cluster: &mut Cluster, event: &StoreEvent) {
    match &*event.key.collection {
        "replicasets.apps" => enqueue(cluster, NAME, &event.key, LAG),
        "pods" => {
            for set in owner::controllers_concerned(event, &kind::REPLICA_SET) {
                enqueue(cluster, NAME, &kind::REPLICA_SET.key(&event.key.namespace, &set), LAG);
            }
            if crate::object::controller(&event.object).is_none() && !is_deleting(&event.object) {
                told_of_orphan(cluster, event);
            }
        }
        _ => {}
    }
}

/// A pod without a controller concerns every set whose selector fits it.
fn told_of_orphan(cluster: &mut Cluster, event: &StoreEvent) {
    let fitting: Vec<Key> = cluster
        .store
        .list(kind::REPLICA_SET.collection, Some(&event.key.namespace))
        .filter(|(_, set)| selector::selects(set.pointer("/spec/selector"), &event.object))
        .map(|(key, _)| key.clone())
        .collect();
    for key in fitting {
        enqueue(cluster, NAME, &key, LAG);
    }
}

/// `syncReplicaSet`.
fn reconcile(cluster: &mut Cluster, key: &Key) -> Result<(), Status> {
    let Some(set) = cluster.store.get(key).cloned() else { return Ok(()) };
    let pods = owner::claim(cluster, &kind::REPLICA_SET, &set, &kind::POD, &actor(), pod_state::is_active)?;
    let terminating = pods.iter().filter(|pod| pod_state::is_terminating(pod)).count();
    let active: Vec<Arc<Value>> = pods.into_iter().filter(|pod| pod_state::is_active(pod)).collect();
    let managed = if is_deleting(&set) { Ok(()) } else { manage(cluster, &set, &active) };
    let wake = status::write(cluster, key, &active, terminating, &managed)?;
    managed.map_err(|failure| failure.status)?;
    if let Some(wake) = wake {
        enqueue(cluster, NAME, key, wake);
    }
    Ok(())
}

/// A pod could not be made or deleted.
pub(super) struct Failure {
    pub(super) status: Status,
    /// `FailedCreate` or `FailedDelete`.
    pub(super) reason: &'static str,
}

/// `manageReplicas`.
fn manage(cluster: &mut Cluster, set: &Value, active: &[Arc<Value>]) -> Result<(), Failure> {
    let wanted = usize::try_from(number(set, "/spec/replicas").unwrap_or(1)).unwrap_or(0);
    if active.len() < wanted {
        create_pods(cluster, set, (wanted - active.len()).min(BURST))
    } else {
        delete_pods(cluster, set, active, (active.len() - wanted).min(BURST))
    }
}

/// `slowStartBatch`: one pod, then two, four, eight …; a batch that fails is the last.
fn create_pods(cluster: &mut Cluster, set: &Value, count: usize) -> Result<(), Failure> {
    let mut left = count;
    let mut batch = 1;
    while left > 0 {
        let mut failed = None;
        for _ in 0..batch.min(left) {
            match create_pod(cluster, set) {
                Ok(()) => {}
                // The namespace is going: trying again is of no use, and no failure either.
                Err(status) if is_namespace_terminating(&status) => return Ok(()),
                Err(status) => failed = Some(status),
            }
        }
        if let Some(status) = failed {
            return Err(Failure { status, reason: "FailedCreate" });
        }
        left = left.saturating_sub(batch);
        batch *= 2;
    }
    Ok(())
}

fn is_namespace_terminating(status: &Status) -> bool {
    status.code == 403 && status.message.contains("because it is being terminated")
}

fn create_pod(cluster: &mut Cluster, set: &Value) -> Result<(), Status> {
    let template = &set["spec"]["template"];
    let mut metadata = json!({
        "generateName": format!("{}-", name(set)),
        "namespace": namespace(set),
        "ownerReferences": [owner::reference(&kind::REPLICA_SET, set)],
    });
    for copied in ["labels", "annotations", "finalizers"] {
        if let Some(value) = template["metadata"].get(copied) {
            metadata[copied] = value.clone();
        }
    }
    let body = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]});
    match cluster.create(&kind::POD, namespace(set), body, &actor()) {
        Ok(pod) => {
            let message = format!("Created pod: {}", name(&pod));
            events::record(cluster, COMPONENT, set, Note::normal("SuccessfulCreate", &message));
            Ok(())
        }
        Err(status) => {
            if !is_namespace_terminating(&status) {
                let message = format!("Error creating: {status}");
                events::record(cluster, COMPONENT, set, Note::warning("FailedCreate", &message));
            }
            Err(status)
        }
    }
}

fn delete_pods(cluster: &mut Cluster, set: &Value, active: &[Arc<Value>], count: usize) -> Result<(), Failure> {
    if count == 0 {
        return Ok(());
    }
    let mut failed = None;
    for pod in victims::choose(cluster, set, active, count) {
        let options = DeleteOptions { uid: Some(uid(&pod).to_owned()), ..DeleteOptions::default() };
        match cluster.delete(&kind::POD, namespace(&pod), name(&pod), &options, &actor()) {
            Ok(_) => {
                let message = format!("Deleted pod: {}", name(&pod));
                events::record(cluster, COMPONENT, set, Note::normal("SuccessfulDelete", &message));
            }
            Err(status) if status.code == 404 => {}
            Err(status) => {
                let message = format!("Error deleting: {status}");
                events::record(cluster, COMPONENT, set, Note::warning("FailedDelete", &message));
                failed = Some(Failure { status, reason: "FailedDelete" });
            }
        }
    }
    failed.map_or(Ok(()), Err)
}
