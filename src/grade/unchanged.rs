//! `unchanged`: fields read as they did when the lab was handed over.
//!
//! Rules: objects are found by name, so that one made anew with the same fields is unchanged (identity is another word's business);
//! named list entries are compared by name, for their order means nothing; null is as good as absent. Objects that a controller made
//! are its business and left out unless named.

use std::borrow::Cow;

use breakfix_lab::{Platform, check::Unchanged, lab::Exception};
use serde_json::Value;

use crate::{
    Evidence, Judge, Query, Verdict, View,
    answers::objects_query,
    object,
    path::{self, Path},
    query::Scope,
};

/// How much of a value evidence shows, in characters.
const VALUE_SHOWN_MAX: usize = 60;

impl Judge for Unchanged {
    fn queries(&self, platform: Platform, scope: &Scope) -> Vec<Query> {
        self.kinds.iter().map(|kind| objects_query(platform, scope, kind, self.namespace.as_deref())).collect()
    }

    fn judge(&self, view: &View<'_>) -> Verdict {
        judge(self, view).unwrap_or_else(|unknown| unknown)
    }

    fn problems(&self) -> Vec<String> {
        let mut problems: Vec<String> = paths(&self.fields).err().into_iter().collect();
        problems.extend(self.except.iter().filter_map(|free| paths(&free.fields).err()));
        if self.kinds.is_empty() || self.fields.is_empty() {
            problems.push("unchanged needs at least one kind and one field".to_owned());
        }
        problems
    }
}

/// Reads all of them, or says which cannot be read.
pub(crate) fn paths(fields: &[String]) -> Result<Vec<Path>, String> {
    fields.iter().map(|field| field.parse().map_err(|error: path::PathError| error.to_string())).collect()
}

/// The object without the fields that exceptions leave free; a copy only where there are such, for every check looks at every object.
/// A path that cannot be read frees nothing; lint refuses it.
pub(crate) fn without<'a>(object: &'a Value, kind: &str, except: &[Exception]) -> Cow<'a, Value> {
    let mut object = Cow::Borrowed(object);
    for free in except {
        if !object::names(free, kind, object::name(&object)) {
            continue;
        }
        for path in free.fields.iter().filter_map(|field| field.parse::<Path>().ok()) {
            path.remove(object.to_mut());
        }
    }
    object
}

/// The objects that a check over the baseline is about, with their kinds: those of the name, or else all that no controller made.
/// Exceptions for whole objects are left out.
pub(crate) fn handed_over<'a>(
    view: &View<'a>,
    kinds: &'a [String],
    name: Option<&str>,
    namespace: Option<&str>,
    except: &[Exception],
) -> Result<Vec<(&'a str, &'a Value)>, Verdict> {
    let mut chosen = Vec::new();
    for kind in kinds {
        for object in view.baseline(kind, namespace)? {
            let wanted = match name {
                Some(name) => object::is_named(object, name),
                None => object::controller(object).is_none(),
            };
            if wanted && !object::is_excepted(except, kind, object::name(object)) {
                chosen.push((kind.as_str(), object));
            }
        }
    }
    match name {
        Some(name) if chosen.is_empty() && except.is_empty() => Err(Verdict::unknown(format!(
            "the baseline holds no {} {name}, so there is nothing to compare with",
            kinds.join(" or ")
        ))),
        _ => Ok(chosen),
    }
}

fn judge<'a>(check: &'a Unchanged, view: &View<'a>) -> Result<Verdict, Verdict> {
    let namespace = check.namespace.as_deref();
    let paths = paths(&check.fields).map_err(Verdict::unknown)?;
    let chosen = handed_over(view, &check.kinds, check.name.as_deref(), namespace, &check.except)?;
    let wanted = format!("{} as handed over", check.fields.join(", "));
    for (kind, before) in &chosen {
        let name = object::name(before);
        let Some(now) = view.object(kind, name, namespace)? else {
            return Ok(Verdict::not_met(format!("{kind} {name} is gone"), Evidence::new(wanted, "none")));
        };
        let (before, now) = (without(before, kind, &check.except), without(now, kind, &check.except));
        if let Some((place, was, is)) = paths.iter().find_map(|path| change(path, &before, &now, check.additions)) {
            let reason = format!("{kind} {name}: {place} was changed");
            return Ok(Verdict::not_met(reason, Evidence::new(format!("{place}: {was}"), format!("{place}: {is}"))));
        }
    }
    let found = match chosen.len() {
        0 => "nothing of these kinds was handed over".to_owned(),
        count => format!("so of {count} objects"),
    };
    Ok(Verdict::met(Evidence::new(wanted, found)))
}

/// The first difference, as (place, was, is).
fn change(path: &Path, before: &Value, now: &Value, additions: bool) -> Option<(String, String, String)> {
    let (before, now) = (path.find(before), path.find(now));
    for (place, was) in &before {
        match now.get(place) {
            Some(is) if same(was, is, additions) => {}
            Some(is) => return Some((place.clone(), shown(was), shown(is))),
            None if is_nothing(was) => {}
            None => return Some((place.clone(), shown(was), "absent".to_owned())),
        }
    }
    let added = now.iter().find(|(place, is)| !before.contains_key(*place) && !is_nothing(is));
    added.filter(|_| !additions).map(|(place, is)| (place.clone(), "absent".to_owned(), shown(is)))
}

/// APIs leave out an empty list or map as readily as they write it.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(entries) => entries.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

/// Whether two values say the same; with `additions`, whether the second says at least what the first does.
fn same(was: &Value, is: &Value, additions: bool) -> bool {
    match (was, is) {
        (Value::Object(was), Value::Object(is)) => {
            let kept = was.iter().all(|(key, was)| match is.get(key) {
                Some(is) => same(was, is, additions),
                None => is_nothing(was),
            });
            kept && (additions || is.iter().all(|(key, is)| was.contains_key(key) || is_nothing(is)))
        }
        (Value::Array(was), Value::Array(is)) => same_list(was, is, additions),
        (was, is) => was == is,
    }
}

fn same_list(was: &[Value], is: &[Value], additions: bool) -> bool {
    if !additions && was.len() != is.len() {
        return false;
    }
    // By name only where names are names: a repeated one (`--set=a --set=b`) tells nothing apart.
    let named = !was.is_empty() && path::names(was).len() == was.len() && path::names(is).len() == is.len();
    if named {
        return was.iter().all(|was| is.iter().any(|is| path::name(was) == path::name(is) && same(was, is, additions)));
    }
    if additions {
        return was.iter().all(|was| is.iter().any(|is| same(was, is, additions)));
    }
    was.iter().zip(is).all(|(was, is)| same(was, is, additions))
}

/// A value on one line, shortened.
fn shown(value: &Value) -> String {
    let line = value.to_string();
    match line.char_indices().nth(VALUE_SHOWN_MAX) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

#[cfg(test)]
mod tests;
