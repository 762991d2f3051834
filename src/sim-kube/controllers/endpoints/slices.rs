//! The slices of a Service: at most 100 endpoints each, grouped by the ports they are reached by.

use std::sync::Arc;

use breakfix_sim::Key;
use serde_json::{Value, json};

use super::{MANAGED_BY, SERVICE_NAME, TRIGGER_TIME, is_selecting, pods};
use crate::{
    Cluster, Status,
    api::verbs::{Actor, DeleteOptions, Part},
    controllers::owner,
    kind,
    object::{entries, is_deleting, name, namespace, set, unset},
};

pub(super) const MANAGER: &str = "endpointslice-controller.k8s.io";
/// `--max-endpoints-per-slice`.
const SLICE_MAX: usize = 100;

fn actor() -> Actor {
    Actor {
        user: "system:serviceaccount:kube-system:endpointslice-controller".into(),
        manager: "kube-controller-manager".into(),
    }
}

/// A slice as it should be, and the existing one it is written to, if any.
struct Wanted {
    existing: Option<Arc<Value>>,
    ports: Value,
    endpoints: Vec<Value>,
}

pub(super) fn reconcile(cluster: &mut Cluster, key: &Key) -> Result<(), Status> {
    // A deleted Service's slices go with it: they belong to it.
    let Some(service) = cluster.store.get(key).cloned() else { return Ok(()) };
    if !is_selecting(&service) {
        return Ok(());
    }
    let selected: Vec<Arc<Value>> =
        pods::selected(cluster, &service).into_iter().filter(|pod| pods::belongs(pod, true)).collect();
    let existing = existing(cluster, &service);
    let (wanted, surplus) = plan(cluster, &service, &selected, existing);
    let trigger = pods::trigger_time(&service, &selected);
    for slice in wanted {
        write(cluster, &service, slice, &trigger)?;
    }
    for slice in surplus {
        let options = DeleteOptions::default();
        match cluster.delete(&kind::ENDPOINT_SLICE, namespace(&slice), name(&slice), &options, &actor()) {
            Err(status) if status.code != 404 => return Err(status),
            _ => {}
        }
    }
    Ok(())
}

fn existing(cluster: &Cluster, service: &Value) -> Vec<Arc<Value>> {
    cluster
        .store
        .list(kind::ENDPOINT_SLICE.collection, Some(namespace(service)))
        .filter(|(_, slice)| {
            let labels = &slice["metadata"]["labels"];
            labels[SERVICE_NAME] == *name(service) && labels[MANAGED_BY] == MANAGER && !is_deleting(slice)
        })
        .map(|(_, slice)| Arc::clone(slice))
        .collect()
}

/// The slices to write and those to remove. Endpoints stay in the slice and the place where they are.
fn plan(
    cluster: &Cluster,
    service: &Value,
    selected: &[Arc<Value>],
    existing: Vec<Arc<Value>>,
) -> (Vec<Wanted>, Vec<Arc<Value>>) {
    let mut groups: Vec<(Value, Vec<Value>)> = Vec::new();
    for pod in selected {
        let ports = match pods::ports(service, pod) {
            ports if ports.is_empty() => Value::Null,
            ports => Value::Array(ports),
        };
        let entry = pods::slice_entry(cluster, service, pod);
        match groups.iter_mut().find(|(known, _)| *known == ports) {
            Some((_, group)) => group.push(entry),
            None => groups.push((ports, vec![entry])),
        }
    }
    if groups.is_empty() {
        groups.push((Value::Null, Vec::new()));
    }
    let mut free = existing;
    let mut wanted = Vec::new();
    for (ports, group) in groups {
        fill(&ports, group, &mut free, &mut wanted);
    }
    // What would be made anew takes the place of what would be removed.
    for slice in wanted.iter_mut().filter(|slice| slice.existing.is_none()) {
        slice.existing = if free.is_empty() { None } else { Some(free.remove(0)) };
    }
    (wanted, free)
}

fn fill(ports: &Value, mut group: Vec<Value>, free: &mut Vec<Arc<Value>>, wanted: &mut Vec<Wanted>) {
    let first = wanted.len();
    let (same, others): (Vec<_>, Vec<_>) = free.drain(..).partition(|slice| slice["ports"] == *ports);
    *free = others;
    for slice in same {
        let mut kept = Vec::new();
        for known in entries(&slice, "/endpoints") {
            if let Some(at) = group.iter().position(|entry| is_same(entry, known)) {
                kept.push(group.remove(at));
            }
        }
        wanted.push(Wanted { existing: Some(slice), ports: ports.clone(), endpoints: kept });
    }
    for entry in group {
        let room = wanted.iter_mut().skip(first).find(|slice| slice.endpoints.len() < SLICE_MAX);
        match room {
            Some(slice) => slice.endpoints.push(entry),
            None => wanted.push(Wanted { existing: None, ports: ports.clone(), endpoints: vec![entry] }),
        }
    }
    // An emptied slice goes, unless it is all that is left.
    let empty = |slice: &Wanted| slice.endpoints.is_empty();
    let mut at = wanted.len();
    while at > first {
        at -= 1;
        if wanted.len() > first + 1 && wanted.get(at).is_some_and(empty) {
            free.extend(wanted.remove(at).existing);
        }
    }
    if wanted.len() == first {
        wanted.push(Wanted { existing: None, ports: ports.clone(), endpoints: Vec::new() });
    }
}

/// Whether two entries are the same endpoint, in whatever state.
fn is_same(left: &Value, right: &Value) -> bool {
    ["addresses", "hostname", "nodeName", "targetRef"].into_iter().all(|field| left.get(field) == right.get(field))
}

fn write(cluster: &mut Cluster, service: &Value, slice: Wanted, trigger: &str) -> Result<(), Status> {
    let endpoints = if slice.endpoints.is_empty() { Value::Null } else { Value::Array(slice.endpoints) };
    let mut labels = pods::labels(service);
    labels.insert(MANAGED_BY.to_owned(), json!(MANAGER));
    labels.insert(SERVICE_NAME.to_owned(), json!(name(service)));
    let space = namespace(service).to_owned();
    let Some(existing) = slice.existing else {
        let body = json!({
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "generateName": format!("{}-", name(service)),
                "namespace": space,
                "labels": labels,
                "annotations": {TRIGGER_TIME: trigger},
                "ownerReferences": [owner::reference(&kind::SERVICE, service)],
            },
            "addressType": "IPv4",
            "endpoints": endpoints,
            "ports": slice.ports,
        });
        return cluster.create(&kind::ENDPOINT_SLICE, &space, body, &actor()).map(drop);
    };
    let unchanged = existing.get("endpoints").unwrap_or(&Value::Null) == &endpoints
        && existing.get("ports").unwrap_or(&Value::Null) == &slice.ports
        && existing.pointer("/metadata/labels").and_then(Value::as_object) == Some(&labels);
    if unchanged {
        return Ok(());
    }
    cluster.update(&kind::ENDPOINT_SLICE, &space, name(&existing), Part::Main, &actor(), |slice_object| {
        set(slice_object, "/endpoints", endpoints);
        set(slice_object, "/ports", slice.ports);
        set(slice_object, "/metadata/labels", Value::Object(labels));
        if trigger.is_empty() {
            unset(slice_object, "/metadata/annotations/endpoints.kubernetes.io~1last-change-trigger-time");
        } else {
            let mut annotations = slice_object["metadata"]["annotations"].as_object().cloned().unwrap_or_default();
            annotations.insert(TRIGGER_TIME.to_owned(), json!(trigger));
            set(slice_object, "/metadata/annotations", Value::Object(annotations));
        }
    })?;
    Ok(())
}
