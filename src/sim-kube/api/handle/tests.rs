use serde_json::{Value, json};

use super::*;
use crate::api::write::tests::cluster;

/// Sends a request and gives the status and the JSON answered.
fn send(cluster: &mut Cluster, method: &str, target: &str, body: &Value) -> (u16, Value) {
    let reply = reply(cluster, method, target, &[], body);
    let body = reply.body.to_bytes();
    let value = serde_json::from_slice(&body).unwrap_or(Value::String(String::from_utf8(body).unwrap()));
    (reply.status, value)
}

fn request(method: &str, target: &str, headers: &[(&str, &str)], body: &Value) -> ApiRequest {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let query = query.split('&').filter_map(|pair| pair.split_once('='));
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    ApiRequest {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
        headers: headers.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        body,
        user: User::admin(),
    }
}

fn reply(cluster: &mut Cluster, method: &str, target: &str, headers: &[(&str, &str)], body: &Value) -> Reply {
    match handle(cluster, &request(method, target, headers, body)) {
        ApiResponse::Reply(reply) => reply,
        other => panic!("{other:?}"),
    }
}

fn map(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": "b"}})
}

const MAPS: &str = "/api/v1/namespaces/shop/configmaps";

#[test]
fn an_object_is_made_read_changed_and_deleted() {
    let mut cluster = cluster();
    let (status, made) = send(&mut cluster, "POST", MAPS, &map("a"));
    assert_eq!((status, &made["metadata"]["name"]), (201, &json!("a")));
    let path = format!("{MAPS}/a");
    assert_eq!(send(&mut cluster, "GET", &path, &Value::Null), (200, made.clone()));
    let mut changed = made.clone();
    changed["data"]["a"] = json!("c");
    let (status, after) = send(&mut cluster, "PUT", &path, &changed);
    assert_eq!((status, &after["data"]["a"]), (200, &json!("c")));
    let (status, stale) = send(&mut cluster, "PUT", &path, &changed);
    assert_eq!(status, 409);
    assert_eq!(
        stale["message"],
        "Operation cannot be fulfilled on configmaps \"a\": the object has been modified; please apply your changes to the latest \
         version and try again"
    );
    let (status, gone) = send(&mut cluster, "DELETE", &path, &Value::Null);
    assert_eq!((status, &gone["status"], &gone["details"]["uid"]), (200, &json!("Success"), &made["metadata"]["uid"]));
    assert_eq!(send(&mut cluster, "GET", &path, &Value::Null).0, 404);
}

#[test]
fn a_patch_is_one_of_four() {
    let mut cluster = cluster();
    send(&mut cluster, "POST", MAPS, &map("a"));
    let path = format!("{MAPS}/a");
    for (media, body, wanted) in [
        ("application/merge-patch+json", json!({"data": {"b": "1"}}), 200),
        ("application/strategic-merge-patch+json", json!({"data": {"c": "1"}}), 200),
        ("application/json-patch+json", json!([{"op": "add", "path": "/data/d", "value": "1"}]), 200),
        ("application/json-patch+json", json!([{"op": "remove", "path": "/nope"}]), 422),
        ("application/json", json!({}), 415),
    ] {
        let reply = reply(&mut cluster, "PATCH", &path, &[("content-type", media)], &body);
        assert_eq!(reply.status, wanted, "{media} {}", String::from_utf8_lossy(&reply.body.to_bytes()));
    }
    let (_, after) = send(&mut cluster, "GET", &path, &Value::Null);
    assert_eq!(after["data"], json!({"a": "b", "b": "1", "c": "1", "d": "1"}));
}

#[test]
fn lists_come_in_pages() {
    let mut cluster = cluster();
    for name in ["a", "b", "c"] {
        send(&mut cluster, "POST", MAPS, &map(name));
    }
    let (_, first) = send(&mut cluster, "GET", &format!("{MAPS}?limit=2"), &Value::Null);
    assert_eq!((first["items"].as_array().unwrap().len(), &first["metadata"]["remainingItemCount"]), (2, &json!(1)));
    assert!(first["items"][0].get("kind").is_none());
    let next = first["metadata"]["continue"].as_str().unwrap();
    let (_, second) = send(&mut cluster, "GET", &format!("{MAPS}?limit=2&continue={next}"), &Value::Null);
    assert_eq!(second["items"][0]["metadata"]["name"], "c");
    assert!(second["metadata"].get("continue").is_none());
    let (_, table) = {
        let accept = [("accept", "application/json;as=Table;v=v1;g=meta.k8s.io")];
        let reply = reply(&mut cluster, "GET", MAPS, &accept, &Value::Null);
        (reply.status, serde_json::from_slice::<Value>(&reply.body.to_bytes()).unwrap())
    };
    assert_eq!(table["rows"][2]["cells"], json!(["c", 1, "0s"]));
    assert_eq!(table["rows"][2]["object"]["kind"], "PartialObjectMetadata");
}

#[test]
fn a_watch_tells_what_was_and_what_happens() {
    let mut cluster = cluster();
    send(&mut cluster, "POST", MAPS, &map("a"));
    let target = format!(
        "{MAPS}?watch=true&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&fieldSelector=metadata.name=a"
    );
    let ApiResponse::Watch(mut watch) = handle(&mut cluster, &request("GET", &target, &[], &Value::Null)) else {
        panic!("no watch");
    };
    let types = |bytes: &[u8]| -> Vec<String> {
        let lines = std::str::from_utf8(bytes).unwrap().lines();
        lines.map(|line| serde_json::from_str::<Value>(line).unwrap()["type"].as_str().unwrap().to_owned()).collect()
    };
    let first = watch.poll(&cluster);
    assert_eq!(types(&first.bytes), ["ADDED", "BOOKMARK"]);
    assert!(String::from_utf8(first.bytes).unwrap().contains("k8s.io/initial-events-end"));
    send(&mut cluster, "POST", MAPS, &map("b"));
    assert!(watch.poll(&cluster).bytes.is_empty());
    send(&mut cluster, "DELETE", &format!("{MAPS}/a"), &Value::Null);
    assert_eq!(types(&watch.poll(&cluster).bytes), ["DELETED"]);
    let (status, body) = send(&mut cluster, "GET", &format!("{MAPS}?resourceVersion=99999"), &Value::Null);
    assert_eq!((status, &body["reason"]), (504, &json!("Timeout")));
}

#[test]
fn what_is_not_served_is_refused_in_the_apis_words() {
    let mut cluster = cluster();
    assert_eq!(send(&mut cluster, "GET", "/nope", &Value::Null), (404, json!("404 page not found\n")));
    let (status, body) = send(&mut cluster, "GET", "/api/v1/namespaces/shop/nosuchkind", &Value::Null);
    assert_eq!((status, &body["message"]), (404, &json!("the server could not find the requested resource")));
    assert_eq!(send(&mut cluster, "POST", &format!("{MAPS}/a"), &json!({})).0, 405);
    assert_eq!(send(&mut cluster, "POST", "/api/v1/configmaps", &map("a")).0, 405);
    let (status, body) = send(&mut cluster, "POST", &format!("{MAPS}?dryRun=Some"), &map("a"));
    assert_eq!((status, &body["details"]["kind"]), (422, &json!("CreateOptions")));
}
