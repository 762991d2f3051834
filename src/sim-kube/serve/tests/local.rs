//! The server in this process, through the client that breakfix itself uses.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::{
    Api, Client,
    api::{DeleteParams, ListParams, PostParams, WatchEvent, WatchParams},
};

use super::*;
use crate::serve::local::{LocalServer, local};

fn server() -> (LocalServer, Client) {
    let server = local(shared(cluster()));
    let client = Client::new(server.requests(), "shop");
    (server, client)
}

fn object<K: serde::de::DeserializeOwned>(value: Value) -> K {
    serde_json::from_value(value).unwrap()
}

async fn control(client: &Client, method: &str, path: &str, body: &str) -> Value {
    let request = http::Request::builder().method(method).uri(path).body(body.as_bytes().to_vec()).unwrap();
    client.request(request).await.unwrap()
}

#[tokio::test]
async fn objects_are_made_listed_and_deleted() {
    let (_server, client) = server();
    assert_eq!(client.apiserver_version().await.unwrap().minor, "36");
    let namespaces: Api<Namespace> = Api::all(client.clone());
    namespaces.create(&PostParams::default(), &object(namespace("shop"))).await.unwrap();
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    maps.create(&PostParams::default(), &object(config_map("a", "1"))).await.unwrap();
    assert_eq!(maps.list(&ListParams::default()).await.unwrap().items.len(), 1);
    maps.delete("a", &DeleteParams::default()).await.unwrap();
    assert!(maps.get_opt("a").await.unwrap().is_none());
}

#[tokio::test]
async fn a_watch_tells_of_what_happens_and_ends_in_time() {
    let (_server, client) = server();
    let namespaces: Api<Namespace> = Api::all(client.clone());
    namespaces.create(&PostParams::default(), &object(namespace("shop"))).await.unwrap();
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    let version = maps.list(&ListParams::default()).await.unwrap().metadata.resource_version.unwrap();
    let mut events = maps.watch(&WatchParams::default().timeout(1), &version).await.unwrap().boxed();
    maps.create(&PostParams::default(), &object(config_map("a", "1"))).await.unwrap();
    let event = events.try_next().await.unwrap();
    assert!(matches!(event, Some(WatchEvent::Added(map)) if map.metadata.name.as_deref() == Some("a")));
    maps.delete("a", &DeleteParams::default()).await.unwrap();
    assert!(matches!(events.try_next().await.unwrap(), Some(WatchEvent::Deleted(_))));
    let end = tokio::time::timeout(Duration::from_secs(10), events.try_next()).await.expect("the watch ends by itself");
    assert!(end.unwrap().is_none());
}

#[tokio::test]
async fn time_moves_by_hand_and_images_can_be_added() {
    let (server, client) = server();
    let before = control(&client, "GET", "/breakfix/info", "").await;
    assert_eq!(before["simulator"], true);
    let after = control(&client, "POST", "/breakfix/advance?ms=90000", "").await;
    assert_eq!(after["elapsedMs"].as_u64().unwrap() - before["elapsedMs"].as_u64().unwrap(), 90_000);
    control(&client, "POST", "/breakfix/images", r#"{"images": ["registry.example/new:1"]}"#).await;
    assert!(server.host().look(|cluster| cluster.config.images.contains("registry.example/new:1")).unwrap());
    let wrong = http::Request::post("/breakfix/advance?ms=soon").body(Vec::new()).unwrap();
    assert!(client.request::<Value>(wrong).await.is_err());
}

#[tokio::test]
async fn a_nodes_machine_takes_commands_and_its_lease_tells_whether_it_lives() {
    let server = local(shared(lived_in("2026-11-21T12:00:00Z".parse().unwrap())));
    let client = Client::new(server.requests(), "shop");
    let info = control(&client, "GET", "/breakfix/info", "").await;
    assert_eq!(info["machines"][0], "breakfix-control-plane");
    let kubelet =
        |verb: &str| format!(r#"{{"node": "breakfix-control-plane", "command": ["systemctl", "{verb}", "kubelet"]}}"#);
    assert_eq!(control(&client, "POST", "/breakfix/node", &kubelet("is-active")).await["stdout"], "active\n");
    let renewed = async || {
        let path = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/breakfix-control-plane";
        control(&client, "GET", path, "").await["spec"]["renewTime"].as_str().unwrap().to_owned()
    };
    let first = renewed().await;
    server.host().skip(Duration::from_secs(30));
    let second = renewed().await;
    assert!(second > first, "{first} {second}");
    assert_eq!(control(&client, "POST", "/breakfix/node", &kubelet("stop")).await["exit"], 0);
    server.host().skip(Duration::from_secs(30));
    assert_eq!(renewed().await, second, "nobody renews it");
    assert_eq!(control(&client, "POST", "/breakfix/node", &kubelet("is-active")).await["exit"], 3);
    for wrong in
        [r#"{"node": "x", "command": ["true"]}"#, r#"{"node": "breakfix-control-plane", "command": ["vi"]}"#, "{}"]
    {
        let request = http::Request::post("/breakfix/node").body(wrong.as_bytes().to_vec()).unwrap();
        assert!(client.request::<Value>(request).await.is_err(), "{wrong}");
    }
}

/// A connection without a certificate is nobody's, and then an account's by its token.
#[tokio::test]
async fn without_a_certificate_only_a_token_counts() {
    let (server, admin) = server();
    let namespaces: Api<Namespace> = Api::all(admin.clone());
    namespaces.create(&PostParams::default(), &object(namespace("shop"))).await.unwrap();
    server.host().skip(Duration::from_secs(2));
    let path = "/api/v1/namespaces/shop/serviceaccounts/default/token";
    let request = r#"{"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}"#;
    let token = control(&admin, "POST", path, request).await["status"]["token"].as_str().unwrap().to_owned();
    let nobody = Client::new(server.here_as_nobody(), "shop");
    let said = async |token: Option<&str>| {
        let mut request = http::Request::get("/api/v1/namespaces/shop/secrets");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        nobody.request::<Value>(request.body(Vec::new()).unwrap()).await.unwrap_err().to_string()
    };
    assert!(said(None).await.contains("system:anonymous"));
    assert!(said(Some(&token)).await.contains("system:serviceaccount:shop:default"));
}

#[tokio::test]
async fn the_server_says_that_it_is_a_simulator() {
    let (_server, client) = server();
    let request = http::Request::get("/version").body(kube::client::Body::empty()).unwrap();
    let response = client.send(request).await.unwrap();
    assert!(response.headers()["server"].to_str().unwrap().starts_with("breakfix-sim/"));
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_and_others_are_still_served() {
    let (_server, client) = server();
    let body = vec![b'x'; 4 << 20];
    let request = http::Request::post("/api/v1/namespaces").body(body).unwrap();
    let error = client.request::<Value>(request).await.unwrap_err();
    assert!(error.to_string().contains("too large") || error.to_string().contains("TooLarge"), "{error}");
    assert_eq!(client.apiserver_version().await.unwrap().minor, "36");
}
