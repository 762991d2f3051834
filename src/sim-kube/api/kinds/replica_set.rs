//! ReplicaSets.

use serde_json::{Value, json};

use super::{PLAIN, Rules, defaults::default, template};
use crate::{
    api::check::{At, Problems},
    object::{number, set},
};

pub static RULES: Rules = Rules {
    defaults: |object| {
        default(object, "/spec/replicas", 1);
        template::defaults(object);
    },
    create: |object| set(object, "/status", json!({"replicas": 0})),
    validate,
    validate_update: |new, old, problems| template::same_selector(new, old, problems),
    ..PLAIN
};

fn validate(object: &Value, problems: &mut Problems) {
    let at = At::new("spec");
    problems.not_negative(&at.child("replicas"), number(object, "/spec/replicas"));
    problems.not_negative(&at.child("minReadySeconds"), number(object, "/spec/minReadySeconds"));
    template::validate(object, "replicaset", problems);
}
