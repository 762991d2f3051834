//! ReplicationControllers: what ReplicaSets were before selectors had expressions (`pkg/apis/core/validation`, `v1/defaults.go`).

use serde_json::{Value, json};

use super::{PLAIN, Rules, defaults::default, template};
use crate::{
    api::{
        check::{At, Problems},
        select::label,
    },
    kind::REPLICATION_CONTROLLER,
    object::{number, set},
};

pub static RULES: Rules = Rules {
    defaults: |object| {
        let labels = object.pointer("/spec/template/metadata/labels").cloned().unwrap_or_default();
        if labels.as_object().is_some_and(|labels| !labels.is_empty()) {
            for place in ["/spec/selector", "/metadata/labels"] {
                if object.pointer(place).and_then(Value::as_object).is_none_or(serde_json::Map::is_empty) {
                    set(object, place, labels.clone());
                }
            }
        }
        default(object, "/spec/replicas", 1);
        template::defaults(object);
    },
    create: |object| set(object, "/status", json!({"replicas": 0})),
    validate,
    ..PLAIN
};

fn validate(object: &Value, problems: &mut Problems) {
    let at = At::new("spec");
    problems.not_negative(&at.child("minReadySeconds"), number(object, "/spec/minReadySeconds"));
    problems.not_negative(&at.child("replicas"), number(object, "/spec/replicas"));
    let has = |place: &str| object.pointer(place).and_then(Value::as_object).is_some_and(|map| !map.is_empty());
    if !has("/spec/selector") {
        problems.required(&at.child("selector"), "");
    }
    if !has("/spec/template") {
        problems.required(&at.child("template"), "");
    }
    if has("/spec/selector") && has("/spec/template") {
        let mut like_a_set = object.clone();
        set(&mut like_a_set, "/spec/selector", label::of(&REPLICATION_CONTROLLER, object).into_owned());
        template::validate(&like_a_set, "replicationcontroller", problems);
    }
}
