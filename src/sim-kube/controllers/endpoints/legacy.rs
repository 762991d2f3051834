//! The `Endpoints` object of a Service: deprecated, written all the same.

use std::{collections::BTreeMap, sync::Arc};

use breakfix_sim::Key;
use serde_json::{Value, json};

use super::{TRIGGER_TIME, is_selecting, pods};
use crate::{
    Cluster, Status,
    api::verbs::{Actor, DeleteOptions, Part},
    controllers::pod_state,
    kind,
    object::{name, namespace, set, text, truth, unset},
};

fn actor() -> Actor {
    Actor {
        user: "system:serviceaccount:kube-system:endpoint-controller".into(),
        manager: "kube-controller-manager".into(),
    }
}

pub(super) fn reconcile(cluster: &mut Cluster, key: &Key) -> Result<(), Status> {
    let Some(service) = cluster.store.get(key).cloned() else { return remove(cluster, key) };
    if !is_selecting(&service) {
        return Ok(());
    }
    let tolerant = truth(&service, "/spec/publishNotReadyAddresses");
    let selected: Vec<Arc<Value>> =
        pods::selected(cluster, &service).into_iter().filter(|pod| pods::belongs(pod, tolerant)).collect();
    let subsets = subsets(&service, &selected, tolerant);
    let mut labels = pods::labels(&service);
    labels.insert("endpoints.kubernetes.io/managed-by".to_owned(), json!("endpoint-controller"));
    let trigger = pods::trigger_time(&service, &selected);
    write(cluster, key, subsets, Value::Object(labels), &trigger)
}

/// The Service is gone: what the controller made for it goes too.
fn remove(cluster: &mut Cluster, key: &Key) -> Result<(), Status> {
    let ours = kind::ENDPOINTS.key(&key.namespace, &key.name);
    let label = "/metadata/labels/endpoints.kubernetes.io~1managed-by";
    if cluster.store.get(&ours).is_none_or(|found| text(found, label).is_empty()) {
        return Ok(());
    }
    match cluster.delete(&kind::ENDPOINTS, &key.namespace, &key.name, &DeleteOptions::default(), &actor()) {
        Err(status) if status.code != 404 => Err(status),
        _ => Ok(()),
    }
}

/// Addresses of one port: whether each is ready, and how it is shown.
type Addresses = BTreeMap<String, (bool, Value)>;

/// `RepackSubsets`: ports that are reached at the same addresses share a subset.
fn subsets(service: &Value, selected: &[Arc<Value>], tolerant: bool) -> Vec<Value> {
    let mut by_port: Vec<(Value, Addresses)> = Vec::new();
    for pod in selected {
        let ready = tolerant || pod_state::is_ready(pod);
        let ip = text(pod, "/status/podIP").to_owned();
        let mut address = json!({"ip": ip, "nodeName": pod["spec"]["nodeName"], "targetRef": pods::target_ref(pod)});
        if let Some(hostname) = pods::hostname(service, pod) {
            address["hostname"] = json!(hostname);
        }
        for mut port in pods::ports(service, pod) {
            if text(&port, "/name").is_empty() {
                unset(&mut port, "/name");
            }
            match by_port.iter_mut().find(|(known, _)| *known == port) {
                Some((_, addresses)) => drop(addresses.insert(ip.clone(), (ready, address.clone()))),
                None => by_port.push((port, BTreeMap::from([(ip.clone(), (ready, address.clone()))]))),
            }
        }
    }
    let mut packed: Vec<(Vec<Value>, Addresses)> = Vec::new();
    for (port, addresses) in by_port {
        match packed.iter_mut().find(|(_, known)| *known == addresses) {
            Some((ports, _)) => ports.push(port),
            None => packed.push((vec![port], addresses)),
        }
    }
    packed.into_iter().map(|(ports, addresses)| subset(ports, &addresses)).collect()
}

fn subset(ports: Vec<Value>, addresses: &Addresses) -> Value {
    let of = |wanted: bool| -> Vec<Value> {
        addresses.values().filter(|(ready, _)| *ready == wanted).map(|(_, address)| address.clone()).collect()
    };
    let mut subset = json!({"ports": ports});
    for (field, list) in [("addresses", of(true)), ("notReadyAddresses", of(false))] {
        if !list.is_empty() {
            subset[field] = Value::Array(list);
        }
    }
    subset
}

fn write(cluster: &mut Cluster, key: &Key, subsets: Vec<Value>, labels: Value, trigger: &str) -> Result<(), Status> {
    let existing = cluster.store.get(&kind::ENDPOINTS.key(&key.namespace, &key.name)).cloned();
    let Some(existing) = existing else {
        let mut body = json!({
            "apiVersion": "v1",
            "kind": "Endpoints",
            "metadata": {"name": key.name, "namespace": key.namespace, "labels": labels, "annotations": {TRIGGER_TIME: trigger}},
        });
        if !subsets.is_empty() {
            body["subsets"] = Value::Array(subsets);
        }
        return cluster.create(&kind::ENDPOINTS, &key.namespace, body, &actor()).map(drop);
    };
    let same_subsets = crate::object::entries(&existing, "/subsets") == subsets.as_slice();
    if same_subsets && existing.pointer("/metadata/labels") == Some(&labels) {
        return Ok(());
    }
    cluster.update(&kind::ENDPOINTS, namespace(&existing), name(&existing), Part::Main, &actor(), |endpoints| {
        set(endpoints, "/metadata/labels", labels);
        if subsets.is_empty() {
            unset(endpoints, "/subsets");
        } else {
            set(endpoints, "/subsets", Value::Array(subsets));
        }
        let mut annotations = endpoints["metadata"]["annotations"].as_object().cloned().unwrap_or_default();
        annotations.insert(TRIGGER_TIME.to_owned(), json!(trigger));
        set(endpoints, "/metadata/annotations", Value::Object(annotations));
    })?;
    Ok(())
}
