//! Fixtures: expressions over objects that say so, do not, or have no such field.

use breakfix_lab::Check;
use serde_json::{Value, json};

use super::compile;
use crate::{Judge, fixture::*};

fn of_shop(cel: &str) -> Check {
    check(json!({"field": {"kind": "Deployment", "name": "shop", "cel": cel, "wanted": "it is as it should be"}}))
}

fn every(kind: &str, cel: &str) -> Check {
    check(json!({"field": {"kind": kind, "cel": cel, "wanted": "each is as it should be"}}))
}

#[test]
fn true_is_met_and_false_is_not() {
    assert_met(&shop().judge(&of_shop("object.spec.replicas == 3")));
    let verdict = shop().judge(&of_shop("object.spec.replicas == 4"));
    assert_not_met(&verdict, "it is as it should be: not so of Deployment shop");
    assert_eq!(verdict.evidence().unwrap().look.as_deref(), Some("kubectl -n shop get deployment shop -o yaml"));
}

#[test]
fn whole_numbers_are_ints() {
    assert_met(&shop().judge(&of_shop("object.spec.replicas + 1 == 4 && object.spec.replicas - 5 < 0")));
}

#[test]
fn what_is_absent_is_not_met() {
    for cel in [
        "object.spec.strategy.type == 'Recreate'",
        "object.spec.template.spec.containers[3].image == 'x'",
        "object.metadata.labels['app'] == 'shop'",
        "object.spec.nothing > 3",
    ] {
        assert_not_met(&shop().judge(&of_shop(cel)), "it is as it should be");
    }
}

#[test]
fn another_type_than_expected_is_not_met() {
    for cel in [
        "object.metadata.name > 3",
        "object.spec.replicas.startsWith('3')",
        "quantity(object.metadata) > 3.0",
        "baseline.spec == 3",
    ] {
        assert_not_met(&shop().judge(&of_shop(cel)), "it is as it should be");
    }
}

#[test]
fn the_labs_own_faults_are_unknown() {
    assert_unknown(&shop().judge(&of_shop("object.spec.replicas")), "does not say yes or no");
    assert_unknown(&shop().judge(&of_shop("objekt.spec.replicas == 3")), "objekt");
    assert_unknown(&shop().judge(&of_shop("object.spec ==")), "cannot be read");
    assert_unknown(&shop().judge(&of_shop("frobnicate(object)")), "frobnicate");
}

#[test]
fn lint_sees_the_labs_faults() {
    assert_eq!(compile("object.spec.replicas == 3 && (baseline == null || baseline.spec.replicas == 3)"), Ok(()));
    assert_eq!(compile("object.spec.ports.all(p, p.port > 1) && quantity('1Mi') > 1.0"), Ok(()));
    assert!(compile("object.spec.").unwrap_err().contains("cannot be read"));
    assert!(compile("objekt.spec == 3").unwrap_err().contains("`objekt`"));
    assert!(compile("frobnicate(object)").unwrap_err().contains("`frobnicate`"));
    assert_eq!(of_shop("object.").problems().len(), 1);
}

#[test]
fn deleted_or_never_there_is_not_met() {
    assert_not_met(&World::kubernetes().judge(&of_shop("true")), "there is no Deployment shop");
    assert_not_met(&World::kubernetes().judge(&every("Pod", "true")), "there is no Pod of the lab");
}

#[test]
fn an_api_error_is_unknown() {
    assert_unknown(&shop().failing("Deployment").judge(&of_shop("true")), "etcd is away");
}

#[test]
fn the_baseline_is_the_same_object_earlier_or_null() {
    let kept = of_shop("baseline != null && object.spec.replicas >= baseline.spec.replicas");
    assert_not_met(&shop().judge(&kept), "");
    assert_met(&shop().from("Deployment", [deployment("other", 9), deployment("shop", 2)]).judge(&kept));
    assert_not_met(&shop().from("Deployment", [deployment("shop", 4)]).judge(&kept), "");
}

#[test]
fn every_object_must_say_so() {
    let check = every("Pod", "object.spec.containers.all(c, c.name == 'web')");
    assert_met(&shop().judge(&check));
    let [a, b, c] = shop_pods();
    let other = but(c, json!({"spec": {"containers": [{"name": "sly"}]}}));
    assert_not_met(&shop().with("Pod", [a, b, other]).judge(&check), "not so of Pod shop-a-3");
}

#[test]
fn pods_on_their_way_out_and_probes_are_no_part_of_every() {
    let [a, b, c] = shop_pods();
    let old = json!({"spec": {"containers": [{"name": "old"}]}, "metadata": {"deletionTimestamp": NOW}});
    let world = shop().with("Pod", [a, b, but(c, old), probe("10.0.0.9")]);
    assert_met(&world.judge(&every("Pod", "object.spec.containers[0].name == 'web'")));
}

#[test]
fn labels_choose() {
    let labelled = |name, value: &str| but(deployment(name, 1), json!({"metadata": {"labels": {"tier": value}}}));
    let world = World::kubernetes().with("Deployment", [labelled("a", "front"), labelled("b", "back")]);
    let check = check(json!({"field": {
        "kind": "Deployment", "labels": {"tier": "back"}, "cel": "object.metadata.name == 'b'", "wanted": "b",
    }}));
    assert_met(&world.judge(&check));
}

#[test]
fn quantities_compare_across_spellings() {
    let limited = |memory: Value| {
        let spec = json!({"spec": {"template": {"spec": {"containers": [{"name": "web", "resources": {"limits": {"memory": memory}}}]}}}});
        World::kubernetes().with("Deployment", [but(deployment("shop", 1), spec)])
    };
    let budget = of_shop(
        "object.spec.template.spec.containers.all(c, quantity(c.resources.limits.memory) >= quantity('112Mi') \
         && quantity(c.resources.limits.memory) <= quantity('512Mi'))",
    );
    for fine in [json!("112Mi"), json!("0.5Gi"), json!("500M"), json!(134_217_728)] {
        assert_met(&limited(fine).judge(&budget));
    }
    for wrong in [json!("48Mi"), json!("8Gi"), json!("lots"), Value::Null] {
        assert_not_met(&limited(wrong).judge(&budget), "");
    }
    assert_met(&limited(json!("64Mi")).judge(&of_shop(
        "quantity('64Mi') == quantity(object.spec.template.spec.containers[0].resources.limits.memory)",
    )));
    // Against a bare number too: an int and a double compare by value.
    assert_met(&limited(json!("64Mi")).judge(&of_shop("quantity('64Mi') > 1024")));
}

#[test]
fn a_container_is_found_by_its_name_without_the_slash() {
    let check = check(json!({"field": {
        "kind": "Container", "name": "web", "wanted": "a budget",
        "cel": "object.HostConfig.Memory >= 104857600 && object.HostConfig.Memory <= 536870912",
    }}));
    let world = World::docker();
    assert_met(&world.clone().with("Container", [container("web")]).judge(&check));
    let verdict = world.with("Container", [but(container("web"), json!({"HostConfig": {"Memory": 0}}))]).judge(&check);
    assert_not_met(&verdict, "a budget");
    assert_eq!(verdict.evidence().unwrap().look.as_deref(), Some("docker inspect web"));
}

#[test]
fn what_an_expression_says_does_not_spoil() {
    let secret = but(deployment("shop", 1), json!({"spec": {"template": {"spec": {"password": "swordfish"}}}}));
    let world = World::kubernetes().with("Deployment", [secret]);
    for cel in
        ["object.spec.template.spec > 3", "object.spec.template.spec.password == 'x'", "object.spec.template.spec['x']"]
    {
        assert!(!format!("{:?}", world.judge(&of_shop(cel))).contains("swordfish"), "{cel}");
    }
}

#[test]
fn the_live_pods_of_a_workload() {
    let check = check(json!({"field": {
        "kind": "Pod", "owned_by": {"kind": "Deployment", "name": "shop"},
        "cel": "object.spec.containers.all(c, c.name == 'web')", "wanted": "each runs web",
    }}));
    assert_met(&shop().judge(&check));
    let [a, b, c] = shop_pods();
    let edited = but(b.clone(), json!({"spec": {"containers": [{"name": "other"}]}}));
    assert_not_met(&shop().with("Pod", [a.clone(), edited.clone(), c.clone()]).judge(&check), "Pod shop-a-2");
    let stranger = but(edited, json!({"metadata": {"name": "x", "uid": "x", "ownerReferences": null}}));
    assert_met(&shop().with("Pod", [a, b, c, stranger]).judge(&check));
    assert_not_met(&shop().with("Pod", []).judge(&check), "no Pod of Deployment shop");
}
