//! A ClusterRole with an aggregation rule has the rules of all that it selects
//! (`pkg/controller/clusterroleaggregation`).

use std::time::Duration;

use breakfix_sim::{Key, StoreEvent, StoreEventKind};
use serde_json::{Value, json};

use super::{Controller, queue::enqueue, selector};
use crate::{
    Cluster, Status,
    api::verbs::{Actor, Part},
    kind,
    object::{entries, set},
};

pub const CONTROLLER: Controller = Controller { name: NAME, told, reconcile };

const NAME: &str = "clusterrole-aggregation";
const LAG: Duration = Duration::from_millis(10);

/// A write to any ClusterRole may concern all that aggregate.
fn told(cluster: &mut Cluster, event: &StoreEvent) {
    if &*event.key.collection != kind::CLUSTER_ROLE.collection {
        return;
    }
    let aggregating: Vec<Key> = cluster
        .store
        .list(kind::CLUSTER_ROLE.collection, None)
        .filter(|(_, role)| !selectors(role).is_empty())
        .filter(|(key, role)| **key == event.key || concerns(role, event))
        .map(|(key, _)| key.clone())
        .collect();
    for key in aggregating {
        enqueue(cluster, NAME, &key, LAG);
    }
}

fn concerns(role: &Value, event: &StoreEvent) -> bool {
    let before = event.before.as_deref();
    event.kind == StoreEventKind::Deleted
        || is_selected(role, &event.object)
        || before.is_some_and(|before| is_selected(role, before))
}

fn selectors(role: &Value) -> &[Value] {
    entries(role, "/aggregationRule/clusterRoleSelectors")
}

fn is_selected(role: &Value, other: &Value) -> bool {
    selectors(role).iter().any(|selector| selector::selects(Some(selector), other))
}

fn reconcile(cluster: &mut Cluster, key: &Key) -> Result<(), Status> {
    let Some(role) = cluster.store.get(key).filter(|role| !selectors(role).is_empty()) else { return Ok(()) };
    let mut rules: Vec<Value> = Vec::new();
    for selector in selectors(role) {
        for (other, source) in cluster.store.list(kind::CLUSTER_ROLE.collection, None) {
            if other == key || !selector::selects(Some(selector), source) {
                continue;
            }
            for rule in entries(source, "/rules") {
                if !rules.contains(rule) {
                    rules.push(rule.clone());
                }
            }
        }
    }
    if entries(role, "/rules") == rules {
        return Ok(());
    }
    let by = Actor {
        user: "system:serviceaccount:kube-system:clusterrole-aggregation-controller".into(),
        manager: "clusterrole-aggregation-controller".into(),
    };
    let edit = |role: &mut Value| set(role, "/rules", json!(rules));
    cluster.update(&kind::CLUSTER_ROLE, "", &key.name, Part::Main, &by, edit).map(drop)
}
