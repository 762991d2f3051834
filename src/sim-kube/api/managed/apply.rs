//! Server-side apply: what one manager wants is merged in, what it no longer wants goes, and what others hold is not taken without force.

use serde_json::{Value, json};

use super::{
    entries::{self, Entry},
    merge::merge,
    set::{FieldSet, shown},
    track::{Write, bare, unmanaged},
    validate,
    walk::{compare, fields, with_parents, without},
};
use crate::{
    Status,
    api::schema::{self, Type},
    object::text,
};

/// The object that comes of an apply, with its managedFields. `live` is the object there is, or an empty one of the kind.
///
/// # Errors
/// 409 where others hold fields that would change, without `force`; 500 where the wanted object does not fit its schema.
pub fn apply(write: Write<'_>, live: &Value, wanted: &Value, force: bool) -> Result<Value, Status> {
    let of = schema::find(write.kind.schema).ok_or_else(|| Status::internal("no schema"))?;
    let faults = validate::faults(of, wanted);
    if !faults.is_empty() {
        return Err(Status::new(
            500,
            "",
            format!(
                "failed to create typed patch object ({}/{}; {}, Kind={}): {}",
                text(wanted, "/metadata/namespace"),
                text(wanted, "/metadata/name"),
                write.kind.api_version(),
                write.kind.kind,
                validate::text(&faults)
            ),
        ));
    }
    let unmanaged = unmanaged(write.kind, write.subresource);
    let wanted_set = fields(of, &bare(wanted)).without_trees(&unmanaged);
    let mut list = entries::read(live);
    let mut mine = Entry {
        manager: write.manager.to_owned(),
        operation: "Apply".to_owned(),
        api_version: write.kind.api_version(),
        subresource: write.subresource.to_owned(),
        time: write.now.to_owned(),
        fields: wanted_set,
    };
    let last = list.iter().find(|entry| entry.is_same(&mine)).cloned();
    list.retain(|entry| !entry.is_same(&mine));
    let live_bare = bare(live);
    let merged = merge(of, &live_bare, &bare(wanted));
    let others: Vec<&FieldSet> =
        list.iter().filter(|entry| entry.operation == "Apply").map(|entry| &entry.fields).collect();
    let merged = match &last {
        Some(last) => prune(of, &merged, &last.fields, &mine.fields, &others),
        None => merged,
    };
    take(of, &live_bare, &merged, &unmanaged, &mut list, force)?;
    if let Some(last) = last.filter(|last| merged == live_bare && last.fields == mine.fields) {
        mine.time = last.time;
    }
    list.push(mine);
    let mut object = merged;
    for member in ["apiVersion", "kind"] {
        if let Some(value) = live.get(member).or_else(|| wanted.get(member)) {
            crate::object::set(&mut object, &format!("/{member}"), value.clone());
        }
    }
    entries::write(&mut object, list);
    Ok(object)
}

/// Takes away what the manager had applied and no longer wants, unless another applier does.
fn prune(of: &'static Type, merged: &Value, last: &FieldSet, mine: &FieldSet, others: &[&FieldSet]) -> Value {
    let last = with_parents(of, last);
    let pruned = without(of, merged, &last);
    let merged_set = with_parents(of, &fields(of, merged));
    let wanted = others.iter().fold(mine.clone(), |all, set| all.union(set));
    let kept = with_parents(of, &fields(of, &pruned)).union(&with_parents(of, &wanted));
    let pruned = without(of, merged, &merged_set.difference(&kept));
    // What nobody applied, or an updater holds, was not this manager's to remove.
    let gone = merged_set.difference(&with_parents(of, &fields(of, &pruned))).intersection(&last);
    without(of, merged, &gone)
}

/// Moves the changed fields over from other managers, or refuses.
fn take(
    of: &'static Type,
    live: &Value,
    merged: &Value,
    unmanaged: &FieldSet,
    list: &mut [Entry],
    force: bool,
) -> Result<(), Status> {
    let difference = compare(of, live, merged);
    let taken = difference.added.union(&difference.modified).without_trees(unmanaged);
    let conflicts: Vec<(String, Vec<String>)> = list
        .iter()
        .map(|entry| {
            let both = entry.fields.intersection(&taken);
            (entry.shown(), both.paths().iter().map(|path| shown(path)).collect::<Vec<_>>())
        })
        .filter(|(_, paths)| !paths.is_empty())
        .collect();
    if !force && !conflicts.is_empty() {
        return Err(conflict(&conflicts));
    }
    for entry in list {
        entry.fields = entry.fields.difference(&taken).difference(&difference.removed);
    }
    Ok(())
}

fn conflict(conflicts: &[(String, Vec<String>)]) -> Status {
    let causes: Vec<_> = conflicts
        .iter()
        .flat_map(|(manager, paths)| paths.iter().map(move |path| (manager, path)))
        .map(|(manager, path)| {
            json!({"reason": "FieldManagerConflict", "message": format!("conflict with {manager}"), "field": path})
        })
        .collect();
    let message = match conflicts {
        [(manager, paths)] if paths.len() == 1 => {
            format!("Apply failed with 1 conflict: conflict with {manager}: {}", paths.concat())
        }
        many => {
            let mut many = many.to_vec();
            many.sort();
            let lines: Vec<_> = many
                .iter()
                .flat_map(|(manager, paths)| {
                    std::iter::once(format!("conflicts with {manager}:"))
                        .chain(paths.iter().map(|path| format!("- {path}")))
                })
                .collect();
            format!("Apply failed with {} conflicts: {}", causes.len(), lines.join("\n"))
        }
    };
    Status { details: json!({"causes": causes}), ..Status::new(409, "Conflict", message) }
}
