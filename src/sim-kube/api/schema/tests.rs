use serde_json::json;

use super::*;

fn pod(value: &serde_json::Value) -> Decoded {
    decode(find("io.k8s.api.core.v1.Pod").unwrap(), value).unwrap()
}

#[test]
fn every_line_of_the_table_is_read() {
    let text = include_str!("../../data/types.txt");
    let lines = text.lines().filter(|line| line.starts_with(' ')).count();
    let read: usize =
        all().map(|found| found.fields.iter().filter(|field| field.number > 0).count() + found.inline.len()).sum();
    assert_eq!(read, lines);
    for found in all() {
        for field in &found.fields {
            let mut shape = &field.shape;
            while let Some(inner) = shape.inner() {
                shape = inner;
            }
            if let Shape::Object(name) = shape {
                assert!(find(name).is_some(), "{} has a field of the unknown type {name}", found.name);
            }
        }
    }
}

#[test]
fn empty_values_go_the_way_of_go() {
    let object = pod(&json!({
        "kind": "Pod",
        "metadata": {"name": "a", "labels": {}, "creationTimestamp": null},
        "spec": {"containers": [{"name": "a", "image": "", "env": [], "tty": false}], "hostNetwork": false, "enableServiceLinks": false},
    }))
    .object;
    assert_eq!(
        object,
        json!({
            "kind": "Pod",
            "metadata": {"name": "a"},
            "spec": {"containers": [{"name": "a", "resources": {}}], "enableServiceLinks": false},
            "status": {},
        })
    );
}

#[test]
fn unknown_fields_are_found_with_their_path() {
    let decoded = pod(&json!({"spec": {"containers": [{"name": "a", "imagePullPolcy": "x"}], "replica": 1}, "x": 1}));
    assert_eq!(decoded.unknown, ["spec.containers[0].imagePullPolcy", "spec.replica", "x"]);
}

#[test]
fn wrong_types_are_refused_in_gos_words() {
    let of = find("io.k8s.api.apps.v1.Deployment").unwrap();
    let fault = |value| decode(of, &value).unwrap_err();
    let replicas = fault(json!({"spec": {"replicas": "three"}}));
    assert_eq!(
        replicas.as_json(),
        "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"
    );
    assert_eq!(replicas.as_converter(), "unrecognized type: int32");
    let env = fault(json!({"spec": {"template": {"spec": {"containers": [{"env": [{"name": "A", "value": 1}]}]}}}}));
    assert_eq!(env.as_converter(), "cannot convert int64 to string");
    let of = find("io.k8s.api.core.v1.ConfigMap").unwrap();
    assert_eq!(
        decode(of, &json!({"data": {"a": 1}})).unwrap_err().as_json(),
        "json: cannot unmarshal number into Go struct field ConfigMap.data of type string"
    );
}

#[test]
fn every_kind_that_is_served_has_its_type() {
    let kinds = crate::kind::KINDS.iter().map(|kind| kind.schema);
    let questions = crate::kind::QUESTIONS.iter().map(|question| question.schema);
    for name in kinds.chain(questions) {
        assert!(find(name).is_some_and(|of| of.root), "{name}");
    }
}
