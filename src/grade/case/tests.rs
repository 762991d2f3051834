//! The house rules of the labs that ship, on systems that nobody touched and on some that somebody did.

use breakfix_lab::{Catalogue, LoadedLab, check::Check};
use serde_json::{Value, json};

use super::*;
use crate::{Fetched, Query, fixture::*};

fn lab(name: &str) -> LoadedLab {
    let catalogue = Catalogue::embedded();
    catalogue.list().find(|it| it.name() == name).unwrap().load().unwrap()
}

fn rule(lab: &LoadedLab, name: &str) -> Check {
    lab.safeguards().iter().find(|it| it.name == name).unwrap_or_else(|| panic!("{name}")).check.clone()
}

/// A Deployment with the rails that the labs' own have.
fn railed() -> Value {
    let container = json!({
        "name": "web", "image": "registry.example/shop/web:1.4", "args": ["serve"],
        "livenessProbe": {"httpGet": {"path": "/healthz"}}, "readinessProbe": {"httpGet": {"path": "/ready"}},
        "resources": {"limits": {"memory": "256Mi"}, "requests": {"memory": "64Mi"}},
    });
    but(deployment("web", 3), json!({"spec": {"template": {"spec": {"containers": [container]}}}}))
}

fn with_container(patch: Value) -> Value {
    let container = but(railed()["spec"]["template"]["spec"]["containers"][0].clone(), patch);
    but(railed(), json!({"spec": {"template": {"spec": {"containers": [container]}}}}))
}

/// The safeguards that a change of the Deployment violates, or leaves unknown.
fn broken_by(now: impl IntoIterator<Item = Value>) -> Vec<String> {
    let lab = lab("image-never-arrives");
    let mut world = World::kubernetes();
    for kind in ["Service", "PersistentVolumeClaim", "ConfigMap", "Secret", "Namespace", "StatefulSet", "DaemonSet"] {
        world = world.from(kind, []);
    }
    let world = world.from("Deployment", [railed()]).with("Deployment", now);
    let broken = |it: &&Safeguard| !world.judge(&it.check).is_met();
    lab.safeguards().iter().filter(broken).map(|it| it.name.clone()).collect()
}

#[test]
fn nobody_touched_anything() {
    assert_eq!(broken_by([railed()]), Vec::<String>::new());
}

#[test]
fn an_honest_fix_breaks_no_house_rule() {
    assert_eq!(broken_by([with_container(json!({"image": "registry.example/shop/web:1.4.1"}))]), Vec::<String>::new());
    let other_values =
        json!({"livenessProbe": {"periodSeconds": 30}, "resources": {"limits": {"memory": "512Mi", "cpu": "1"}}});
    assert_eq!(broken_by([with_container(other_values)]), Vec::<String>::new());
}

#[test]
fn each_house_rule_sees_what_it_is_for() {
    assert_eq!(broken_by([but(railed(), json!({"metadata": {"uid": "anew"}}))]), ["same-objects"]);
    assert_eq!(broken_by([with_container(json!({"args": ["serve", "--fake"]}))]), ["same-program"]);
    assert_eq!(broken_by([with_container(json!({"securityContext": {"privileged": true}}))]), ["no-new-power"]);
    assert_eq!(broken_by([but(railed(), json!({"spec": {"replicas": 0}}))]), ["nothing-hidden"]);
    assert_eq!(broken_by([with_container(json!({"readinessProbe": null}))]), ["rails-stay"]);
    assert_eq!(broken_by([with_container(json!({"resources": {"limits": null}}))]), ["rails-stay"]);
    for surroundings in [
        json!({"hostAliases": [{"ip": "10.0.0.9", "hostnames": ["db"]}]}),
        json!({"dnsConfig": {"searches": ["elsewhere"]}}),
        json!({"volumes": [{"name": "more", "emptyDir": {}}]}),
    ] {
        let now = but(railed(), json!({"spec": {"template": {"spec": surroundings}}}));
        assert_eq!(broken_by([now]), ["same-surroundings"]);
    }
    assert_eq!(
        broken_by([with_container(json!({"ports": [{"name": "x", "containerPort": 9}]}))]),
        ["same-surroundings"]
    );
    let twice = json!({"env": [{"name": "ORDERS", "value": "a"}, {"name": "ORDERS", "value": "b"}]});
    assert_eq!(broken_by([with_container(twice)]), ["same-program"]);
    assert_eq!(broken_by([]), ["same-objects", "same-surroundings", "same-program", "nothing-hidden", "rails-stay"]);
}

#[test]
fn a_service_leads_where_it_led() {
    let check = rule(&lab("image-never-arrives"), "same-doors");
    let service = |spec: Value| json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop", "uid": "s"}, "spec": spec});
    let given = json!({"type": "ClusterIP", "selector": {"app": "web"}, "ports": [{"port": 80}]});
    let world = World::kubernetes().from("Service", [service(given.clone())]);
    let with = |patch: Value| world.clone().with("Service", [service(but(given.clone(), patch))]);
    assert_met(&with(json!({"sessionAffinity": "ClientIP"})).judge(&check));
    // A port's name may be that of an impostor alone.
    assert_not_met(&with(json!({"ports": [{"port": 80, "targetPort": "beside"}]})).judge(&check), "ports");
    assert_not_met(&with(json!({"selector": {"app": "beside"}})).judge(&check), "selector");
    assert_not_met(
        &with(json!({"selector": null, "type": "ExternalName", "externalName": "x.example"})).judge(&check),
        "spec",
    );
}

#[test]
fn a_balancer_leads_where_it_led() {
    let check = rule(&lab("killed-under-load"), "same-doors");
    let forward = |group: &str| json!([{"Type": "forward", "TargetGroupArn": group}]);
    let listener = |actions: Value| json!({"Name": "http", "ListenerArn": "l", "Port": 80, "Protocol": "HTTP", "DefaultActions": actions});
    let service = |balancers: Value| json!({"Name": "web", "serviceName": "web", "loadBalancers": balancers});
    let behind = json!([{"targetGroupArn": "web", "containerName": "web", "containerPort": 8080}]);
    let group = |arn: &str| json!({"Name": arn, "TargetGroupArn": arn});
    let one_of = |actions: Value| json!({"RuleArn": "r", "Actions": actions});
    let world = World::ecs()
        .from("Service", [service(behind.clone())])
        .from("Listener", [listener(forward("web"))])
        .from("TargetGroup", [group("web")])
        .from("Rule", [])
        .with("Service", [service(behind.clone())])
        .with("Listener", [listener(forward("web"))])
        .with("TargetGroup", [group("web")]);
    assert_met(&world.judge(&check));
    assert_met(&world.clone().with("Rule", [one_of(forward("web"))]).judge(&check));
    let fixed = json!([{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}]);
    assert_not_met(&world.clone().with("Listener", [listener(fixed.clone())]).judge(&check), "DefaultActions");
    assert_not_met(&world.clone().with("Rule", [one_of(fixed)]).judge(&check), "handed over");
    let beside = world.clone().with("TargetGroup", [group("web"), group("beside")]);
    assert_not_met(&beside.with("Rule", [one_of(forward("beside"))]).judge(&check), "handed over");
    assert_not_met(&world.with("Service", [service(json!([]))]).judge(&check), "loadBalancers");
}

#[test]
fn docker_rails_stay() {
    let check = rule(&lab("killed-137"), "rails-stay");
    let world = World::docker().from("Container", [container("web")]);
    let with = |patch: Value| world.clone().with("Container", [but(container("web"), json!({"HostConfig": patch}))]);
    assert_met(&with(json!({})).judge(&check));
    assert_met(&with(json!({"Memory": 1_073_741_824})).judge(&check));
    assert_not_met(&with(json!({"Memory": 0})).judge(&check), "memory limit");
}

#[test]
fn a_case_is_the_lab_with_its_house_rules_and_its_namespace() {
    let lab = lab("shop-answers-nobody");
    let case = Case::new(&lab, Arc::new(Baseline::empty(at(NOW))));
    assert_eq!((case.lab.as_str(), case.scope.namespace.as_str()), ("shop-answers-nobody", "shop"));
    assert!(case.safeguards.iter().any(|it| it.name == "no-new-power"));
    assert_eq!(case.objectives.len(), lab.lab.objectives.len());
}

#[test]
fn one_check_can_be_asked_alone() {
    let case = Case::new(&lab("shop-answers-nobody"), Arc::new(Baseline::empty(at(NOW))));
    let check = check(
        json!({"field": {"kind": "Deployment", "name": "shop", "cel": "object.spec.replicas == 3", "wanted": "3"}}),
    );
    let queries = case.queries(&check);
    assert_eq!(queries.len(), 1);
    let answers = queries.into_iter().map(|query: Query| (query, Ok(Fetched::Objects(vec![deployment("shop", 3)]))));
    let observation = Observation { at: at(NOW), answers: answers.collect() };
    assert_met(&case.judge(&check, &observation));
}

#[test]
fn a_run_has_a_word_of_its_own() {
    let lab = breakfix_lab::Catalogue::embedded().find("shop-answers-nobody").unwrap().load().unwrap();
    let mut case = Case::new(&lab, std::sync::Arc::new(Baseline::empty(crate::fixture::at(crate::fixture::NOW))));
    case.objectives[0].check = crate::fixture::check(
        serde_json::json!({"http": {"request": {"url": "http://shop/"}, "body": {"contains": "order ${run}"}}}),
    );
    let filled = case.clone().with_run("w7").unwrap();
    let Check::Http(http) = &filled.objectives[0].check else { panic!() };
    assert_eq!(http.body.as_ref().unwrap().contains.as_deref(), Some("order w7"));
    assert_eq!(filled.objectives[1], case.objectives[1]);
    assert!(case.with_run("\", \"x").is_err());
}
