//! The target against the simulator in this process: the same requests as on a real cluster, exec included, in no time.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    time::Duration,
};

use breakfix_grade::{Exchange, Fetched, Outcome, Query};
use breakfix_lab::{
    Change, Document,
    check::{Caller, Leg, Request},
    lab::Capability,
};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    Target,
    journal::Undo,
    kubernetes::{
        belongings::tests::{document, place},
        open_local,
    },
};

pub(super) struct Nothing;

impl Undo for Nothing {
    fn note(&self, _note: Value) -> io::Result<()> {
        Ok(())
    }

    fn settled(&self) -> io::Result<()> {
        Ok(())
    }
}

fn with(mut document: Document, body: Value) -> Document {
    for (key, value) in body.as_object().unwrap() {
        document.body[key] = value.clone();
    }
    document
}

/// A page with two pods behind a Service.
pub(super) fn documents() -> Vec<Document> {
    let container = json!({
        "name": "web", "image": "registry.example/shop/web:1.4",
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 2},
    });
    let spec = json!({
        "replicas": 2,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}},
    });
    vec![
        document("Namespace", "shop", None),
        with(document("Deployment", "web", None), json!({"spec": spec})),
        with(
            document("Service", "web", None),
            json!({"spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]}}),
        ),
    ]
}

async fn target() -> Box<dyn Target> {
    let mut place = place(documents());
    let service = documents().into_iter().filter(|it| it.kind == "Service").collect();
    place.files = BTreeMap::from([("controls/service.yaml".to_owned(), service)]);
    open_local(place, 7).await.unwrap()
}

/// Made, and time for its pods to be ready.
pub(super) async fn running() -> Box<dyn Target> {
    let target = target().await;
    target.create(&documents()).await.unwrap();
    target.pass(Duration::from_secs(20)).await.unwrap();
    target
}

fn request(url: &str, each: Option<&str>) -> Request {
    let mut request = json!({"url": url});
    if let Some(name) = each {
        request["each"] = json!({"kind": "Deployment", "name": name});
    }
    serde_json::from_value(request).unwrap()
}

pub(super) fn query(url: &str, each: Option<&str>, times: u32) -> Query {
    let timeout = Duration::from_secs(2);
    Query::Requests { from: Caller::default(), request: request(url, each), times, timeout, control: None }
}

async fn ask(target: &dyn Target, query: Query) -> Fetched {
    let mut observation = target.observe(&BTreeSet::from([query.clone()]), Timestamp::UNIX_EPOCH).await;
    observation.answers.remove(&query).unwrap().unwrap()
}

async fn exchanges(target: &dyn Target, query: Query) -> Vec<Exchange> {
    match ask(target, query).await {
        Fetched::Exchanges(exchanges) => exchanges,
        other => panic!("{other:?}"),
    }
}

async fn names(target: &dyn Target, kind: &str, namespace: &str) -> Vec<String> {
    let query = Query::Objects { kind: kind.to_owned(), namespace: Some(namespace.to_owned()) };
    let Fetched::Objects(objects) = ask(target, query).await else { panic!() };
    objects.iter().map(|object| object["metadata"]["name"].as_str().unwrap().to_owned()).collect()
}

async fn change(target: &dyn Target, change: Value) {
    target.change(&serde_json::from_value::<Change>(change).unwrap(), &Nothing).await.unwrap();
}

#[tokio::test]
async fn a_customer_gets_the_page_from_every_pod() {
    let target = running().await;
    let answers = exchanges(&*target, query("http://web/", None, 6)).await;
    assert_eq!(answers.len(), 6);
    let mut instances = BTreeSet::new();
    for exchange in &answers {
        let Outcome::Answered { status: 200, headers, body } = &exchange.outcome else { panic!("{exchange:?}") };
        assert!(body.contains("web 1.4"), "{body}");
        instances.insert(headers["x-workload-instance"].clone());
    }
    let pods: BTreeSet<String> = names(&*target, "Pod", "shop").await.into_iter().collect();
    assert!(instances.is_subset(&pods), "{instances:?} {pods:?}");
    let answers = exchanges(&*target, query("http://web:8080/", Some("web"), 1)).await;
    let urls: BTreeSet<&str> = answers.iter().map(|exchange| exchange.url.as_str()).collect();
    assert_eq!(urls.len(), 2, "{urls:?}");
    assert!(answers.iter().all(|it| matches!(it.outcome, Outcome::Answered { status: 200, .. })), "{answers:?}");
}

#[tokio::test]
async fn every_way_to_get_no_answer_is_observed() {
    let target = running().await;
    change(
        &*target,
        json!({"patch": {"kind": "Service", "name": "web", "merge": {"spec": {"selector": {"app": "nobody"}}}}}),
    )
    .await;
    target.pass(Duration::from_secs(2)).await.unwrap();
    assert_eq!(exchanges(&*target, query("http://web/", None, 1)).await[0].outcome, Outcome::Refused);
    assert_eq!(exchanges(&*target, query("http://nowhere/", None, 1)).await[0].outcome, Outcome::NameUnknown);
    let answers = exchanges(&*target, query("http://web:8080/", Some("gone"), 1)).await;
    assert_eq!(answers, Vec::new(), "nobody to ask is nobody asked");
}

#[tokio::test]
async fn the_probe_is_made_once_a_check_and_gone_after_it() {
    let target = running().await;
    let own = "breakfix-probe-s1";
    exchanges(&*target, query("http://web/", None, 1)).await;
    let first = names(&*target, "Pod", own).await;
    assert_eq!(first.len(), 1);
    exchanges(&*target, query("http://web/ready", None, 1)).await;
    assert_eq!(names(&*target, "Pod", own).await, first);
    // Somebody replaces it: the next request has another one.
    change(&*target, json!({"delete": {"kind": "Pod", "name": first[0], "namespace": own}})).await;
    exchanges(&*target, query("http://web/", None, 1)).await;
    assert_ne!(names(&*target, "Pod", own).await, first);
    target.rest().await;
    assert_eq!(names(&*target, "Pod", own).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_round_trip_shares_one_nonce() {
    let target = running().await;
    let leg = |url: &str| Leg { from: Caller::default(), request: request(url, None) };
    let query = Query::RoundTrip { write: leg("http://web/?n=${nonce}"), read: leg("http://web/?again=${nonce}") };
    let Fetched::RoundTrip { nonce, write, read } = ask(&*target, query.clone()).await else { panic!() };
    assert!(write.url.ends_with(&nonce) && read.unwrap().url.ends_with(&nonce));
    let Fetched::RoundTrip { nonce: second, .. } = ask(&*target, query).await else { panic!() };
    assert_ne!(nonce, second);
}

#[tokio::test]
async fn what_is_made_anew_is_the_first_of_its_kind() {
    let target = running().await;
    let before = names(&*target, "Pod", "shop").await;
    let deployments: Vec<Document> = documents().into_iter().filter(|it| it.kind == "Deployment").collect();
    target.delete(&deployments).await.unwrap();
    assert_eq!(names(&*target, "Pod", "shop").await, Vec::<String>::new());
    assert_eq!(names(&*target, "ReplicaSet", "shop").await, Vec::<String>::new());
    let events = names(&*target, "Event", "shop").await;
    assert!(!events.iter().any(|name| name.starts_with("web")), "{events:?}");
    target.create(&deployments).await.unwrap();
    target.pass(Duration::from_secs(20)).await.unwrap();
    let after = names(&*target, "Pod", "shop").await;
    assert!(after.len() == 2 && before.iter().all(|name| !after.contains(name)));
}

#[tokio::test]
async fn changes_have_their_effect() {
    let target = running().await;
    let before = names(&*target, "Pod", "shop").await;
    change(&*target, json!({"delete": {"kind": "Pod", "owned_by": {"kind": "Deployment", "name": "web"}, "count": 1}}))
        .await;
    let after = names(&*target, "Pod", "shop").await;
    assert!(!after.contains(&before[0]) && after.contains(&before[1]), "{before:?} {after:?}");
    change(&*target, json!({"scale": {"kind": "Deployment", "name": "web", "replicas": 4}})).await;
    target.pass(Duration::from_secs(20)).await.unwrap();
    assert_eq!(names(&*target, "Pod", "shop").await.len(), 4);
    let before = names(&*target, "ReplicaSet", "shop").await;
    change(&*target, json!({"restart": {"kind": "Deployment", "name": "web"}})).await;
    target.pass(Duration::from_secs(60)).await.unwrap();
    assert_eq!(names(&*target, "ReplicaSet", "shop").await.len(), before.len() + 1);
    change(&*target, json!({"delete": {"kind": "Service", "name": "web"}})).await;
    change(&*target, json!({"apply": "controls/service.yaml"})).await;
    change(&*target, json!({"apply": "controls/service.yaml"})).await;
    target.pass(Duration::from_secs(2)).await.unwrap();
    let answers = exchanges(&*target, query("http://web/", None, 3)).await;
    assert!(answers.iter().all(|it| matches!(it.outcome, Outcome::Answered { status: 200, .. })), "{answers:?}");
    let load = json!({"request": {"request": {"url": "http://web/"}}});
    change(&*target, load).await;
}

#[tokio::test]
async fn clearing_leaves_what_was_there_before() {
    let target = target().await;
    let before = target.inventory().await.unwrap();
    assert!(before.iter().any(|line| line.starts_with("Namespace kube-system")), "{before:?}");
    for _ in 0..2 {
        assert_eq!(target.clashes(&documents()).await.unwrap(), Vec::<String>::new());
        target.create(&documents()).await.unwrap();
        target.pass(Duration::from_secs(20)).await.unwrap();
        exchanges(&*target, query("http://web/", None, 1)).await;
        assert_ne!(target.inventory().await.unwrap(), before);
        target.clear().await.unwrap();
        assert_eq!(target.inventory().await.unwrap(), before);
    }
}

#[tokio::test]
async fn the_baseline_is_what_the_api_returns() {
    let target = running().await;
    let baseline = target.baseline().await.unwrap();
    let deployment = &baseline.objects["Deployment"][0];
    assert_eq!(deployment["apiVersion"], "apps/v1");
    assert!(deployment["metadata"]["uid"].is_string() && deployment["metadata"]["managedFields"].is_array());
    assert!(
        deployment["metadata"]
            .get("annotations")
            .is_none_or(|all| { all.get("kubectl.kubernetes.io/last-applied-configuration").is_none() })
    );
    assert_eq!(baseline.objects["Service"].len(), 1);
    assert!(
        baseline.taken > "2026-01-05T09:00:00Z".parse().unwrap() && baseline.taken < Timestamp::now(),
        "virtual time"
    );
}

#[tokio::test]
async fn the_simulator_says_what_it_can() {
    let able = target().await.capabilities().await.unwrap();
    assert!(able.contains(&Capability::MultiNode), "{able:?}");
    assert!(!able.contains(&Capability::Metrics), "{able:?}");
}

#[tokio::test]
async fn the_same_seed_gives_the_same_names() {
    let (one, two) = (running().await, running().await);
    assert_eq!(names(&*one, "Pod", "shop").await, names(&*two, "Pod", "shop").await);
}
