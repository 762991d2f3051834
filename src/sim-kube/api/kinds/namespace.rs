//! Namespaces.

use serde_json::{Value, json};

use super::{PLAIN, Rules};
use crate::{
    api::check::name::NameRule,
    object::{set, text},
};

pub static RULES: Rules = Rules {
    name: NameRule::Label,
    defaults: named,
    create: |object| {
        set(object, "/status", json!({"phase": "Active"}));
        let mut finalizers = object.pointer("/spec/finalizers").and_then(Value::as_array).cloned().unwrap_or_default();
        if !finalizers.contains(&json!("kubernetes")) {
            finalizers.push(json!("kubernetes"));
        }
        set(object, "/spec/finalizers", Value::Array(finalizers));
        named(object);
    },
    update: |new, old| {
        if let Some(finalizers) = old.pointer("/spec/finalizers") {
            set(new, "/spec/finalizers", finalizers.clone());
        } else {
            crate::object::unset(new, "/spec/finalizers");
        }
    },
    ..PLAIN
};

/// Every namespace carries its name as a label. The key has a dot and a slash, so no pointer reaches it.
fn named(object: &mut Value) {
    let name = text(object, "/metadata/name").to_owned();
    if name.is_empty() {
        return;
    }
    if object.pointer("/metadata/labels").is_none_or(|labels| !labels.is_object()) {
        set(object, "/metadata/labels", json!({}));
    }
    if let Some(labels) = object.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.insert("kubernetes.io/metadata.name".to_owned(), Value::from(name));
    }
}
