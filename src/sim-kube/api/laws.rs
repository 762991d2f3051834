//! Laws that hold for every input, tried on many.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{
    managed::{set::FieldSet, walk},
    patch::{json as json_patch, merge, strategic},
    protobuf,
    quantity::Quantity,
    schema,
    select::label::Selector,
};

/// Any JSON, small.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-z]{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key(), inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Keys that mean something, and some that do not.
fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("spec".to_owned()),
        Just("template".to_owned()),
        Just("containers".to_owned()),
        Just("metadata".to_owned()),
        Just("labels".to_owned()),
        Just("name".to_owned()),
        Just("$patch".to_owned()),
        Just("$setElementOrder/containers".to_owned()),
        Just("$retainKeys".to_owned()),
        "[a-c]{1,2}",
    ]
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept: Map<_, _> = members
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| (key.clone(), without_nulls(value)))
                .collect();
            Value::Object(kept)
        }
        other => other.clone(),
    }
}

fn containers() -> impl Strategy<Value = Value> {
    prop::collection::btree_map("[a-d]", "[a-z]:[0-9]", 1..4).prop_map(|map| {
        let list: Vec<_> = map.into_iter().map(|(name, image)| json!({"name": name, "image": image})).collect();
        json!({"spec": {"template": {"spec": {"containers": list}}}})
    })
}

fn deployment() -> &'static schema::Type {
    schema::find("io.k8s.api.apps.v1.Deployment").unwrap()
}

proptest! {
    #[test]
    fn a_merge_patch_done_twice_is_done_once(target in any_json(), patch in any_json()) {
        let mut once = target;
        merge::apply(&mut once, &patch);
        let mut twice = once.clone();
        merge::apply(&mut twice, &patch);
        prop_assert_eq!(twice, once);
    }

    #[test]
    fn a_merge_patch_onto_nothing_is_itself_without_nulls(patch in any_json()) {
        let mut object = Value::Null;
        merge::apply(&mut object, &patch);
        prop_assert_eq!(object, without_nulls(&patch));
    }

    #[test]
    fn no_json_patch_panics(target in any_json(), patch in any_json(), path in "(/[a-c0-2~-]{0,2}){0,3}", value in any_json()) {
        let mut object = target;
        if let Ok(operations) = json_patch::read(&patch) {
            let _ = json_patch::apply(&mut object, &operations);
        }
        for op in ["add", "remove", "replace", "test", "move", "copy"] {
            let operation = json!([{"op": op, "path": path, "from": "/a", "value": value}]);
            let _ = json_patch::apply(&mut object, &json_patch::read(&operation).unwrap());
        }
    }

    #[test]
    fn what_json_patch_adds_it_finds(target in prop::collection::btree_map("[a-c]", any_json(), 0..3), name in "[a-z]{1,3}", value in any_json()) {
        let mut object = Value::Object(target.into_iter().collect());
        let path = format!("/{name}");
        let patch = json!([{"op": "add", "path": path, "value": value}, {"op": "test", "path": path, "value": value}]);
        prop_assert!(json_patch::apply(&mut object, &json_patch::read(&patch).unwrap()).is_ok());
    }

    #[test]
    fn no_strategic_patch_panics(target in any_json(), patch in any_json()) {
        let mut object = target;
        let _ = strategic::apply(&mut object, &patch, deployment());
    }

    #[test]
    fn a_strategic_patch_done_twice_is_done_once(target in containers(), patch in containers()) {
        let mut once = target;
        strategic::apply(&mut once, &patch, deployment()).unwrap();
        let mut twice = once.clone();
        strategic::apply(&mut twice, &patch, deployment()).unwrap();
        prop_assert_eq!(twice, once);
    }

    #[test]
    fn a_quantity_keeps_its_amount_and_form(text in "[+-]?[0-9]{1,12}(\\.[0-9]{0,6})?(m|k|M|G|Ki|Mi|Gi|e3|E-2|)") {
        let read = Quantity::parse(&text).unwrap();
        let again = Quantity::parse(&read.to_string()).unwrap();
        prop_assert!(again == read, "{} {}", text, read);
        prop_assert_eq!(again.to_string(), read.to_string());
    }

    #[test]
    fn no_text_makes_a_reader_panic(text in "\\PC{0,40}", bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = Quantity::parse(&text);
        if let Ok(selector) = Selector::parse(&text) {
            selector.matches(Some(&json!({"a": "b"})));
        }
        let mut body = b"k8s\0\x12".to_vec();
        body.push(u8::try_from(bytes.len()).unwrap());
        body.extend(&bytes);
        if let Ok(envelope) = protobuf::open(&body) {
            let _ = envelope.object(deployment());
        }
    }

    #[test]
    fn decoding_twice_is_decoding_once(value in any_json()) {
        if let Ok(first) = schema::decode(deployment(), &value) {
            prop_assert_eq!(schema::decode(deployment(), &first.object).unwrap().object, first.object);
        }
    }

    #[test]
    fn a_comparison_names_exactly_what_changed(old in containers(), new in containers()) {
        let found = walk::compare(deployment(), &old, &new);
        let none = found.added.is_empty() && found.modified.is_empty() && found.removed.is_empty();
        prop_assert_eq!(none, old == new);
        let set = walk::fields(deployment(), &new);
        prop_assert_eq!(FieldSet::from_json(&set.to_json()).unwrap(), set);
    }
}
