//! Every active namespace has a service account `default` (`pkg/controller/serviceaccount`).

use std::time::Duration;

use breakfix_sim::{Key, StoreEvent, StoreEventKind};
use serde_json::json;

use super::{Controller, queue::enqueue};
use crate::{Cluster, Status, api::verbs::Actor, kind, object::is_deleting};

pub const CONTROLLER: Controller = Controller { name: NAME, told, reconcile };

const NAME: &str = "service-account";
const LAG: Duration = Duration::from_millis(15);
const DEFAULT: &str = "default";

fn told(cluster: &mut Cluster, event: &StoreEvent) {
    let collection = &*event.key.collection;
    if collection == kind::NAMESPACE.collection && event.kind != StoreEventKind::Deleted {
        enqueue(cluster, NAME, &event.key, LAG);
    } else if collection == kind::SERVICE_ACCOUNT.collection && event.kind == StoreEventKind::Deleted {
        enqueue(cluster, NAME, &kind::NAMESPACE.key("", &event.key.namespace), LAG);
    }
}

fn reconcile(cluster: &mut Cluster, key: &Key) -> Result<(), Status> {
    let active = cluster.store.get(key).is_some_and(|namespace| !is_deleting(namespace));
    let there = cluster.store.get(&kind::SERVICE_ACCOUNT.key(&key.name, DEFAULT)).is_some();
    if !active || there {
        return Ok(());
    }
    let body =
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": DEFAULT, "namespace": key.name}});
    let by = Actor {
        user: "system:serviceaccount:kube-system:service-account-controller".into(),
        manager: "kube-controller-manager".into(),
    };
    cluster.create(&kind::SERVICE_ACCOUNT, &key.name, body, &by).map(drop)
}
