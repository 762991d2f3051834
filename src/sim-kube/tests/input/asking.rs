//! A cluster under test, and requests to it as they come over the wire.

use std::{
    collections::BTreeSet,
    sync::{LazyLock, Mutex},
    time::Duration,
};

use breakfix_sim_kube::{
    Cluster, Config,
    api::{ApiRequest, ApiResponse, User, handle, watch::WatchSpec},
    bootstrap, kind,
};
use serde_json::{Value, json};

pub const IMAGE: &str = "registry.example/web:1";
pub const JSON: &str = "application/json";
pub const MERGE: &str = "application/merge-patch+json";
pub const STRATEGIC: &str = "application/strategic-merge-patch+json";
pub const JSON_PATCH: &str = "application/json-patch+json";
pub const APPLY: &str = "application/apply-patch+yaml";
pub const MAPS: &str = "/api/v1/namespaces/shop/configmaps";
pub const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/shop/deployments";

/// A cluster with its nodes, and the namespace `shop` with a Deployment `web`.
static BEGUN: LazyLock<Mutex<Cluster>> = LazyLock::new(|| {
    let images = BTreeSet::from([IMAGE.to_owned()]);
    let date = "2026-11-21T12:00:00Z".parse().unwrap();
    let mut cluster = bootstrap(Config { seed: 7, date, workers: 2, images }).unwrap();
    let made = post(&mut cluster, "/api/v1/namespaces", &json!({"metadata": {"name": "shop"}}));
    assert_eq!(made.0, 201, "{}", made.1);
    let made = post(&mut cluster, DEPLOYMENTS, &deployment("web", 1));
    assert_eq!(made.0, 201, "{}", made.1);
    pass(&mut cluster, 5);
    Mutex::new(cluster)
});

/// A copy of it.
pub fn cluster() -> Cluster {
    BEGUN.lock().unwrap().clone()
}

/// Lets so many seconds pass.
pub fn pass(cluster: &mut Cluster, seconds: u64) {
    cluster.advance(cluster.now() + Duration::from_secs(seconds));
}

fn request(method: &str, target: &str, media: &str, body: Vec<u8>) -> ApiRequest {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    ApiRequest {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.split('&').filter_map(|pair| pair.split_once('=')).map(|(a, b)| (a.into(), b.into())).collect(),
        headers: [("content-type".to_owned(), media.to_owned())].into(),
        body,
        user: User::admin(),
    }
}

/// Sends a request; the status, and the answer, which must be JSON.
#[track_caller]
pub fn send(cluster: &mut Cluster, method: &str, target: &str, media: &str, body: Vec<u8>) -> (u16, Value) {
    let ApiResponse::Reply(reply) = handle(cluster, &request(method, target, media, body)) else {
        panic!("{method} {target} goes on")
    };
    let body = reply.body.to_bytes();
    let said = serde_json::from_slice(&body);
    (reply.status, said.unwrap_or_else(|error| panic!("{method} {target}: {error}: {body:?}")))
}

/// The status of an answer that may be anything.
pub fn code(cluster: &mut Cluster, method: &str, target: &str) -> u16 {
    match handle(cluster, &request(method, target, JSON, b"{}".to_vec())) {
        ApiResponse::Reply(reply) => reply.status,
        other => panic!("{other:?}"),
    }
}

/// Begins a watch; the status where it is refused.
pub fn watch(cluster: &mut Cluster, target: &str) -> Result<WatchSpec, (u16, Value)> {
    match handle(cluster, &request("GET", target, "", Vec::new())) {
        ApiResponse::Watch(watch) => Ok(watch),
        ApiResponse::Reply(reply) => Err((reply.status, serde_json::from_slice(&reply.body.to_bytes()).unwrap())),
        ApiResponse::Stream(_) => panic!("{target} is no watch"),
    }
}

#[track_caller]
pub fn post(cluster: &mut Cluster, target: &str, body: &Value) -> (u16, Value) {
    send(cluster, "POST", target, JSON, body.to_string().into_bytes())
}

#[track_caller]
pub fn get(cluster: &mut Cluster, target: &str) -> (u16, Value) {
    send(cluster, "GET", target, "", Vec::new())
}

/// What a refusal says.
pub fn message(said: &Value) -> &str {
    said["message"].as_str().unwrap_or("")
}

/// The answer is a success or a refusal of the client's doing, in the API's own form. `webhook` refusals are a real server's 500s too, and
/// so is what server-side apply cannot make sense of.
#[track_caller]
pub fn is_an_answer((status, said): &(u16, Value)) {
    let fits = match status {
        200..=202 => said["kind"].is_string(),
        400..=499 => said["kind"] == "Status" && said["code"] == *status && !message(said).is_empty(),
        500 => message(said).contains("webhook") || message(said).starts_with("failed to create typed patch object"),
        _ => false,
    };
    assert!(fits, "no answer of an API server: {status} {said}");
}

/// Pods still start: the cluster has not been wedged by what was sent.
#[track_caller]
pub fn lives_on(cluster: &mut Cluster) {
    let made = post(cluster, DEPLOYMENTS, &deployment("afterwards", 2));
    assert_eq!(made.0, 201, "{}", made.1);
    pass(cluster, 20);
    let ready = cluster.get(&kind::DEPLOYMENT, "shop", "afterwards").unwrap()["status"]["readyReplicas"].clone();
    assert_eq!(ready, json!(2), "the cluster does not work any more");
}

pub fn config_map(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"key": "value"}})
}

pub fn deployment(name: &str, replicas: u64) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "web", "image": IMAGE, "ports": [{"containerPort": 8080}]}]},
            },
        },
    })
}

/// Brackets in brackets.
pub fn nested(open: &str, close: &str, depth: usize) -> Vec<u8> {
    format!("{}{}", open.repeat(depth), close.repeat(depth)).into_bytes()
}
