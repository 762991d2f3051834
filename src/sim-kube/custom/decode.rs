//! From JSON to a custom object: fields that the schema does not have are pruned, defaults filled in, metadata read as everywhere
//! (`apiextensions-apiserver/pkg/apiserver/schema/{pruning,defaulting,objectmeta}`).

use serde_json::{Map, Value};

use super::Custom;
use crate::{
    api::schema::{self, Decoded, Fault},
    object::truth,
};

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
/// What every object has.
const COMMON: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// Reads a body as an object of a custom kind.
///
/// # Errors
/// Metadata of the wrong form.
pub fn decode(custom: &Custom, body: &Value) -> Result<Decoded, Fault> {
    let Some(given) = body.as_object() else {
        return Err(Fault::Text("json: cannot unmarshal into Go value of type map[string]interface {}".to_owned()));
    };
    let mut object = Map::new();
    let mut unknown = Vec::new();
    for (key, value) in given {
        match (key.as_str(), schema::find(META)) {
            ("metadata", Some(of)) if !value.is_null() => {
                let read = schema::decode(of, value)?;
                unknown.extend(read.unknown.iter().map(|field| format!("metadata.{field}")));
                object.insert(key.clone(), read.object);
            }
            _ => drop(object.insert(key.clone(), value.clone())),
        }
    }
    let mut object = Value::Object(object);
    prune(&custom.schema, &mut object, "", true, &mut unknown);
    default(&custom.schema, &mut object, true);
    if object.get("metadata").is_none_or(Value::is_null)
        && let Some(object) = object.as_object_mut()
    {
        object.insert("metadata".to_owned(), Value::Object(Map::new()));
    }
    unknown.sort();
    Ok(Decoded { object, unknown })
}

/// Removes what the schema does not have.
fn prune(schema: &Value, value: &mut Value, at: &str, root: bool, unknown: &mut Vec<String>) {
    let keeps = truth(schema, "/x-kubernetes-preserve-unknown-fields");
    let embedded = root || truth(schema, "/x-kubernetes-embedded-resource");
    match value {
        Value::Object(members) => {
            let names: Vec<String> = members.keys().cloned().collect();
            for name in names {
                if embedded && COMMON.contains(&name.as_str()) {
                    continue;
                }
                let here = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
                let known = schema.get("properties").and_then(|properties| properties.get(&name));
                let any = schema.get("additionalProperties").filter(|any| any.is_object() || **any == true);
                match (known, any) {
                    (Some(inner), _) => {
                        if let Some(member) = members.get_mut(&name) {
                            prune(inner, member, &here, false, unknown);
                        }
                    }
                    (None, Some(inner)) => {
                        if let Some(member) = members.get_mut(&name).filter(|_| inner.is_object()) {
                            prune(inner, member, &here, false, unknown);
                        }
                    }
                    (None, None) if keeps => {}
                    (None, None) => {
                        members.remove(&name);
                        unknown.push(here);
                    }
                }
            }
        }
        Value::Array(list) => {
            if let Some(items) = schema.get("items") {
                for (index, entry) in list.iter_mut().enumerate() {
                    prune(items, entry, &format!("{at}[{index}]"), false, unknown);
                }
            }
        }
        _ => {}
    }
}

/// Fills in defaults; a null where none is allowed counts as left out.
fn default(schema: &Value, value: &mut Value, root: bool) {
    match value {
        Value::Object(members) => {
            let properties = schema.get("properties").and_then(Value::as_object);
            for (name, inner) in properties.into_iter().flatten() {
                if root && COMMON.contains(&name.as_str()) {
                    continue;
                }
                let missing = match members.get(name) {
                    None => true,
                    Some(given) => given.is_null() && !truth(inner, "/nullable") && inner.get("default").is_some(),
                };
                if missing && let Some(given) = inner.get("default") {
                    members.insert(name.clone(), given.clone());
                }
                if let Some(member) = members.get_mut(name) {
                    default(inner, member, false);
                }
            }
            if let Some(inner) = schema.get("additionalProperties").filter(|inner| inner.is_object()) {
                let known = |name: &str| properties.is_some_and(|properties| properties.contains_key(name));
                members
                    .iter_mut()
                    .filter(|(name, _)| !known(name))
                    .for_each(|(_, member)| default(inner, member, false));
            }
        }
        Value::Array(list) => {
            if let Some(items) = schema.get("items") {
                list.iter_mut().for_each(|entry| default(items, entry, false));
            }
        }
        _ => {}
    }
}
