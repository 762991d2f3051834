use serde_json::json;

use super::*;
use crate::api::schema;

fn strategic(object: Value, patch: Value) -> Result<Value, String> {
    let mut object = object;
    let of = schema::find("io.k8s.api.apps.v1.Deployment").unwrap();
    super::strategic::apply(&mut object, &patch, of)?;
    Ok(object)
}

fn containers(object: &Value) -> Vec<&str> {
    object["spec"]["template"]["spec"]["containers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|container| container["name"].as_str().unwrap())
        .collect()
}

fn web(containers: &Value) -> Value {
    json!({"spec": {"template": {"spec": {"containers": containers}}}})
}

#[test]
fn containers_merge_by_name() {
    let merged = strategic(
        web(&json!([{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}])),
        web(&json!([{"name": "b", "image": "b:2"}, {"name": "c", "image": "c:1"}])),
    )
    .unwrap();
    assert_eq!(
        merged["spec"]["template"]["spec"]["containers"],
        json!([{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:2"}, {"name": "c", "image": "c:1"}])
    );
}

#[test]
fn directives_delete_replace_and_order() {
    let three = web(&json!([{"name": "a"}, {"name": "b"}, {"name": "c"}]));
    let gone = strategic(three.clone(), web(&json!([{"name": "b", "$patch": "delete"}]))).unwrap();
    assert_eq!(containers(&gone), ["a", "c"]);
    let replaced = strategic(three.clone(), web(&json!([{"$patch": "replace"}, {"name": "x"}]))).unwrap();
    assert_eq!(containers(&replaced), ["x"]);
    let patch = json!({"spec": {"template": {"spec": {
        "$setElementOrder/containers": [{"name": "c"}, {"name": "a"}],
        "containers": [{"name": "a", "image": "a:2"}],
    }}}});
    let ordered = strategic(three, patch).unwrap();
    assert_eq!(containers(&ordered), ["b", "c", "a"]);
}

#[test]
fn retained_keys_are_the_only_ones() {
    let before = json!({"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}});
    let after =
        strategic(before, json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}})).unwrap();
    assert_eq!(after["spec"]["strategy"], json!({"type": "Recreate"}));
}

#[test]
fn lists_without_a_key_are_replaced_and_plain_ones_united() {
    let before = json!({"metadata": {"finalizers": ["a/a", "b/b"]}, "spec": {"template": {"spec": {"tolerations": [{"key": "a"}]}}}});
    let patch = json!({"metadata": {"finalizers": ["c/c"], "$deleteFromPrimitiveList/finalizers": ["a/a"]},
        "spec": {"template": {"spec": {"tolerations": [{"key": "b"}]}}}});
    let after = strategic(before, patch).unwrap();
    assert_eq!(after["metadata"]["finalizers"], json!(["b/b", "c/c"]));
    assert_eq!(after["spec"]["template"]["spec"]["tolerations"], json!([{"key": "b"}]));
}

#[test]
fn a_new_entry_needs_its_key() {
    let refused = strategic(web(&json!([{"name": "a"}])), web(&json!([{"image": "x"}]))).unwrap_err();
    assert_eq!(refused, "map: map[image:x] does not contain declared merge key: name");
}

#[test]
fn merge_patch_follows_rfc_7386() {
    for (target, patch, wanted) in [
        (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
        (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
        (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
        (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
        (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
        (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
    ] {
        let mut target = target;
        merge::apply(&mut target, &patch);
        assert_eq!(target, wanted);
    }
}

#[test]
fn json_patch_follows_rfc_6902() {
    let run = |object: Value, patch: Value| {
        let mut object = object;
        json::read(&patch).and_then(|operations| json::apply(&mut object, &operations)).map(|()| object)
    };
    assert_eq!(
        run(json!({"a": [1, 3]}), json!([{"op": "add", "path": "/a/1", "value": 2}])),
        Ok(json!({"a": [1, 2, 3]}))
    );
    assert_eq!(run(json!({"a": [1]}), json!([{"op": "add", "path": "/a/-", "value": 2}])), Ok(json!({"a": [1, 2]})));
    assert_eq!(run(json!({"a/b": 1}), json!([{"op": "remove", "path": "/a~1b"}])), Ok(json!({})));
    assert_eq!(run(json!({"a": 1}), json!([{"op": "move", "from": "/a", "path": "/b"}])), Ok(json!({"b": 1})));
    assert!(run(json!({}), json!([{"op": "remove", "path": "/nope"}])).is_err());
    assert!(run(json!({"a": 1}), json!([{"op": "test", "path": "/a", "value": 2}])).is_err());
    assert!(run(json!({}), json!([{"op": "dance", "path": "/a"}])).is_err());
}
