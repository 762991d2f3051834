//! Serving, from the record on disk to a client's socket.

mod access;
mod breadth;
pub(crate) mod kinds;
mod kubectl;
mod local;
mod pods;
mod process;
mod record;
mod workloads;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};

use super::{
    host::Host,
    input::{Act, Request},
    seam::Answer,
    service::admin,
};
use crate::{Cluster, Config};

/// The cluster of all these tests.
fn cluster() -> Cluster {
    Cluster::empty(Config {
        seed: 7,
        date: "2026-11-21T12:00:00Z".parse().unwrap(),
        workers: 2,
        images: BTreeSet::from(["registry.example/shop:1".to_owned()]),
    })
}

/// A cluster with nodes, and a web server that answers in namespace `shop`.
fn lived_in(date: jiff::Timestamp) -> Cluster {
    let images = BTreeSet::from(["registry.example/shop:1".to_owned()]);
    let mut cluster = crate::bootstrap::bootstrap(Config { seed: 7, date, workers: 2, images }).unwrap();
    let mut hand_in = |path: &str, body: &Value| {
        let answer = request("POST", path, body).act(&mut cluster);
        assert!(matches!(answer, Answer::Document { status: 201, .. }), "{answer:?}");
    };
    hand_in("/api/v1/namespaces", &namespace("shop"));
    hand_in("/api/v1/namespaces/shop/serviceaccounts", &json!({"metadata": {"name": "web"}}));
    hand_in("/api/v1/namespaces/shop/pods", &web());
    cluster.advance(cluster.now() + std::time::Duration::from_secs(30));
    cluster.clock.shift_date(-30_000);
    cluster
}

/// A pod that runs the workload as a web server.
fn web() -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web", "labels": {"app": "web"}},
        "spec": {
            "serviceAccountName": "web",
            "containers": [{
                "name": "web",
                "image": "registry.example/shop:1",
                "imagePullPolicy": "Never",
                "env": [{"name": "TITLE", "value": "shop"}, {"name": "VERSION", "value": "1.4"}],
                "ports": [{"containerPort": 8080}],
            }],
        },
    })
}

fn shared(cluster: Cluster) -> Arc<Mutex<Cluster>> {
    Arc::new(Mutex::new(cluster))
}

fn request(method: &str, path: &str, body: &Value) -> Request {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    Request {
        method: method.to_owned(),
        path: path.to_owned(),
        headers: [("content-type".to_owned(), "application/json".to_owned())].into(),
        body: super::blob::Blob(body.into()),
        asker: admin(),
        ..Request::default()
    }
}

/// Hands a request in and gives the answer's status and body.
fn ask(host: &Host, method: &str, path: &str, body: &Value) -> (u16, Value) {
    match host.act(request(method, path, body)).unwrap() {
        Answer::Document { status, body, .. } => (status, body),
        other => panic!("{other:?}"),
    }
}

fn namespace(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
}

fn config_map(name: &str, value: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"key": value}})
}

fn deployment(name: &str, replicas: u32) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{
                    "name": "web",
                    "image": "registry.example/shop:1",
                    "ports": [{"containerPort": 8080}],
                    "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 2},
                }]},
            },
        },
    })
}
