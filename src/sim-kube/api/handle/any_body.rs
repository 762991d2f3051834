//! Bodies that nobody means to send: whatever stands in one, the answer is the API's own, and the cluster lives on.
//!
//! One place of a good object becomes something else; the object is made, replaced, patched and applied, and time passes, so that
//! controllers, scheduler and nodes see what was let in. `PROPTEST_CASES` sets how many are tried.

use std::{
    sync::{LazyLock, Mutex},
    time::Duration,
};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{Config, bootstrap, kind, serve::tests::kinds::objects};

/// A cluster with its nodes, and the namespace `shop`.
static CLUSTER: LazyLock<Mutex<Cluster>> = LazyLock::new(|| {
    let images = std::collections::BTreeSet::from(["registry.example/web:1".to_owned()]);
    let date = "2026-11-21T12:00:00Z".parse().unwrap();
    let mut cluster = bootstrap(Config { seed: 7, date, workers: 1, images }).unwrap();
    cluster.create(&kind::NAMESPACE, "", json!({"metadata": {"name": "shop"}}), &Actor::system("test")).unwrap();
    cluster.advance(cluster.now() + Duration::from_secs(2));
    Mutex::new(cluster)
});

/// How many bodies are tried.
fn tried() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|count| count.parse().ok()).unwrap_or(48)
}

/// What takes the place of something.
fn odd() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        prop::sample::select(vec![-1, 0, 1, 65_536, i64::from(i32::MAX) + 1, i64::MAX, i64::MIN]).prop_map(Value::from),
        Just(json!(1.5)),
        Just(json!(1e300)),
        prop::sample::select(vec![
            "",
            " ",
            "a",
            "-a",
            "A",
            "a/b",
            "../..",
            "1Gi",
            "-1",
            "1e400",
            "100%",
            "0s",
            "99999999h",
            "\u{0}",
            "é",
            "${x}",
            "2026-13-01T00:00:00Z",
        ])
        .prop_map(Value::from),
        Just(Value::from("x".repeat(70_000))),
        Just(json!([])),
        Just(json!({})),
        Just(json!([null])),
        Just(json!([[], {}, 1, "a"])),
        Just(json!({"": null, "a": {"b": [1]}, "name": 5})),
        Just((0..60).fold(json!(1), |inside, _| json!([inside]))),
    ]
}

/// Every place of an object, as JSON pointers.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    let key = |key: &str| format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            found.push(key(name));
            places(value, &key(name), found);
        }),
        Value::Array(items) => items.iter().enumerate().for_each(|(index, value)| {
            found.push(key(&index.to_string()));
            places(value, &key(&index.to_string()), found);
        }),
        _ => {}
    }
}

fn send(cluster: &mut Cluster, method: &str, path: &str, media: &str, body: Vec<u8>) -> (u16, Value) {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let request = ApiRequest {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.split('&').filter_map(|pair| pair.split_once('=')).map(|(a, b)| (a.into(), b.into())).collect(),
        headers: [("content-type".to_owned(), media.to_owned())].into(),
        body,
        user: User::admin(),
    };
    let ApiResponse::Reply(reply) = handle(cluster, &request) else { panic!("{method} {path} is no stream") };
    let body = reply.body.to_bytes();
    let said = serde_json::from_slice(&body);
    (reply.status, said.unwrap_or_else(|error| panic!("{method} {path}: {error}: {body:?}")))
}

/// The answer is a success or a refusal of the client's doing, and says so in the API's own form.
fn is_an_answer(what: &str, body: &Value, (status, said): &(u16, Value)) {
    let fits = match status {
        200..=202 => said["kind"].is_string(),
        400..=499 => {
            said["kind"] == "Status" && said["code"] == *status && !said["message"].as_str().unwrap_or("").is_empty()
        }
        // A real server says so too of what server-side apply cannot make sense of, and of webhooks without a backend.
        500 => said["message"].as_str().is_some_and(|message| {
            message.contains("webhook") || message.starts_with("failed to create typed patch object")
        }),
        _ => false,
    };
    assert!(fits, "{what}: {status} {said}\nfor {body}");
}

fn collection(object: &Value) -> Option<String> {
    let kind = kind::by_kind(object["apiVersion"].as_str()?, object["kind"].as_str()?)?;
    let group = if kind.group.is_empty() { "/api/v1".to_owned() } else { format!("/apis/{}", kind.api_version()) };
    let namespace = if kind.namespaced { "/namespaces/shop" } else { "" };
    Some(format!("{group}{namespace}/{}", kind.plural))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: tried(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_object_with_something_odd_in_it(which in any::<prop::sample::Index>(), place in any::<prop::sample::Index>(), odd in odd()) {
        let objects = objects();
        let good = which.get(&objects).clone();
        let Some(path) = collection(&good) else { return Ok(()) };
        let mut found = Vec::new();
        places(&good, "", &mut found);
        let at = place.get(&found);
        let mut bad = good.clone();
        *bad.pointer_mut(at).unwrap() = odd;
        let bytes = bad.to_string().into_bytes();
        let name = good["metadata"]["name"].as_str().unwrap();

        let mut cluster = CLUSTER.lock().unwrap().clone();
        let json = "application/json";
        is_an_answer("create", &bad, &send(&mut cluster, "POST", &path, json, bytes.clone()));
        is_an_answer("create strictly", &bad, &send(&mut cluster, "POST", &format!("{path}?dryRun=All&fieldValidation=Strict"), json, bytes.clone()));
        cluster.advance(cluster.now() + Duration::from_secs(4));

        let mut cluster = CLUSTER.lock().unwrap().clone();
        let made = send(&mut cluster, "POST", &path, json, good.to_string().into_bytes());
        prop_assert_eq!(made.0, 201, "{}", made.1);
        let own = format!("{path}/{name}");
        is_an_answer("merge", &bad, &send(&mut cluster, "PATCH", &own, "application/merge-patch+json", bytes.clone()));
        is_an_answer("strategic", &bad, &send(&mut cluster, "PATCH", &own, "application/strategic-merge-patch+json", bytes.clone()));
        let applied = format!("{own}?fieldManager=fuzz&force=true");
        is_an_answer("apply", &bad, &send(&mut cluster, "PATCH", &applied, "application/apply-patch+yaml", bytes.clone()));
        is_an_answer("replace", &bad, &send(&mut cluster, "PUT", &own, json, bytes));
        cluster.advance(cluster.now() + Duration::from_secs(4));
        is_an_answer("read", &bad, &send(&mut cluster, "GET", &path, json, Vec::new()));
        is_an_answer("delete", &bad, &send(&mut cluster, "DELETE", &own, json, Vec::new()));
    }

    #[test]
    fn a_body_that_is_no_object(bytes in prop_oneof![
        prop::collection::vec(any::<u8>(), 0..64),
        "[\\[\\]{}\":,a0-9 \\-]{0,64}".prop_map(String::into_bytes),
    ], media in prop::sample::select(vec!["application/json", "application/yaml", "application/vnd.kubernetes.protobuf", "text/plain", ""])) {
        let mut cluster = CLUSTER.lock().unwrap().clone();
        let shown = Value::from(String::from_utf8_lossy(&bytes).into_owned());
        let answer = send(&mut cluster, "POST", "/api/v1/namespaces/shop/configmaps", media, bytes.clone());
        is_an_answer("create", &shown, &answer);
        let answer = send(&mut cluster, "PATCH", "/api/v1/namespaces/kube-system/configmaps/coredns", "application/json-patch+json", bytes);
        is_an_answer("patch", &shown, &answer);
    }
}
