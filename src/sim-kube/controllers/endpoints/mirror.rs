//! Hand-written `Endpoints` of Services without a selector are mirrored to slices, which is what the network reads.

use std::sync::Arc;

use breakfix_sim::{Key, StoreEvent};
use serde_json::{Map, Value, json};

use super::{LAG, MANAGED_BY, MIRROR_NAME, SERVICE_NAME};
use crate::{
    Cluster, Status,
    api::verbs::{Actor, DeleteOptions, Part},
    controllers::{owner, queue::enqueue},
    kind,
    object::{entries, name, namespace, set, text},
};

const MANAGER: &str = "endpointslicemirroring-controller.k8s.io";
const SKIP: &str = "endpointslice.kubernetes.io/skip-mirror";

fn actor() -> Actor {
    Actor {
        user: "system:serviceaccount:kube-system:endpointslicemirroring-controller".into(),
        manager: "kube-controller-manager".into(),
    }
}

pub(super) fn told(cluster: &mut Cluster, event: &StoreEvent) {
    if matches!(&*event.key.collection, "endpoints" | "services") {
        let key = kind::ENDPOINTS.key(&event.key.namespace, &event.key.name);
        enqueue(cluster, MIRROR_NAME, &key, LAG);
    }
}

pub(super) fn reconcile(cluster: &mut Cluster, key: &Key) -> Result<(), Status> {
    let endpoints = cluster.store.get(key).cloned().filter(|endpoints| should_mirror(cluster, endpoints));
    let mut existing: Vec<Arc<Value>> = cluster
        .store
        .list(kind::ENDPOINT_SLICE.collection, Some(&key.namespace))
        .filter(|(_, slice)| {
            let labels = &slice["metadata"]["labels"];
            labels[MANAGED_BY] == MANAGER && labels[SERVICE_NAME] == *key.name
        })
        .map(|(_, slice)| Arc::clone(slice))
        .collect();
    if let Some(endpoints) = &endpoints {
        for subset in entries(endpoints, "/subsets") {
            let slot = if existing.is_empty() { None } else { Some(existing.remove(0)) };
            write(cluster, endpoints, subset, slot.as_deref())?;
        }
    }
    for slice in existing {
        match cluster.delete(
            &kind::ENDPOINT_SLICE,
            namespace(&slice),
            name(&slice),
            &DeleteOptions::default(),
            &actor(),
        ) {
            Err(status) if status.code != 404 => return Err(status),
            _ => {}
        }
    }
    Ok(())
}

fn should_mirror(cluster: &Cluster, endpoints: &Value) -> bool {
    let labels = &endpoints["metadata"]["labels"];
    let service = cluster.store.get(&kind::SERVICE.key(namespace(endpoints), name(endpoints)));
    labels[SKIP] != "true"
        && labels.get("endpoints.kubernetes.io/managed-by").is_none()
        && service.is_some_and(|service| {
            service.pointer("/spec/selector").and_then(Value::as_object).is_none_or(Map::is_empty)
        })
}

fn write(cluster: &mut Cluster, endpoints: &Value, subset: &Value, slot: Option<&Value>) -> Result<(), Status> {
    let mut list = Vec::new();
    for (field, ready) in [("/addresses", true), ("/notReadyAddresses", false)] {
        for address in entries(subset, field) {
            let mut entry = json!({"addresses": [text(address, "/ip")], "conditions": {"ready": ready}});
            for copied in ["hostname", "nodeName", "targetRef"] {
                if let Some(value) = address.get(copied) {
                    entry[copied] = value.clone();
                }
            }
            list.push(entry);
        }
    }
    let mut ports = entries(subset, "/ports").to_vec();
    for port in &mut ports {
        if port.get("name").is_none() {
            port["name"] = json!("");
        }
    }
    let (list, ports) = (Value::Array(list), Value::Array(ports));
    let space = namespace(endpoints).to_owned();
    if let Some(slot) = slot {
        if slot["endpoints"] == list && slot["ports"] == ports {
            return Ok(());
        }
        cluster.update(&kind::ENDPOINT_SLICE, &space, name(slot), Part::Main, &actor(), |slice| {
            set(slice, "/endpoints", list);
            set(slice, "/ports", ports);
        })?;
        return Ok(());
    }
    let mut labels = endpoints["metadata"]["labels"].as_object().cloned().unwrap_or_default();
    labels.insert(MANAGED_BY.to_owned(), json!(MANAGER));
    labels.insert(SERVICE_NAME.to_owned(), json!(name(endpoints)));
    let body = json!({
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "generateName": format!("{}-", name(endpoints)),
            "namespace": space,
            "labels": labels,
            "ownerReferences": [owner::reference(&kind::ENDPOINTS, endpoints)],
        },
        "addressType": "IPv4",
        "endpoints": list,
        "ports": ports,
    });
    cluster.create(&kind::ENDPOINT_SLICE, &space, body, &actor()).map(drop)
}
