//! OpenAPI v3: a document a group, with the schemas that `kubectl explain` and `kubectl apply` read.
//!
//! Descriptions and required fields come from k8s-openapi's schemas; how lists merge comes from the types' table, so that what is published
//! is what is done. Documents are built when first asked for, and kept.

mod custom;
mod paths;
mod schemas;

#[cfg(test)]
mod tests;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use serde::Serialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha512};

use crate::{Cluster, kind};

static DOCUMENTS: LazyLock<BTreeMap<String, Document>> = LazyLock::new(|| {
    let all = schemas::all();
    kind::groups().iter().map(|(group, version)| (name(group, version), build(group, version, &all))).collect()
});

struct Document {
    text: String,
    hash: String,
}

/// A document's name in the index: `api/v1`, `apis/apps/v1`.
fn name(group: &str, version: &str) -> String {
    if group.is_empty() { format!("api/{version}") } else { format!("apis/{group}/{version}") }
}

/// `/openapi/v3`.
pub fn index(cluster: &Cluster) -> Value {
    let entry = |name: &str, hash: &str| {
        (name.to_owned(), json!({"serverRelativeURL": format!("/openapi/v3/{name}?hash={hash}")}))
    };
    let mut paths: Map<String, Value> = DOCUMENTS.iter().map(|(name, document)| entry(name, &document.hash)).collect();
    for (name, document) in custom::documents(cluster) {
        let (name, url) = entry(&name, &document.hash);
        paths.insert(name, url);
    }
    json!({"paths": paths})
}

/// One group's document, and the hash that names its content.
pub fn document(cluster: &Cluster, name: &str) -> Option<(Cow<'static, str>, Cow<'static, str>)> {
    if let Some(document) = DOCUMENTS.get(name) {
        return Some((Cow::Borrowed(&document.text), Cow::Borrowed(&document.hash)));
    }
    let found = custom::documents(cluster).into_iter().find(|(known, _)| known == name);
    found.map(|(_, document)| (Cow::Owned(document.text), Cow::Owned(document.hash)))
}

/// What is written of a document; nothing of it is copied on the way.
#[derive(Serialize)]
struct Written<'a> {
    openapi: &'a str,
    info: Value,
    paths: &'a Value,
    components: Components<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Components<'a> {
    schemas: BTreeMap<&'a str, &'a Value>,
    security_schemes: Value,
}

fn build(group: &str, version: &str, all: &BTreeMap<String, Value>) -> Document {
    write(&paths::of(group, version), all)
}

/// A document of these paths, with the schemas that they need.
fn write(paths: &Value, all: &BTreeMap<String, Value>) -> Document {
    let mut wanted = BTreeSet::new();
    referred(paths, all, &mut wanted);
    let schemas = all.iter().filter(|(name, _)| wanted.contains(*name)).map(|(name, schema)| (name.as_str(), schema));
    let security_schemes = json!({
        "BearerToken": {
            "type": "apiKey",
            "description": "Bearer Token authentication",
            "name": "authorization",
            "in": "header",
        },
    });
    let document = Written {
        openapi: "3.0.0",
        info: json!({"title": "Kubernetes", "version": "1.36"}),
        paths,
        components: Components { schemas: schemas.collect(), security_schemes },
    };
    let mut text = serde_json::to_string(&document).unwrap_or_default();
    text.shrink_to_fit();
    let hash = Sha512::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02X}")).collect();
    Document { text, hash }
}

/// Every schema that a part of a document names, and what those name.
fn referred(part: &Value, all: &BTreeMap<String, Value>, found: &mut BTreeSet<String>) {
    match part {
        Value::Object(members) => {
            let name = members.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix(schemas::PREFIX));
            if let Some(name) = name
                && found.insert(name.to_owned())
                && let Some(schema) = all.get(name)
            {
                referred(schema, all, found);
            }
            members.values().for_each(|member| referred(member, all, found));
        }
        Value::Array(entries) => entries.iter().for_each(|entry| referred(entry, all, found)),
        _ => {}
    }
}
