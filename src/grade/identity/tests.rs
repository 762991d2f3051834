//! Fixtures: the same, made anew, gone.

use breakfix_lab::Check;
use serde_json::{Value, json};

use crate::fixture::*;

fn identity(body: Value) -> Check {
    check(json!({"identity": body}))
}

fn same() -> Check {
    identity(json!({"kinds": ["Deployment"]}))
}

fn handed_over() -> World {
    World::kubernetes().from("Deployment", [deployment("shop", 3)])
}

#[test]
fn the_same_uid_is_met_whatever_else_changed() {
    assert_met(&handed_over().with("Deployment", [deployment("shop", 1), deployment("new", 1)]).judge(&same()));
}

#[test]
fn made_anew_is_not_met() {
    let anew = but(deployment("shop", 3), json!({"metadata": {"uid": "another"}}));
    assert_not_met(
        &handed_over().with("Deployment", [anew]).judge(&same()),
        "Deployment shop was deleted and made anew",
    );
}

#[test]
fn gone_and_going_are_not_met() {
    assert_not_met(&handed_over().judge(&same()), "Deployment shop is gone");
    let going = but(deployment("shop", 3), json!({"metadata": {"deletionTimestamp": NOW}}));
    assert_not_met(&handed_over().with("Deployment", [going.clone()]).judge(&same()), "is being deleted");
    // It was handed over so.
    assert_met(&World::kubernetes().from("Deployment", [going.clone()]).with("Deployment", [going]).judge(&same()));
}

#[test]
fn a_name_or_an_exception_narrows_it() {
    let world = World::kubernetes()
        .from("Deployment", [deployment("shop", 3), deployment("lost", 1)])
        .with("Deployment", [deployment("shop", 3)]);
    assert_not_met(&world.judge(&same()), "Deployment lost is gone");
    assert_met(&world.judge(&identity(json!({"kinds": ["Deployment"], "name": "shop"}))));
    assert_met(
        &world.judge(&identity(json!({"kinds": ["Deployment"], "except": [{"kind": "Deployment", "name": "lost"}]}))),
    );
    // An exception for fields does not free the object.
    let fields =
        json!({"kinds": ["Deployment"], "except": [{"kind": "Deployment", "name": "lost", "fields": ["spec"]}]});
    assert_not_met(&world.judge(&identity(fields)), "Deployment lost is gone");
}

#[test]
fn what_a_controller_made_comes_and_goes() {
    let world = World::kubernetes().from("Pod", shop_pods());
    assert_met(&world.judge(&identity(json!({"kinds": ["Pod"]}))));
}

#[test]
fn docker_knows_networks_by_id_and_volumes_by_their_mark() {
    let network = |id: &str| json!({"Name": "shop", "Id": id});
    let volume = |mark: Option<&str>, at: &str| json!({"Name": "db-data", "CreatedAt": at, "Labels": {"breakfix.dev/volume": mark}, "Mountpoint": "/var/lib/docker/volumes/db-data/_data"});
    let check = identity(json!({"kinds": ["Volume", "Network"]}));
    let world =
        World::docker().from("Network", [network("n1")]).from("Volume", [volume(Some("v1"), "2026-11-21T11:00:00Z")]);
    let judge =
        |id: &str, volume: Value| world.clone().with("Network", [network(id)]).with("Volume", [volume]).judge(&check);
    assert_met(&judge("n1", volume(Some("v1"), "2026-11-21T11:00:00Z")));
    // Somebody gave its folder another owner.
    assert_met(&judge("n1", volume(Some("v1"), "2026-11-21T11:59:00Z")));
    assert_not_met(&judge("n2", volume(Some("v1"), "2026-11-21T11:00:00Z")), "Network shop was deleted and made anew");
    let anew = "Volume db-data was deleted and made anew";
    assert_not_met(&judge("n1", volume(Some("v2"), "2026-11-21T11:00:00Z")), anew);
    assert_not_met(&judge("n1", volume(None, "2026-11-21T11:00:00Z")), anew);
    assert_not_met(&judge("n1", json!({"Name": "db-data", "Labels": null})), anew);
    let elsewhere = but(volume(Some("v1"), "2026-11-21T11:00:00Z"), json!({"Mountpoint": "/mnt"}));
    assert_not_met(&judge("n1", elsewhere), "Volume db-data has its data somewhere else");
}

#[test]
fn a_container_may_be_made_anew_from_the_same_image() {
    let check = identity(json!({"kinds": ["Container"]}));
    let world = World::docker().from("Container", [container("web")]);
    let anew = but(container("web"), json!({"Id": "another"}));
    assert_met(&world.clone().with("Container", [anew]).judge(&check));
    let other = but(container("web"), json!({"Image": "sha256:13"}));
    assert_not_met(&world.clone().with("Container", [other]).judge(&check), "Container web runs another image");
    assert_not_met(&world.judge(&check), "Container web is gone");
}

#[test]
fn what_cannot_be_compared_is_unknown() {
    assert_unknown(&shop().judge(&same()), "the baseline was not taken for kind Deployment");
    assert_unknown(&handed_over().failing("Deployment").judge(&same()), "etcd is away");
    assert_unknown(
        &shop().from("Deployment", []).judge(&identity(json!({"kinds": ["Deployment"], "name": "shop"}))),
        "holds no Deployment shop",
    );
    let nameless = but(deployment("shop", 3), json!({"metadata": {"uid": null}}));
    assert_unknown(
        &World::kubernetes().from("Deployment", [nameless.clone()]).with("Deployment", [nameless]).judge(&same()),
        "metadata.uid",
    );
}

#[test]
fn a_moment_of_creation_moves_with_all_dates_and_no_other_way() {
    let service = |created: f64| json!({"Name": "web", "status": "ACTIVE", "createdAt": created});
    let same = identity(json!({"kinds": ["Service"]}));
    let world = |now: f64, moved: i64| {
        let mut world = World::ecs().from("Service", [service(1000.25)]).with("Service", [service(now)]);
        let seconds = jiff::SignedDuration::from_secs;
        world.moved = crate::Moved { by: seconds(moved), meanwhile: seconds(0) };
        world
    };
    assert_met(&world(1000.25, 0).judge(&same));
    assert_met(&world(880.25, 120).judge(&same));
    assert_not_met(&world(1010.0, 0).judge(&same), "made anew");
    // Made anew 20 s after the lab was opened, before a check skipped two minutes.
    assert_not_met(&world(900.25, 120).judge(&same), "made anew");
}
