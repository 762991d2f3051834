use serde_json::json;

use super::{
    entries,
    set::FieldSet,
    track::{Write, changed, created},
    *,
};
use crate::{api::schema, kind::DEPLOYMENT};

const LATER: &str = "2026-01-01T11:00:00Z";

fn write(manager: &str) -> Write<'_> {
    Write { kind: &DEPLOYMENT, manager, subresource: "", now: "2026-01-01T10:00:00Z" }
}

fn read(value: &serde_json::Value) -> serde_json::Value {
    schema::decode(schema::find(DEPLOYMENT.schema).unwrap(), value).unwrap().object
}

fn web() -> serde_json::Value {
    read(&json!({"metadata": {"name": "web", "labels": {"app": "web"}}, "spec": {
        "replicas": 1,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [
            {"name": "a", "image": "a:1", "ports": [{"containerPort": 80, "protocol": "TCP"}]},
        ]}},
    }}))
}

fn fields_of(object: &serde_json::Value, manager: &str) -> serde_json::Value {
    let list = entries::read(object);
    list.iter().find(|entry| entry.manager == manager).map_or(json!(null), |entry| entry.fields.to_json())
}

#[test]
fn a_creator_owns_what_it_set() {
    let mut web = web();
    created(write("kubectl"), &mut web);
    assert_eq!(
        fields_of(&web, "kubectl"),
        json!({
            "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
            "f:spec": {
                "f:replicas": {},
                "f:selector": {},
                "f:template": {
                    "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
                    "f:spec": {"f:containers": {"k:{\"name\":\"a\"}": {
                        ".": {},
                        "f:image": {},
                        "f:name": {},
                        "f:ports": {".": {}, "k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {
                            ".": {},
                            "f:containerPort": {},
                            "f:protocol": {},
                        }},
                        "f:resources": {},
                    }}},
                },
            },
        })
    );
}

#[test]
fn a_change_moves_fields_to_its_maker() {
    let mut old = web();
    created(write("kubectl"), &mut old);
    let mut new = old.clone();
    new["spec"]["replicas"] = json!(3);
    new["metadata"]["labels"] = json!({"tier": "front"});
    changed(Write { now: LATER, ..write("autoscaler") }, &old, &mut new);
    assert_eq!(
        fields_of(&new, "autoscaler"),
        json!({"f:metadata": {"f:labels": {"f:tier": {}}}, "f:spec": {"f:replicas": {}}})
    );
    let kubectl = fields_of(&new, "kubectl");
    assert!(kubectl["f:spec"].get("f:replicas").is_none());
    assert_eq!(kubectl["f:metadata"]["f:labels"], json!({}));
}

#[test]
fn a_set_survives_its_json() {
    let mut web = web();
    created(write("kubectl"), &mut web);
    let json = fields_of(&web, "kubectl");
    assert_eq!(FieldSet::from_json(&json).unwrap().to_json(), json);
    assert_eq!(FieldSet::from_json(&json!({"spec": {}})), None);
}

fn wanted(replicas: i32, image: &str) -> serde_json::Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {
        "replicas": replicas,
        "template": {"spec": {"containers": [{"name": "a", "image": image}]}},
    }})
}

#[test]
fn what_others_hold_is_not_taken_without_force() {
    let mut live = web();
    created(write("kubectl-create"), &mut live);
    let refused = apply::apply(write("me"), &live, &wanted(1, "a:2"), false).unwrap_err();
    assert_eq!(refused.code, 409);
    assert_eq!(
        refused.message,
        "Apply failed with 1 conflict: conflict with \"kubectl-create\" using apps/v1: \
         .spec.template.spec.containers[name=\"a\"].image"
    );
    let two = apply::apply(write("me"), &live, &wanted(2, "a:2"), false).unwrap_err();
    assert_eq!(
        two.message,
        "Apply failed with 2 conflicts: conflicts with \"kubectl-create\" using apps/v1:\n- .spec.replicas\n\
         - .spec.template.spec.containers[name=\"a\"].image"
    );
    let forced = apply::apply(write("me"), &live, &wanted(1, "a:2"), true).unwrap();
    assert_eq!(forced["spec"]["template"]["spec"]["containers"][0]["image"], "a:2");
    assert_eq!(fields_of(&forced, "me")["f:spec"]["f:replicas"], json!({}));
}

#[test]
fn what_a_manager_no_longer_wants_goes() {
    let empty = schema::decode::empty(schema::find(DEPLOYMENT.schema).unwrap());
    let mut first = wanted(1, "a:1");
    first["metadata"]["labels"] = json!({"x": "y", "z": "w"});
    let live = apply::apply(write("me"), &empty, &first, false).unwrap();
    assert_eq!(live["metadata"]["labels"], json!({"x": "y", "z": "w"}));
    let mut second = first.clone();
    second["metadata"]["labels"] = json!({"x": "y"});
    let other =
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "labels": {"z": "w"}}});
    let shared = apply::apply(write("you"), &live, &other, false).unwrap();
    let kept = apply::apply(write("me"), &shared, &second, false).unwrap();
    assert_eq!(kept["metadata"]["labels"], json!({"x": "y", "z": "w"}), "another applier wants it");
    let gone = apply::apply(write("me"), &live, &second, false).unwrap();
    assert_eq!(gone["metadata"]["labels"], json!({"x": "y"}));
}

#[test]
fn an_apply_that_does_not_fit_the_schema_is_refused() {
    let live = web();
    let apply = |wanted: serde_json::Value| apply::apply(write("me"), &live, &wanted, false).unwrap_err().message;
    let mut replica = wanted(1, "a:1");
    replica["spec"]["replica"] = json!(1);
    replica["metadata"]["namespace"] = json!("shop");
    assert_eq!(
        apply(replica),
        "failed to create typed patch object (shop/web; apps/v1, Kind=Deployment): .spec.replica: field not declared in schema"
    );
    let three = json!({"metadata": {"name": "web", "namespace": "shop"}, "spec": {"replicas": "three"}});
    assert_eq!(
        apply(three),
        "failed to create typed patch object (shop/web; apps/v1, Kind=Deployment): .spec.replicas: expected numeric (int or float), got \
         string"
    );
}
