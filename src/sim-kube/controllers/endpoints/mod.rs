//! Endpoints and EndpointSlices: which pods stand behind a Service, and whether they are ready
//! (`pkg/controller/endpoint`, `endpointslice`, `endpointslicemirroring`).

mod legacy;
mod mirror;
mod pods;
mod slices;

use std::time::Duration;

use breakfix_sim::{Key, StoreEvent};
use serde_json::Value;

use super::{Controller, queue::enqueue, selector};
use crate::{Cluster, kind, object::text};

pub const CONTROLLER: Controller = Controller { name: LEGACY, told: told_legacy, reconcile: legacy::reconcile };
pub const SLICES: Controller = Controller { name: SLICES_NAME, told: told_slices, reconcile: slices::reconcile };
pub const MIRROR: Controller = Controller { name: MIRROR_NAME, told: mirror::told, reconcile: mirror::reconcile };

const LEGACY: &str = "endpoint";
const SLICES_NAME: &str = "endpoint-slice";
const MIRROR_NAME: &str = "endpoint-slice-mirroring";
/// From a pod's change to its Service's endpoints, as the records show it: a few hundredths of a second.
const LAG: Duration = Duration::from_millis(20);

/// The annotation that says since when the pods are as the endpoints show them.
const TRIGGER_TIME: &str = "endpoints.kubernetes.io/last-change-trigger-time";
const SERVICE_NAME: &str = "kubernetes.io/service-name";
const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
const HEADLESS: &str = "service.kubernetes.io/headless";

fn told_legacy(cluster: &mut Cluster, event: &StoreEvent) {
    told(cluster, event, LEGACY);
    // Somebody edited or removed what the controller wrote.
    if &*event.key.collection == kind::ENDPOINTS.collection {
        enqueue(cluster, LEGACY, &kind::SERVICE.key(&event.key.namespace, &event.key.name), LAG);
    }
}

fn told_slices(cluster: &mut Cluster, event: &StoreEvent) {
    told(cluster, event, SLICES_NAME);
    if &*event.key.collection == kind::ENDPOINT_SLICE.collection {
        let labels = &event.object["metadata"]["labels"];
        if labels[MANAGED_BY] == slices::MANAGER {
            let service = labels[SERVICE_NAME].as_str().unwrap_or("").to_owned();
            enqueue(cluster, SLICES_NAME, &kind::SERVICE.key(&event.key.namespace, &service), LAG);
        }
    }
}

fn told(cluster: &mut Cluster, event: &StoreEvent, controller: &'static str) {
    match &*event.key.collection {
        "services" => enqueue(cluster, controller, &event.key, LAG),
        "pods" => {
            for service in services_concerned(cluster, event) {
                enqueue(cluster, controller, &service, LAG);
            }
        }
        _ => {}
    }
}

/// The Services that select the pod as it is or as it was, unless nothing that endpoints show has changed.
fn services_concerned(cluster: &Cluster, event: &StoreEvent) -> Vec<Key> {
    if event.before.as_ref().is_some_and(|before| pods::face(before) == pods::face(&event.object)) {
        return Vec::new();
    }
    cluster
        .store
        .list(kind::SERVICE.collection, Some(&event.key.namespace))
        .filter(|(_, service)| {
            let selector = service.pointer("/spec/selector");
            let selects = |pod: &Value| selector::map_selects(selector, pod);
            selects(&event.object) || event.before.as_deref().is_some_and(selects)
        })
        .map(|(key, _)| key.clone())
        .collect()
}

/// Whether pods are looked for at all: ExternalName has none, and without a selector endpoints are somebody else's.
fn is_selecting(service: &Value) -> bool {
    text(service, "/spec/type") != "ExternalName"
        && service.pointer("/spec/selector").and_then(Value::as_object).is_some_and(|selector| !selector.is_empty())
}

fn is_headless(service: &Value) -> bool {
    text(service, "/spec/clusterIP") == "None"
}
