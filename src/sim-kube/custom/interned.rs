//! Kinds made of definitions, kept for the program's life.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use serde_json::{Value, json};

use super::{Columns, Custom, Scale, path::pointer, types};
use crate::{
    Kind,
    object::{entries, text, truth},
};

/// By what they were made of.
static KINDS: Mutex<BTreeMap<String, &'static Kind>> = Mutex::new(BTreeMap::new());
/// The kind of the storage version, by the kind's address in [`KINDS`].
static STORAGE: Mutex<BTreeMap<String, &'static Kind>> = Mutex::new(BTreeMap::new());

/// A text that stays.
pub(super) fn keep(text: &str) -> &'static str {
    static TEXTS: Mutex<BTreeMap<String, &'static str>> = Mutex::new(BTreeMap::new());
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = texts.get(text) {
        return known;
    }
    let kept: &'static str = Box::leak(text.to_owned().into_boxed_str());
    texts.insert(text.to_owned(), kept);
    kept
}

/// Texts that stay.
pub(super) fn keep_all<'a>(texts: impl Iterator<Item = &'a str>) -> &'static [&'static str] {
    let kept: Vec<&'static str> = texts.map(keep).collect();
    Box::leak(kept.into_boxed_slice())
}

/// What a kind is made of, as a key.
fn key(definition: &Value, version: &Value) -> String {
    json!([
        definition.pointer("/spec/group"),
        definition.pointer("/status/acceptedNames").filter(|names| !text(names, "/plural").is_empty()),
        definition.pointer("/spec/names"),
        definition.pointer("/spec/scope"),
        storage_version(definition),
        version,
    ])
    .to_string()
}

fn storage_version(definition: &Value) -> &str {
    let storage = entries(definition, "/spec/versions").iter().find(|version| truth(version, "/storage"));
    storage.map_or("", |version| text(version, "/name"))
}

/// The kind of a version of a definition; `None` where it has no name.
pub(super) fn kind(definition: &Value, version: &Value) -> Option<&'static Kind> {
    let key = key(definition, version);
    if let Some(known) = KINDS.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
        return Some(known);
    }
    let made: &'static Kind = Box::leak(Box::new(make(definition, version, &key)?));
    KINDS.lock().unwrap_or_else(PoisonError::into_inner).insert(key, made);
    if !truth(version, "/storage")
        && let Some(storage) = super::stored(definition)
    {
        STORAGE.lock().unwrap_or_else(PoisonError::into_inner).insert(made.schema.to_owned(), storage);
    }
    Some(made)
}

/// The kind of the storage version beside this one, where that is another.
pub(super) fn sibling(kind: &Kind) -> Option<&'static Kind> {
    STORAGE.lock().unwrap_or_else(PoisonError::into_inner).get(kind.schema).copied()
}

fn make(definition: &Value, version: &Value, key: &str) -> Option<Kind> {
    let names = definition.pointer("/spec/names")?;
    let (group, plural) = (keep(text(definition, "/spec/group")), keep(text(names, "/plural")));
    let version_name = keep(text(version, "/name"));
    let schema = version.pointer("/schema/openAPIV3Schema").cloned().unwrap_or_default();
    let parts = version.get("subresources").unwrap_or(&Value::Null);
    let has = |part: &str| parts.get(part).is_some_and(|part| !part.is_null());
    let scale = has("scale").then(|| Scale {
        spec: pointer(text(parts, "/scale/specReplicasPath")),
        status: pointer(text(parts, "/scale/statusReplicasPath")),
        selector: Some(text(parts, "/scale/labelSelectorPath")).filter(|path| !path.is_empty()).map(pointer),
    });
    let custom: &'static Custom = Box::leak(Box::new(Custom {
        scale,
        columns: Columns::of(version),
        selectable: entries(version, "/selectableFields")
            .iter()
            .map(|field| text(field, "/jsonPath").trim_start_matches('.').to_owned())
            .collect(),
        storage: keep(storage_version(definition)),
        list_kind: keep(text(names, "/listKind")),
        has_status: has("status"),
        schema,
    }));
    let name = types::register(key, &custom.schema);
    let list = |member: &str| keep_all(entries(names, &format!("/{member}")).iter().filter_map(Value::as_str));
    Some(Kind {
        group,
        version: version_name,
        kind: keep(text(names, "/kind")),
        plural,
        singular: keep(text(names, "/singular")),
        short: list("shortNames"),
        categories: list("categories"),
        namespaced: text(definition, "/spec/scope") == "Namespaced",
        subresources: keep_all(["scale", "status"].into_iter().filter(|part| has(part))),
        collection: keep(&format!("{plural}.{group}")),
        generation: true,
        schema: name,
        custom: Some(custom),
    })
}
