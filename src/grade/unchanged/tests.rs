//! Fixtures: kept, changed, reordered, gone, made anew.

use breakfix_lab::Check;
use serde_json::{Value, json};

use crate::{Judge, fixture::*};

fn images() -> Check {
    unchanged(
        json!({"kinds": ["Deployment"], "fields": ["spec.template.spec.containers[*].image", "spec.template.spec.containers[*].args"]}),
    )
}

fn unchanged(body: Value) -> Check {
    check(json!({"unchanged": body}))
}

fn containers(containers: Value) -> Value {
    but(deployment("shop", 3), json!({"spec": {"template": {"spec": {"containers": containers}}}}))
}

fn two() -> Value {
    json!([{"name": "web", "image": "a", "args": ["serve"]}, {"name": "log", "image": "b"}])
}

fn world(before: Value, now: Value) -> World {
    World::kubernetes().from("Deployment", [before]).with("Deployment", [now])
}

fn env(vars: Value) -> Value {
    but(container("web"), json!({"Config": {"Env": vars}}))
}

fn docker(before: Value, now: Value) -> World {
    World::docker().from("Container", [before]).with("Container", [now])
}

#[test]
fn the_same_is_met_whatever_else_changed() {
    let now = but(deployment("shop", 1), json!({"metadata": {"generation": 9, "labels": {"x": "y"}}}));
    assert_met(&world(deployment("shop", 3), now).judge(&images()));
}

#[test]
fn a_changed_value_is_not_met_and_named() {
    let now = containers(json!([{"name": "web", "image": "registry.example/shop/web:1.3", "args": ["serve"]}]));
    let verdict = world(deployment("shop", 3), now).judge(&images());
    assert_not_met(&verdict, "Deployment shop: spec.template.spec.containers[web].image was changed");
    assert_eq!(
        verdict.evidence().unwrap().found,
        "spec.template.spec.containers[web].image: \"registry.example/shop/web:1.3\""
    );
}

#[test]
fn named_entries_may_change_places() {
    let turned = json!([{"name": "log", "image": "b"}, {"name": "web", "image": "a", "args": ["serve"]}]);
    assert_met(&world(containers(two()), containers(turned)).judge(&images()));
}

#[test]
fn swapped_images_are_not_met() {
    let swapped = json!([{"name": "web", "image": "b", "args": ["serve"]}, {"name": "log", "image": "a"}]);
    assert_not_met(&world(containers(two()), containers(swapped)).judge(&images()), "containers[log].image");
}

#[test]
fn what_is_gone_or_new_is_not_met() {
    let one = json!([{"name": "web", "image": "a", "args": ["serve"]}]);
    assert_not_met(&world(containers(two()), containers(one.clone())).judge(&images()), "absent");
    assert_not_met(
        &world(containers(one.clone()), containers(two())).judge(&images()),
        "containers[log].image was changed",
    );
    let bare = json!([{"name": "web", "image": "a"}]);
    assert_not_met(&world(containers(one), containers(bare)).judge(&images()), "containers[web].args");
}

#[test]
fn null_empty_and_absent_are_the_same() {
    let bare = json!([{"name": "web", "image": "a"}]);
    let empty = json!([{"name": "web", "image": "a", "args": []}]);
    let null = json!([{"name": "web", "image": "a", "args": null}]);
    for (before, now) in [(&bare, &empty), (&empty, &bare), (&bare, &null), (&null, &empty)] {
        assert_met(&world(containers(before.clone()), containers(now.clone())).judge(&images()));
    }
}

#[test]
fn additions_may_be_allowed() {
    let data = |data: Value| json!({"metadata": {"name": "config", "namespace": "shop"}, "data": data});
    let judge = |now: Value, additions: bool| {
        let world =
            World::kubernetes().from("ConfigMap", [data(json!({"shop.yaml": "x"}))]).with("ConfigMap", [data(now)]);
        world.judge(&unchanged(
            json!({"kinds": ["ConfigMap"], "name": "config", "fields": ["data"], "additions": additions}),
        ))
    };
    let more = json!({"shop.yaml": "x", "shop.yml": "y"});
    assert_met(&judge(more.clone(), true));
    assert_not_met(&judge(more, false), "ConfigMap config: data was changed");
    assert_not_met(&judge(json!({"shop.yaml": "y", "shop.yml": "x"}), true), "data was changed");
    assert_not_met(&judge(json!({"shop.yml": "x"}), true), "data was changed");
}

#[test]
fn the_order_of_variables_does_not_count() {
    let check = unchanged(json!({"kinds": ["Container"], "fields": ["Config.Env"], "additions": true}));
    let strict = unchanged(json!({"kinds": ["Container"], "fields": ["Config.Env"]}));
    let before = || env(json!(["PORT=8080", "TITLE=shop"]));
    assert_met(&docker(before(), env(json!(["TITLE=shop", "PORT=8080"]))).judge(&strict));
    assert_met(&docker(before(), env(json!(["TITLE=shop", "PORT=8080", "NEW=1"]))).judge(&check));
    assert_not_met(&docker(before(), env(json!(["TITLE=shop", "PORT=8080", "NEW=1"]))).judge(&strict), "Config.Env");
    assert_not_met(&docker(before(), env(json!(["TITLE=shop", "PORT=80"]))).judge(&check), "Config.Env");
    assert_not_met(&docker(before(), env(json!(["TITLE=shop"]))).judge(&check), "Config.Env");
}

#[test]
fn repeated_names_are_compared_in_their_order() {
    let check = unchanged(json!({"kinds": ["Container"], "fields": ["Config.Env"]}));
    for (before, now) in
        [(["A=1", "A=1"], ["A=1", "A=2"]), (["A=1", "A=1"], ["A=1", "B=2"]), (["A=1", "B=2"], ["A=1", "A=1"])]
    {
        assert_not_met(&docker(env(json!(before)), env(json!(now))).judge(&check), "Config.Env");
    }
}

#[test]
fn exceptions_free_objects_and_fields() {
    let now = containers(json!([{"name": "web", "image": "other", "args": ["serve"]}]));
    let free = |except: Value| {
        unchanged(json!({"kinds": ["Deployment"], "fields": ["spec.template.spec.containers[*]"], "except": [except]}))
    };
    let judge = |except: Value| world(deployment("shop", 3), now.clone()).judge(&free(except));
    assert_met(&judge(
        json!({"kind": "Deployment", "name": "shop", "fields": ["spec.template.spec.containers[web].image"]}),
    ));
    assert_met(&judge(json!({"kind": "Deployment"})));
    assert_not_met(
        &judge(json!({"kind": "Deployment", "name": "shop", "fields": ["spec.template.spec.containers[web].args"]})),
        "containers[web]",
    );
    assert_not_met(&judge(json!({"kind": "Deployment", "name": "other"})), "containers[web]");
    assert_not_met(&judge(json!({"kind": "StatefulSet"})), "containers[web]");
}

#[test]
fn deleted_is_not_met_and_made_anew_is_judged_by_its_fields() {
    assert_not_met(
        &World::kubernetes().from("Deployment", [deployment("shop", 3)]).judge(&images()),
        "Deployment shop is gone",
    );
    let anew = but(deployment("shop", 3), json!({"metadata": {"uid": "another"}}));
    assert_met(&world(deployment("shop", 3), anew).judge(&images()));
}

#[test]
fn what_a_controller_made_is_left_out_unless_named() {
    let set = replica_set("shop");
    let by_kind = unchanged(json!({"kinds": ["ReplicaSet"], "fields": ["spec"]}));
    let world = World::kubernetes().from("ReplicaSet", [set]);
    assert_met(&world.judge(&by_kind));
    let named = unchanged(json!({"kinds": ["ReplicaSet"], "name": "shop-a", "fields": ["spec"]}));
    assert_not_met(&world.judge(&named), "ReplicaSet shop-a is gone");
}

#[test]
fn objects_of_another_namespace_are_left_out() {
    let elsewhere = but(deployment("billing", 1), json!({"metadata": {"namespace": "billing"}}));
    assert_met(&world(elsewhere, deployment("shop", 3)).judge(&images()));
}

#[test]
fn what_cannot_be_compared_is_unknown() {
    assert_unknown(&shop().judge(&images()), "the baseline was not taken for kind Deployment");
    assert_unknown(
        &world(deployment("shop", 3), deployment("shop", 3)).failing("Deployment").judge(&images()),
        "etcd is away",
    );
    let nobody = unchanged(json!({"kinds": ["Deployment"], "name": "nobody", "fields": ["spec"]}));
    assert_unknown(&shop().from("Deployment", []).judge(&nobody), "the baseline holds no Deployment nobody");
}

#[test]
fn nothing_handed_over_is_nothing_changed() {
    assert_met(&shop().from("Deployment", []).judge(&images()));
}

#[test]
fn bad_paths_are_problems() {
    assert!(images().problems().is_empty());
    let bad = unchanged(
        json!({"kinds": ["Deployment"], "fields": ["spec..x"], "except": [{"kind": "Deployment", "fields": ["a["]}]}),
    );
    assert_eq!(bad.problems().len(), 2);
    assert_unknown(&world(deployment("shop", 3), deployment("shop", 3)).judge(&bad), "is not a path");
}
