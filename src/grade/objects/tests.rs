//! Fixtures: an agent on every worker, or not.

use breakfix_lab::Check;
use serde_json::{Value, json};

use crate::{Judge, fixture::*};

fn wanted() -> Check {
    check(json!({"objects": {
        "lists": {
            "workers": {"kind": "Node", "labels": {"role": "worker"}},
            "agents": {"kind": "Pod", "owned_by": {"kind": "Deployment", "name": "shop"}},
        },
        "cel": "size(workers) > 0 && workers.all(w, agents.exists(a, a.spec.nodeName == w.metadata.name))",
        "wanted": "an agent on every worker",
    }}))
}

fn node(name: &str, role: &str) -> Value {
    json!({"metadata": {"name": name, "labels": {"role": role}}})
}

fn world(nodes: [&str; 3]) -> World {
    let pods = shop_pods().into_iter().zip(nodes).map(|(pod, node)| but(pod, json!({"spec": {"nodeName": node}})));
    shop().with("Pod", pods).with("Node", [node("a", "worker"), node("b", "worker"), node("c", "control-plane")])
}

#[test]
fn healthy_and_broken() {
    let verdict = world(["a", "b", "b"]).judge(&wanted());
    assert_met(&verdict);
    assert_eq!(verdict.evidence().unwrap().found, "so of 3 agents, 2 workers");
    assert_not_met(&world(["a", "a", "c"]).judge(&wanted()), "an agent on every worker");
}

#[test]
fn bypassed_by_a_pod_of_nobody() {
    let stranger = but(pod("stranger", "10.0.0.9", "ReplicaSet", "other"), json!({"spec": {"nodeName": "b"}}));
    let [a, ..] = shop_pods();
    let world = world(["a", "a", "a"]).with("Pod", [but(a, json!({"spec": {"nodeName": "a"}})), stranger]);
    assert_not_met(&world.judge(&wanted()), "1 agents");
}

#[test]
fn empty_lists_are_lists_and_absent_fields_are_no_errors() {
    assert_not_met(&shop().judge(&wanted()), "0 workers");
    let absent = world(["a", "b", "b"]).with("Pod", shop_pods());
    assert_not_met(&absent.judge(&wanted()), "nodeName is absent");
}

#[test]
fn what_was_handed_over_has_the_same_names() {
    let check = check(json!({"objects": {
        "lists": {"maps": {"kind": "ConfigMap"}},
        "cel": "baseline.maps.all(b, maps.exists(m, m.metadata.name == b.metadata.name && m.data == b.data))",
        "wanted": "every ConfigMap as it was",
    }}));
    let map = |text: &str| json!({"metadata": {"name": "ledger", "namespace": "shop"}, "data": {"a": text}});
    let world = |now: &str| World::kubernetes().from("ConfigMap", [map("1")]).with("ConfigMap", [map(now)]);
    assert_met(&world("1").judge(&check));
    assert_not_met(&world("2").judge(&check), "every ConfigMap as it was");
}

#[test]
fn mistakes_of_the_lab_are_told_and_unknown() {
    let check = |cel: &str| check(json!({"objects": {"lists": {"pods": {"kind": "Pod"}}, "cel": cel, "wanted": "w"}}));
    assert_eq!(check("size(pods) > 0").problems(), Vec::<String>::new());
    assert!(check("size(pod) > 0").problems()[0].contains("`pod`"));
    assert_unknown(&shop().judge(&check("size(pods)")), "does not say yes or no");
}

#[test]
fn an_api_error_is_unknown() {
    assert_unknown(&world(["a", "b", "b"]).failing("Node").judge(&wanted()), "etcd is away");
}

#[test]
fn what_the_folder_declares_stands_beside_what_is_there() {
    let check = check(json!({"objects": {
        "lists": {"declared": {"kind": "ConfigMap", "declared": true}, "live": {"kind": "ConfigMap"}},
        "cel": "declared.exists(d, live.exists(l, l.metadata.name == d.metadata.name && l.data == d.data))",
        "wanted": "what is declared is what is there",
    }}));
    let map = |text: &str| json!({"metadata": {"name": "page", "namespace": "shop"}, "data": {"a": text}});
    let query = || crate::Query::Declared { kind: "ConfigMap".into(), namespace: "shop".into() };
    let world = |declared: Vec<Value>| {
        World::kubernetes().with("ConfigMap", [map("1")]).answering(query(), crate::Fetched::Objects(declared))
    };
    assert_met(&world(vec![map("1")]).judge(&check));
    assert_not_met(&world(vec![map("2")]).judge(&check), "what is declared");
    assert_not_met(&world(Vec::new()).judge(&check), "0 declared");
    let unread = World::kubernetes().with("ConfigMap", [map("1")]);
    assert!(unread.judge(&check).is_unknown(), "a folder that nobody read says nothing");
}
