//! Whatever goes wrong between us and the API is a failure with the API's words, never an observation.

use std::collections::{BTreeMap, BTreeSet};

use breakfix_grade::{Failure, Fetched, Query};
use breakfix_lab::check::{Caller, Request};

use super::fake::{Fake, Reply};
use crate::{Target, target::Cause};

fn objects(kind: &str) -> Query {
    Query::Objects { kind: kind.to_owned(), namespace: Some("shop".to_owned()) }
}

fn request() -> Query {
    let request = Request {
        url: "http://shop/".to_owned(),
        method: Default::default(),
        headers: BTreeMap::new(),
        body: None,
        each: None,
    };
    Query::Requests {
        from: Caller::default(),
        request,
        times: 1,
        timeout: std::time::Duration::from_secs(1),
        control: None,
    }
}

async fn observed(fake: &Fake, query: Query) -> Result<Fetched, Failure> {
    let target = fake.bare_target();
    let mut observation =
        target.observe(&BTreeSet::from([query.clone()]), "2026-01-05T09:00:00Z".parse().unwrap()).await;
    observation.answers.remove(&query).unwrap()
}

#[tokio::test]
async fn every_kind_of_trouble_is_a_failure_in_its_own_words() {
    let cases = [
        (Reply::Silence, "did not answer within", Some("Try again")),
        (
            Reply::status(403, "Forbidden", "pods is forbidden: User \"me\" cannot list"),
            "pods is forbidden",
            Some("may"),
        ),
        (Reply::status(500, "InternalError", "etcdserver: no leader"), "etcdserver: no leader", Some("of its own")),
        (Reply::status(401, "Unauthorized", "Unauthorized"), "Unauthorized", Some("log in")),
        (Reply::Text(200, "<html>please log in</html>".to_owned()), "please log in", Some("proxy")),
        (Reply::Text(200, "{}".to_owned()), "a list of pods was asked for", Some("proxy")),
        (Reply::Text(200, String::new()), "not one of a Kubernetes API", Some("proxy")),
        (Reply::Text(404, "<h1>nginx</h1>".to_owned()), "nginx", Some("proxy")),
        (Reply::Text(503, "no backend".to_owned()), "cannot be reached", Some("Is the fake up?")),
    ];
    for (reply, words, hint) in cases {
        let fake = Fake::new();
        fake.rule("/pods", reply);
        let failure = observed(&fake, objects("Pod")).await.unwrap_err();
        assert_eq!(failure.what, "list Pod in shop");
        assert!(failure.why.contains(words), "{failure:?}");
        assert!(hint.is_none_or(|hint| failure.hint.as_deref().is_some_and(|said| said.contains(hint))), "{failure:?}");
    }
}

#[tokio::test]
async fn an_empty_list_and_a_kind_nobody_serves_are_observations() {
    let fake = Fake::new();
    assert_eq!(observed(&fake, objects("Pod")).await, Ok(Fetched::Objects(Vec::new())));
    fake.rule("/networkpolicies", Reply::Text(404, "404 page not found\n".to_owned()));
    assert_eq!(observed(&fake, objects("NetworkPolicy")).await, Ok(Fetched::Objects(Vec::new())));
}

#[tokio::test]
async fn a_kind_that_is_not_built_in_is_looked_for() {
    let fake = Fake::new();
    let groups = r#"{"kind":"APIGroupList","groups":[{"name":"example.dev","preferredVersion":{"groupVersion":"example.dev/v1"}}]}"#;
    let core = r#"{"kind":"APIResourceList","resources":[]}"#;
    let example = r#"{"kind":"APIResourceList","resources":[{"name":"widgets","kind":"Widget","namespaced":true}]}"#;
    fake.rule("GET /apis", Reply::Text(200, groups.to_owned()));
    fake.rule("GET /api/v1", Reply::Text(200, core.to_owned()));
    fake.rule("GET /apis/example.dev/v1", Reply::Text(200, example.to_owned()));
    fake.rule("/widgets", Reply::Text(200, r#"{"kind":"WidgetList","items":[{"metadata":{"name":"w"}}]}"#.to_owned()));
    let Ok(Fetched::Objects(found)) = observed(&fake, objects("Widget")).await else { panic!() };
    assert_eq!(found[0]["kind"], "Widget");
    assert_eq!(observed(&fake, objects("Gadget")).await, Ok(Fetched::Objects(Vec::new())));
    fake.rule("GET /apis/example.dev/v1", Reply::status(500, "InternalError", "boom"));
    assert!(
        observed(&fake, objects("Gadget")).await.unwrap_err().why.contains("boom"),
        "nobody knows what it would have served"
    );
}

#[tokio::test]
async fn equal_lists_are_fetched_once_and_the_time_is_the_servers() {
    let fake = Fake::new();
    let node = |namespace: &str| Query::Objects { kind: "Node".to_owned(), namespace: Some(namespace.to_owned()) };
    let queries = BTreeSet::from([objects("Pod"), node("a"), node("b")]);
    let observation = fake.bare_target().observe(&queries, "2026-01-05T09:00:00Z".parse().unwrap()).await;
    assert_eq!(observation.answers.len(), 3);
    assert_eq!(observation.at, "2026-01-05T09:00:10Z".parse().unwrap());
    assert_eq!(fake.0.lock().unwrap().log.len(), 2, "{:?}", fake.0.lock().unwrap().log);
}

#[tokio::test]
async fn a_probe_that_cannot_be_had_is_a_failure_and_leaves_nothing() {
    let pods = "POST /api/v1/namespaces/breakfix-probe-s1/pods";
    let fake = Fake::new();
    fake.rule(pods, Reply::status(403, "Forbidden", "exceeded quota: pods"));
    let failure = observed(&fake, request()).await.unwrap_err();
    assert!(failure.why.contains("exceeded quota") && failure.what.contains("start a probe"), "{failure:?}");

    // It never gets beyond Pending.
    let fake = Fake::new();
    let failure = observed(&fake, request()).await.unwrap_err();
    assert!(failure.why.contains("does not run after 30 s: Pending"), "{failure:?}");
    assert!(fake.0.lock().unwrap().passed.as_secs() >= 29);
    let left: Vec<String> =
        fake.0.lock().unwrap().objects.keys().filter(|path| path.contains("/pods/")).cloned().collect();
    assert_eq!(left, Vec::<String>::new());

    // The other queries are answered all the same.
    let target = fake.bare_target();
    let queries = BTreeSet::from([request(), objects("Pod")]);
    let observation = target.observe(&queries, "2026-01-05T09:00:00Z".parse().unwrap()).await;
    assert!(observation.answers[&request()].is_err() && observation.answers[&objects("Pod")].is_ok());
}

#[tokio::test]
async fn a_namespace_of_our_name_that_is_not_ours_is_not_used() {
    let fake = Fake::new();
    fake.put(
        "/api/v1/namespaces/breakfix-probe-s1",
        serde_json::json!({"metadata": {"labels": {"breakfix.dev/session": "s2"}}}),
    );
    let failure = observed(&fake, request()).await.unwrap_err();
    assert!(failure.why.contains("not this session's"), "{failure:?}");
    assert_eq!(fake.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn trouble_of_other_verbs_keeps_its_cause() {
    let cases = [
        (Reply::Silence, Cause::Slow),
        (Reply::status(403, "Forbidden", "no"), Cause::Answered),
        (Reply::Text(502, "bad gateway".to_owned()), Cause::Unreachable),
    ];
    for (reply, cause) in cases {
        let fake = Fake::new();
        fake.rule("/deployments", reply.clone());
        assert_eq!(fake.bare_target().baseline().await.unwrap_err().cause, cause, "{reply:?}");
        let fake = Fake::new();
        fake.rule("GET /api/v1/namespaces", reply.clone());
        if cause != Cause::Answered {
            assert_eq!(fake.bare_target().clear().await.unwrap_err().cause, cause, "{reply:?}");
            assert_eq!(fake.bare_target().inventory().await.unwrap_err().cause, cause, "{reply:?}");
        }
        let fake = Fake::new();
        fake.rule("GET /api/v1/nodes", reply.clone());
        assert_eq!(fake.bare_target().capabilities().await.is_err(), cause != Cause::Answered, "{reply:?}");
    }
}
