//! Fixtures: what a Service's slices look like when it is healthy, broken, or made to look healthy.

use serde_json::{Value, json};

use crate::fixture::*;

fn owned() -> breakfix_lab::Check {
    check(json!({"endpoints": {"service": "shop", "owned_by": {"kind": "Deployment", "name": "shop"}, "ready": 3}}))
}

fn healthy() -> World {
    let [a, b, c] = shop_pods();
    shop().with("EndpointSlice", [slice("shop", &[&a, &b, &c])])
}

#[test]
fn healthy_is_met() {
    assert_met(&healthy().judge(&owned()));
}

#[test]
fn no_slice_at_all_is_not_met() {
    assert_not_met(&shop().judge(&owned()), "Service shop has no ready endpoint");
}

#[test]
fn an_empty_slice_is_not_met() {
    assert_not_met(&shop().with("EndpointSlice", [slice("shop", &[])]).judge(&owned()), "no ready endpoint");
}

#[test]
fn slices_of_another_service_do_not_count() {
    let [a, b, c] = shop_pods();
    assert_not_met(
        &shop().with("EndpointSlice", [slice("shop-admin", &[&a, &b, &c])]).judge(&owned()),
        "no ready endpoint",
    );
}

#[test]
fn all_slices_count_together() {
    let [a, b, c] = shop_pods();
    let world = shop().with("EndpointSlice", [slice("shop", &[&a, &b]), slice("shop", &[&c])]);
    assert_met(&world.judge(&owned()));
}

#[test]
fn an_impostor_is_not_met() {
    let [a, b, c] = shop_pods();
    let impostor = but(pod("impostor", "10.0.0.9", "x", "x"), json!({"metadata": {"ownerReferences": null}}));
    let world = shop().with("EndpointSlice", [slice("shop", &[&a, &b, &c, &impostor])]);
    assert_not_met(&world.judge(&owned()), "endpoint impostor of Service shop is not a Ready pod of Deployment shop");
}

#[test]
fn the_pods_of_another_workload_are_not_met() {
    let other = pod("admin-a-1", "10.0.0.8", "ReplicaSet", "shop-admin-a");
    let world = shop()
        .with("Pod", shop_pods().into_iter().chain([other.clone()]))
        .with("ReplicaSet", [replica_set("shop"), replica_set("shop-admin")])
        .with("EndpointSlice", [slice("shop", &[&other])]);
    assert_not_met(&world.judge(&owned()), "endpoint admin-a-1");
}

#[test]
fn a_ready_pod_that_is_missing_is_not_met() {
    let [a, b, _] = shop_pods();
    let world = shop().with("EndpointSlice", [slice("shop", &[&a, &b])]);
    assert_not_met(&world.judge(&owned()), "Ready pod shop-a-3 is not an endpoint");
}

#[test]
fn a_hand_written_slice_with_a_stale_address_is_not_met() {
    let [a, b, c] = shop_pods();
    let stale = but(c, json!({"status": {"podIP": "10.0.0.77"}}));
    let world = shop().with("EndpointSlice", [slice("shop", &[&a, &b, &stale])]);
    assert_not_met(&world.judge(&owned()), "another address");
}

#[test]
fn a_slice_that_names_nobody_is_not_met() {
    let [a, ..] = shop_pods();
    let mut nameless = slice("shop", &[&a]);
    nameless["endpoints"][0].as_object_mut().unwrap().remove("targetRef");
    assert_not_met(&shop().with("EndpointSlice", [nameless]).judge(&owned()), "10.0.0.1");
}

#[test]
fn endpoints_without_a_port_are_not_met() {
    let [a, b, c] = shop_pods();
    for ports in [json!([]), Value::Null] {
        let mut portless = slice("shop", &[&a, &b, &c]);
        portless["ports"] = ports;
        assert_not_met(&shop().with("EndpointSlice", [portless]).judge(&owned()), "no port on which to reach them");
    }
}

#[test]
fn an_endpoint_that_is_not_ready_does_not_count_and_one_that_does_not_say_does() {
    let [a, b, c] = shop_pods();
    let mut unready = slice("shop", &[&a, &b, &c]);
    unready["endpoints"][2]["conditions"]["ready"] = json!(false);
    assert_not_met(&shop().with("EndpointSlice", [unready.clone()]).judge(&owned()), "shop-a-3");
    unready["endpoints"][2]["conditions"] = json!({});
    assert_met(&shop().with("EndpointSlice", [unready]).judge(&owned()));
}

#[test]
fn an_unready_pod_published_all_the_same_is_not_met() {
    let [a, b, c] = shop_pods();
    let unready = but(c.clone(), json!({"status": {"conditions": [{"type": "Ready", "status": "False"}]}}));
    let world =
        shop().with("Pod", [a.clone(), b.clone(), unready]).with("EndpointSlice", [slice("shop", &[&a, &b, &c])]);
    assert_not_met(&world.judge(&owned()), "endpoint shop-a-3 of Service shop is not a Ready pod");
}

#[test]
fn a_pod_that_is_being_deleted_is_not_counted_as_ready() {
    let [a, b, c] = shop_pods();
    let going = but(c.clone(), json!({"metadata": {"deletionTimestamp": NOW}}));
    let stale =
        shop().with("Pod", [a.clone(), b.clone(), going.clone()]).with("EndpointSlice", [slice("shop", &[&a, &b, &c])]);
    assert_not_met(&stale.judge(&owned()), "shop-a-3");
    let replaced = pod("shop-a-4", "10.0.0.4", "ReplicaSet", "shop-a");
    let world = shop()
        .with("Pod", [a.clone(), b.clone(), going, replaced.clone()])
        .with("EndpointSlice", [slice("shop", &[&a, &b, &replaced])]);
    assert_met(&world.judge(&owned()));
}

#[test]
fn our_probe_is_left_out_even_where_unready_pods_are_published() {
    let [a, b, c] = shop_pods();
    let probe = probe("10.0.0.50");
    let world = shop()
        .with("Pod", [a.clone(), b.clone(), c.clone(), probe.clone()])
        .with("EndpointSlice", [slice("shop", &[&a, &b, &c, &probe])]);
    assert_met(&world.judge(&owned()));
}

#[test]
fn a_pod_that_merely_bears_the_probes_label_is_not_left_out() {
    let [a, b, c] = shop_pods();
    let impostor =
        but(pod("sly", "10.0.0.51", "x", "x"), json!({"metadata": {"labels": {"breakfix.dev/role": "probe"}}}));
    let world = shop()
        .with("Pod", [a.clone(), b.clone(), c.clone(), impostor.clone()])
        .with("EndpointSlice", [slice("shop", &[&a, &b, &c, &impostor])]);
    assert_not_met(&world.judge(&owned()), "sly");
}

#[test]
fn the_owner_that_was_deleted_or_made_anew_owns_nothing() {
    let [a, b, c] = shop_pods();
    let world = healthy().with("Deployment", []);
    assert_not_met(&world.judge(&owned()), "Deployment shop does not exist");
    let anew = but(deployment("shop", 3), json!({"metadata": {"uid": "another"}}));
    let world = shop().with("Deployment", [anew]).with("EndpointSlice", [slice("shop", &[&a, &b, &c])]);
    assert_not_met(&world.judge(&owned()), "is not a Ready pod of Deployment shop");
}

#[test]
fn a_stateful_set_owns_its_pods_directly() {
    let db = pod("db-0", "10.0.0.20", "StatefulSet", "db");
    let set = json!({"metadata": {"name": "db", "namespace": "shop", "uid": "uid-db"}});
    let world = World::kubernetes()
        .with("StatefulSet", [set])
        .with("Pod", [db.clone()])
        .with("EndpointSlice", [slice("db", &[&db])]);
    let wanted = check(json!({"endpoints": {"service": "db", "owned_by": {"kind": "StatefulSet", "name": "db"}}}));
    assert_met(&world.judge(&wanted));
}

#[test]
fn numbers_are_those_of_pods_not_of_addresses() {
    let [a, b, c] = shop_pods();
    let six = but(a.clone(), json!({"status": {"podIPs": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}]}}));
    let mut v6 = slice("shop", &[&a]);
    v6["endpoints"][0]["addresses"] = json!(["fd00::1"]);
    let world =
        shop().with("Pod", [six, b.clone(), c.clone()]).with("EndpointSlice", [slice("shop", &[&a, &b, &c]), v6]);
    assert_met(&world.judge(&owned()));
}

#[test]
fn at_least_counts_anybody() {
    let [a, b, _] = shop_pods();
    let three = check(json!({"endpoints": {"service": "shop", "at_least": 3}}));
    assert_not_met(&shop().with("EndpointSlice", [slice("shop", &[&a, &b])]).judge(&three), "has 2 ready endpoints");
    assert_met(&healthy().judge(&three));
}

#[test]
fn a_wrong_number_is_not_met_and_none_may_be_asked_for() {
    let four = check(json!({"endpoints": {"service": "shop", "ready": 4}}));
    assert_not_met(&healthy().judge(&four), "has 3 ready endpoints");
    let none = check(json!({"endpoints": {"service": "shop", "ready": 0}}));
    assert_met(&shop().judge(&none));
    assert_not_met(&healthy().judge(&none), "has 3 ready endpoints");
}

#[test]
fn never_is_met_by_nobody_and_broken_by_one() {
    let never = check(json!({"endpoints": {"service": "shop", "never": {"kind": "Deployment", "name": "shop"}}}));
    assert_met(&shop().judge(&never));
    assert_not_met(&healthy().judge(&never), "pod shop-a-1 of Deployment shop gets the traffic");
}

#[test]
fn never_sees_through_a_slice_that_names_nobody() {
    let [a, ..] = shop_pods();
    let mut nameless = slice("shop", &[&a]);
    nameless["endpoints"][0].as_object_mut().unwrap().remove("targetRef");
    let never = check(json!({"endpoints": {"service": "shop", "never": {"kind": "Deployment", "name": "shop"}}}));
    assert_not_met(&shop().with("EndpointSlice", [nameless]).judge(&never), "shop-a-1");
}

#[test]
fn an_api_error_is_unknown() {
    for kind in ["EndpointSlice", "Pod", "ReplicaSet", "Deployment"] {
        assert_unknown(&healthy().failing(kind).judge(&owned()), "etcd is away (try again)");
    }
}

#[test]
fn owner_references_in_a_ring_end() {
    let mut ring = replica_set("shop");
    ring["metadata"]["ownerReferences"][0]["uid"] = json!("uid-shop-a");
    let [a, ..] = shop_pods();
    let world = shop().with("ReplicaSet", [ring]).with("EndpointSlice", [slice("shop", &[&a])]);
    assert_not_met(&world.judge(&owned()), "shop-a-1");
}

#[test]
fn evidence_shows_the_numbers_and_where_to_look() {
    let verdict = shop().judge(&owned());
    let evidence = verdict.evidence().unwrap();
    assert_eq!(
        evidence.wanted,
        "behind Service shop: exactly 3 ready endpoints, the Ready pods of Deployment shop and nobody else"
    );
    assert_eq!(evidence.found, "no ready endpoint behind Service shop");
    assert_eq!(evidence.look.as_deref(), Some("kubectl -n shop get endpointslices -l kubernetes.io/service-name=shop"));
}
