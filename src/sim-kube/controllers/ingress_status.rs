//! What an ingress controller writes into `status.loadBalancer` of its Ingress objects, while it runs (ingress-nginx, `status.go`).

use std::time::Duration;

use breakfix_sim::{Key, StoreEvent, StoreEventKind};
use serde_json::{Value, json};

use super::{Controller, queue::enqueue};
use crate::{
    Cluster, Status,
    api::verbs::{Actor, Part},
    kind, network, node,
    object::{entries, set, text},
};

pub const CONTROLLER: Controller = Controller { name: NAME, told, reconcile };

const NAME: &str = "ingress-status";
/// Statuses are brought up at the turn of this interval.
const LAG: Duration = Duration::from_secs(60);
const ADDRESS: &str = "--publish-status-address=";

fn told(cluster: &mut Cluster, event: &StoreEvent) {
    if event.kind == StoreEventKind::Deleted {
        return;
    }
    let collection = &*event.key.collection;
    if collection == kind::INGRESS.collection {
        at_the_turn(cluster, &event.key);
    } else if collection == kind::POD.collection && is_controller(&event.object) {
        let all: Vec<Key> = cluster.store.list(kind::INGRESS.collection, None).map(|(key, _)| key.clone()).collect();
        for key in all {
            at_the_turn(cluster, &key);
        }
    }
}

fn is_controller(pod: &Value) -> bool {
    let containers = entries(pod, "/spec/containers");
    containers.iter().any(|container| node::is_ingress_controller(text(container, "/image")))
}

/// At the controller's own next turn.
fn at_the_turn(cluster: &mut Cluster, key: &Key) {
    let past = cluster.now().0 % 60_000;
    enqueue(cluster, NAME, key, LAG.saturating_sub(Duration::from_millis(past)));
}

fn reconcile(cluster: &mut Cluster, key: &Key) -> Result<(), Status> {
    let Some(ingress) = cluster.store.get(key) else { return Ok(()) };
    let running = network::ingress_pods(cluster);
    let Some(pod) = running.first().and_then(|key| cluster.store.get(key)) else { return Ok(()) };
    if !network::is_ingress_of_ours(cluster, ingress) {
        return Ok(());
    }
    let arguments = entries(pod, "/spec/containers").iter().flat_map(|container| entries(container, "/args"));
    let told = arguments.into_iter().filter_map(Value::as_str).find_map(|argument| argument.strip_prefix(ADDRESS));
    let entry = match told {
        Some(address) if address.parse::<std::net::IpAddr>().is_ok() => json!({"ip": address}),
        Some(address) => json!({"hostname": address}),
        // Without a word about it: the addresses of the nodes it runs on.
        None => json!({"ip": text(pod, "/status/hostIP")}),
    };
    let wanted = json!({"loadBalancer": {"ingress": [entry]}});
    if ingress.get("status") == Some(&wanted) {
        return Ok(());
    }
    let by = Actor {
        user: "system:serviceaccount:ingress-nginx:ingress-nginx".into(),
        manager: "nginx-ingress-controller".into(),
    };
    let edit = |found: &mut Value| set(found, "/status", wanted);
    cluster.update(&kind::INGRESS, &key.namespace, &key.name, Part::Status, &by, edit).map(drop)
}
