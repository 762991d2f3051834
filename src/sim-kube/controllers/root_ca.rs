//! Every active namespace has the ConfigMap `kube-root-ca.crt` (`pkg/controller/certificates/rootcacertpublisher`).

use std::time::Duration;

use breakfix_sim::{Key, StoreEvent, StoreEventKind};
use serde_json::{Value, json};

use super::{Controller, queue::enqueue};
use crate::{
    Cluster, Status,
    api::verbs::{Actor, Part},
    kind,
    object::{is_deleting, set},
};

pub const CONTROLLER: Controller = Controller { name: NAME, told, reconcile };

/// The ConfigMap's name.
pub const CONFIG_MAP: &str = "kube-root-ca.crt";
const NAME: &str = "root-ca";
const LAG: Duration = Duration::from_millis(20);
const DESCRIPTION: &str = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as \
                           the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of \
                           Kubernetes clusters.";

/// Sets the certificate authority (PEM) that every namespace is told of. Whoever serves the API calls this once it has one.
pub fn publish(cluster: &mut Cluster, pem: &str) {
    if cluster.controllers.root_ca == pem {
        return;
    }
    pem.clone_into(&mut cluster.controllers.root_ca);
    let namespaces: Vec<Key> =
        cluster.store.list(kind::NAMESPACE.collection, None).map(|(key, _)| key.clone()).collect();
    for key in namespaces {
        enqueue(cluster, NAME, &key, LAG);
    }
}

fn told(cluster: &mut Cluster, event: &StoreEvent) {
    let collection = &*event.key.collection;
    if collection == kind::NAMESPACE.collection && event.kind != StoreEventKind::Deleted {
        enqueue(cluster, NAME, &event.key, LAG);
    } else if collection == kind::CONFIG_MAP.collection && &*event.key.name == CONFIG_MAP {
        enqueue(cluster, NAME, &kind::NAMESPACE.key("", &event.key.namespace), LAG);
    }
}

fn reconcile(cluster: &mut Cluster, key: &Key) -> Result<(), Status> {
    if cluster.store.get(key).is_none_or(|namespace| is_deleting(namespace)) {
        return Ok(());
    }
    let by = Actor {
        user: "system:serviceaccount:kube-system:root-ca-cert-publisher".into(),
        manager: "kube-controller-manager".into(),
    };
    let data = json!({"ca.crt": cluster.controllers.root_ca});
    match cluster.store.get(&kind::CONFIG_MAP.key(&key.name, CONFIG_MAP)) {
        Some(found) if found["data"] == data => Ok(()),
        Some(_) => {
            let edit = |found: &mut Value| set(found, "/data", data);
            cluster.update(&kind::CONFIG_MAP, &key.name, CONFIG_MAP, Part::Main, &by, edit).map(drop)
        }
        None => {
            let body = json!({
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {
                    "name": CONFIG_MAP,
                    "namespace": key.name,
                    "annotations": {"kubernetes.io/description": DESCRIPTION},
                },
                "data": data,
            });
            cluster.create(&kind::CONFIG_MAP, &key.name, body, &by).map(drop)
        }
    }
}
