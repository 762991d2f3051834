//! The disruption controller: how many pods of a budget may be evicted now (`pkg/controller/disruption`).
//!
//! `expected` says how many pods there should be, by asking what controls them; `status` writes what follows from it. The eviction
//! itself is the API server's work (`api/write/evict.rs`).

mod expected;
mod status;

use std::{sync::Arc, time::Duration};

use breakfix_sim::{Key, StoreEvent};
use serde_json::Value;

use super::{
    Controller,
    events::{self, Note},
    queue::enqueue,
    selector,
};
use crate::{
    Cluster, Status, kind,
    object::{is_deleting, name, namespace},
};

pub const CONTROLLER: Controller = Controller { name: NAME, told, reconcile };

const NAME: &str = "disruption";
const COMPONENT: &str = "controllermanager";
const LAG: Duration = Duration::from_millis(15);

fn told(cluster: &mut Cluster, event: &StoreEvent) {
    match &*event.key.collection {
        "poddisruptionbudgets.policy" => enqueue(cluster, NAME, &event.key, LAG),
        "pods" => told_of_pod(cluster, event),
        // What controls the pods says how many there should be.
        "replicasets.apps" | "deployments.apps" | "statefulsets.apps"
            if event
                .before
                .as_ref()
                .is_none_or(|before| before["spec"]["replicas"] != event.object["spec"]["replicas"]) =>
        {
            for budget in budgets(cluster, &event.key.namespace) {
                enqueue(cluster, NAME, &budget, LAG);
            }
        }
        _ => {}
    }
}

fn budgets(cluster: &Cluster, namespace: &str) -> Vec<Key> {
    cluster.store.list(kind::POD_DISRUPTION_BUDGET.collection, Some(namespace)).map(|(key, _)| key.clone()).collect()
}

fn told_of_pod(cluster: &mut Cluster, event: &StoreEvent) {
    let selects = |budget: &Value| {
        let selector = budget.pointer("/spec/selector");
        selector::selects(selector, &event.object)
            || event.before.as_deref().is_some_and(|before| selector::selects(selector, before))
    };
    let concerned: Vec<(Key, Arc<Value>)> = cluster
        .store
        .list(kind::POD_DISRUPTION_BUDGET.collection, Some(&event.key.namespace))
        .filter(|(_, budget)| selects(budget))
        .map(|(key, budget)| (key.clone(), Arc::clone(budget)))
        .collect();
    for (key, _) in &concerned {
        enqueue(cluster, NAME, key, LAG);
    }
    // With two budgets over one pod nobody can say which one counts.
    let is_new = event.before.is_none() && !is_deleting(&event.object);
    if let [(_, first), _, ..] = concerned.as_slice()
        && is_new
    {
        let message = format!(
            "Pod {:?}/{:?} matches multiple PodDisruptionBudgets.  Chose {:?} arbitrarily.",
            namespace(&event.object),
            name(&event.object),
            name(first)
        );
        events::record(cluster, COMPONENT, &event.object, Note::warning("MultiplePodDisruptionBudgets", &message));
    }
}

/// `trySync`.
fn reconcile(cluster: &mut Cluster, key: &Key) -> Result<(), Status> {
    let Some(budget) = cluster.store.get(key).cloned() else { return Ok(()) };
    let pods: Vec<Arc<Value>> = cluster
        .list(&kind::POD, Some(&key.namespace))
        .filter(|pod| selector::selects(budget.pointer("/spec/selector"), pod))
        .cloned()
        .collect();
    if pods.is_empty() {
        events::record(cluster, COMPONENT, &budget, Note::normal("NoPods", "No matching pods found"));
    }
    match expected::expected(cluster, &budget, &pods) {
        Ok(expected) => {
            if !expected.unmanaged.is_empty() {
                let message = expected::words_for_unmanaged(&budget);
                events::record(cluster, COMPONENT, &budget, Note::warning("UnmanagedPods", &message));
            }
            status::write(cluster, key, &budget, &pods, &expected)
        }
        Err(why) => {
            let message = format!("Failed to calculate the number of expected pods: {why}");
            events::record(cluster, COMPONENT, &budget, Note::warning("CalculateExpectedPodCountFailed", &message));
            status::fail(cluster, &budget, &why)?;
            Err(Status::internal(why))
        }
    }
}
