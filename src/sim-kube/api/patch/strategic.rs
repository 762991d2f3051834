//! Strategic merge patch: lists merge by the keys that the schema names, directives (`$patch`, `$retainKeys`, `$setElementOrder/…`,
//! `$deleteFromPrimitiveList/…`) say the rest (apimachinery's `strategicpatch`).

use serde_json::{Map, Value};

use super::gomap;
use crate::api::schema::{Field, Type};

const PATCH: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const ORDER: &str = "$setElementOrder/";
const DELETE_FROM: &str = "$deleteFromPrimitiveList/";

type Members = Map<String, Value>;

/// Edits an object. Gives what is left of the patch when its directives are done: refusals quote that.
///
/// # Errors
/// The API's own words.
pub fn apply(object: &mut Value, patch: &Value, of: &'static Type) -> Result<Value, String> {
    let Value::Object(mut patch) = patch.clone() else {
        return Err("cannot apply a patch that is no map".to_owned());
    };
    let original = object.as_object_mut().map(std::mem::take).unwrap_or_default();
    let merged = merge_map(original, &mut patch, Some(of))?;
    *object = Value::Object(merged);
    Ok(Value::Object(patch))
}

fn merge_map(mut original: Members, patch: &mut Members, of: Option<&'static Type>) -> Result<Members, String> {
    match patch.get(PATCH).map(|directive| directive.as_str().unwrap_or("")) {
        None | Some("merge") => drop(patch.remove(PATCH)),
        Some("replace") => {
            patch.remove(PATCH);
            return Ok(patch.clone());
        }
        Some("delete") => return Ok(Members::new()),
        Some(other) => {
            let shown = gomap::show(&Value::Object(patch.clone()));
            return Err(format!("unknown patch type: {other} in map: {shown}"));
        }
    }
    retain_keys(&mut original, patch)?;
    ordered_lists(&mut original, patch, of)?;
    let keys: Vec<String> = patch.keys().cloned().collect();
    for key in keys {
        let Some(change) = patch.get_mut(&key) else { continue };
        if let Some(field) = key.strip_prefix(DELETE_FROM) {
            delete_from(&mut original, field, change)?;
            continue;
        }
        if change.is_null() {
            original.remove(&key);
            continue;
        }
        let field = of.and_then(|of| of.field(&key));
        match (original.get_mut(&key), change) {
            (None, change) => drop(original.insert(key, plain(change))),
            (Some(Value::Object(before)), Value::Object(change)) => {
                let inner = field.and_then(|field| field.shape.object());
                *before = merge_map(std::mem::take(before), change, inner)?;
            }
            (Some(Value::Array(before)), Value::Array(change)) => {
                *before = merge_list(std::mem::take(before), change, field)?;
            }
            (Some(before), change) => *before = change.clone(),
        }
    }
    Ok(original)
}

/// A new value, without the directives and nulls that mean something only for old ones.
fn plain(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.iter().filter(|(key, value)| !value.is_null() && !is_directive(key));
            Value::Object(kept.map(|(key, value)| (key.clone(), plain(value))).collect())
        }
        Value::Array(entries) => {
            let deleted = |entry: &&Value| entry.get(PATCH).and_then(Value::as_str) == Some("delete");
            Value::Array(entries.iter().filter(|entry| !deleted(entry)).map(plain).collect())
        }
        other => other.clone(),
    }
}

fn is_directive(key: &str) -> bool {
    key == PATCH || key == RETAIN_KEYS || key.starts_with(ORDER) || key.starts_with(DELETE_FROM)
}

/// `$retainKeys`: nothing stays but what the patch lists.
fn retain_keys(original: &mut Members, patch: &mut Members) -> Result<(), String> {
    let Some(list) = patch.remove(RETAIN_KEYS) else { return Ok(()) };
    let bad = || "invalid patch format of retainKeys".to_owned();
    let Value::Array(list) = list else { return Err(bad()) };
    if patch.iter().any(|(key, value)| !is_directive(key) && !value.is_null() && !list.iter().any(|kept| kept == key)) {
        return Err(bad());
    }
    original.retain(|key, _| list.iter().any(|kept| kept == key));
    Ok(())
}

fn delete_from(original: &mut Members, field: &str, gone: &Value) -> Result<(), String> {
    let Value::Array(gone) = gone else {
        return Err("invalid patch format of primitive list".to_owned());
    };
    if let Some(Value::Array(entries)) = original.get_mut(field) {
        entries.retain(|entry| !gone.contains(entry));
    }
    Ok(())
}

fn merge_list(before: Vec<Value>, change: &[Value], field: Option<&Field>) -> Result<Vec<Value>, String> {
    if !field.is_some_and(|field| field.merge) {
        return Ok(change.iter().map(plain).collect());
    }
    if !before.iter().chain(change).any(Value::is_object) {
        let mut merged: Vec<Value> = Vec::new();
        for entry in before.into_iter().chain(change.iter().cloned()) {
            if !merged.contains(&entry) {
                merged.push(entry);
            }
        }
        return Ok(merged);
    }
    let inner = field.and_then(|field| field.shape.inner()).and_then(|shape| shape.object());
    let Some(key) = field.and_then(|field| field.merge_key) else {
        return Err("cannot merge lists without merge key".to_owned());
    };
    let (mut merged, change) = special(before, change, key)?;
    for mut entry in change {
        let Value::Object(change) = &mut entry else { continue };
        let Some(id) = change.get(key).cloned() else {
            return Err(missing_key(&entry, key));
        };
        match merged.iter_mut().find(|old| old.get(key) == Some(&id)) {
            Some(Value::Object(old)) => *old = merge_map(std::mem::take(old), change, inner)?,
            _ => merged.push(plain(&entry)),
        }
    }
    Ok(merged)
}

fn missing_key(entry: &Value, key: &str) -> String {
    format!("map: {} does not contain declared merge key: {key}", gomap::show(entry))
}

/// Entries that delete or replace, done; and those that merge.
fn special(mut before: Vec<Value>, change: &[Value], key: &str) -> Result<(Vec<Value>, Vec<Value>), String> {
    let directive = |entry: &Value| entry.get(PATCH).and_then(Value::as_str).map(str::to_owned);
    if change.iter().any(|entry| directive(entry).as_deref() == Some("replace")) {
        let kept = change.iter().filter(|entry| directive(entry).is_none()).map(plain).collect();
        return Ok((kept, Vec::new()));
    }
    let mut rest = Vec::new();
    for entry in change {
        match directive(entry).as_deref() {
            None | Some("merge") => {
                let mut entry = entry.clone();
                if let Some(members) = entry.as_object_mut() {
                    members.remove(PATCH);
                }
                rest.push(entry);
            }
            Some("delete") => {
                let id = entry.get(key).ok_or_else(|| missing_key(entry, key))?;
                before.retain(|old| old.get(key) != Some(id));
            }
            Some(other) => return Err(format!("unknown patch type: {other} in map: {}", gomap::show(entry))),
        }
    }
    Ok((before, rest))
}

/// `$setElementOrder/field`: merges the list and puts it in the order that the patch wants, with the server's own entries where they
/// stood.
fn ordered_lists(original: &mut Members, patch: &mut Members, of: Option<&'static Type>) -> Result<(), String> {
    let keys: Vec<String> = patch.keys().filter(|key| key.starts_with(ORDER)).cloned().collect();
    for key in keys {
        let Some(Value::Array(order)) = patch.remove(&key) else {
            return Err("invalid patch format of setElementOrder list".to_owned());
        };
        let name = key.strip_prefix(ORDER).unwrap_or("");
        let field = of.and_then(|of| of.field(name));
        let id = field.and_then(|field| field.merge_key);
        let before = match original.get(name) {
            Some(Value::Array(before)) => before.clone(),
            Some(_) => return Err(format!("{name} is no list")),
            None => Vec::new(),
        };
        let merged = match patch.remove(name) {
            Some(Value::Array(change)) => {
                in_order(&change, &order, id)?;
                merge_list(before.clone(), &change, field)?
            }
            Some(Value::Null) => {
                original.remove(name);
                continue;
            }
            Some(_) => return Err(format!("{name} is no list")),
            None => before.clone(),
        };
        if merged.is_empty() && !original.contains_key(name) {
            continue;
        }
        original.insert(name.to_owned(), Value::Array(arrange(merged, &order, &before, id)));
    }
    Ok(())
}

/// Where an entry stands in a list, by its key or itself.
fn position(list: &[Value], entry: &Value, id: Option<&str>) -> Option<usize> {
    list.iter().position(|other| match id {
        Some(id) => other.get(id).is_some() && other.get(id) == entry.get(id),
        None => other == entry,
    })
}

/// The patch's own entries must stand in the order that it sets.
fn in_order(change: &[Value], order: &[Value], id: Option<&str>) -> Result<(), String> {
    let mut last = 0;
    for entry in change {
        if entry.get(PATCH).is_some() {
            continue;
        }
        match position(order, entry, id).filter(|position| *position >= last) {
            Some(position) => last = position,
            None => {
                return Err(format!(
                    "The order in patch list:\n{}\n doesn't match $setElementOrder list:\n{}\n",
                    gomap::show(&Value::Array(change.to_vec())),
                    gomap::show(&Value::Array(order.to_vec()))
                ));
            }
        }
    }
    Ok(())
}

fn arrange(merged: Vec<Value>, order: &[Value], before: &[Value], id: Option<&str>) -> Vec<Value> {
    let (mut wanted, mut own): (Vec<_>, Vec<_>) =
        merged.into_iter().partition(|entry| position(order, entry, id).is_some());
    wanted.sort_by_key(|entry| position(order, entry, id));
    own.sort_by_key(|entry| position(before, entry, id));
    let (mut wanted, mut own) = (wanted.into_iter().peekable(), own.into_iter().peekable());
    let mut all = Vec::new();
    loop {
        let own_first = match (own.peek(), wanted.peek()) {
            (None, None) => return all,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (Some(own), Some(wanted)) => {
                matches!((position(before, own, id), position(before, wanted, id)), (Some(a), Some(b)) if a < b)
            }
        };
        all.extend(if own_first { own.next() } else { wanted.next() });
    }
}
