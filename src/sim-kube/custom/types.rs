//! Types made of structural schemas, for server-side apply and managedFields.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::interned::keep;
use crate::{
    api::schema::{Field, ListType, Shape, Type},
    object::{entries, members, text, truth},
};

static TYPES: Mutex<BTreeMap<&'static str, &'static Type>> = Mutex::new(BTreeMap::new());

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// A type that was made of a schema.
pub fn find(name: &str) -> Option<&'static Type> {
    TYPES.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied()
}

/// Makes the types of a kind's schema and gives the root's name, which `key` decides.
pub(super) fn register(key: &str, schema: &Value) -> &'static str {
    let digest: String = Sha256::digest(key.as_bytes()).iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    let name = format!("custom.{digest}");
    let mut fields = vec![field("metadata", Shape::Object(META), ListType::Atomic, false)];
    fields.extend(
        members(schema, "/properties")
            .filter(|(key, _)| !["apiVersion", "kind", "metadata"].contains(&key.as_str()))
            .map(|(key, schema)| member(&name, key, schema)),
    );
    add(&name, true, false, fields)
}

fn add(name: &str, root: bool, atomic: bool, fields: Vec<Field>) -> &'static str {
    let name = keep(name);
    let made: &'static Type = Box::leak(Box::new(Type::made(name, root, atomic, fields)));
    TYPES.lock().unwrap_or_else(PoisonError::into_inner).insert(name, made);
    name
}

fn field(name: &str, shape: Shape, list: ListType, atomic: bool) -> Field {
    Field {
        name: keep(name),
        go: None,
        number: 1,
        shape,
        pointer: true,
        always: false,
        omit_zero: false,
        required: false,
        list,
        atomic,
        merge: false,
        merge_key: None,
        retain_keys: false,
        default: None,
    }
}

fn member(under: &str, key: &str, schema: &Value) -> Field {
    let list = match text(schema, "/x-kubernetes-list-type") {
        "set" => ListType::Set,
        "map" => ListType::Map(
            entries(schema, "/x-kubernetes-list-map-keys").iter().filter_map(Value::as_str).map(keep).collect(),
        ),
        _ => ListType::Atomic,
    };
    let mut made = field(key, shape(&format!("{under}.{key}"), schema), list, is_atomic(schema));
    if let Some(default) = schema.get("default") {
        made.default = Some(keep(&default.to_string()));
    }
    made
}

fn is_atomic(schema: &Value) -> bool {
    ["x-kubernetes-map-type", "x-kubernetes-list-type"]
        .iter()
        .any(|member| schema.get(member).is_some_and(|value| value == "atomic"))
}

fn shape(name: &str, schema: &Value) -> Shape {
    if truth(schema, "/x-kubernetes-int-or-string") {
        return Shape::IntOrString;
    }
    match text(schema, "/type") {
        "string" => Shape::Text("string"),
        "integer" => Shape::Int64,
        "number" => Shape::Double,
        "boolean" => Shape::Bool,
        "array" => Shape::List(Box::new(shape(&format!("{name}[]"), schema.get("items").unwrap_or(&Value::Null)))),
        "object" => {
            if let Some(values) = schema.get("additionalProperties").filter(|values| values.is_object()) {
                return Shape::Map(Box::new(shape(&format!("{name}{{}}"), values)));
            }
            if members(schema, "/properties").next().is_none() {
                return Shape::Raw;
            }
            let fields = members(schema, "/properties").map(|(key, schema)| member(name, key, schema)).collect();
            Shape::Object(add(name, false, is_atomic(schema), fields))
        }
        _ => Shape::Raw,
    }
}
