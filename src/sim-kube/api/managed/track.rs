//! Keeping managedFields when an object is created or changed other than by apply.

use serde_json::{Map, Value};

use super::{
    entries::{self, Entry},
    set::FieldSet,
    walk::{Comparison, compare},
};
use crate::{
    Kind,
    api::schema::{self, Type},
};

/// Members of metadata that the server keeps and nobody manages.
const UNMANAGED: [&str; 9] = [
    "name",
    "namespace",
    "creationTimestamp",
    "selfLink",
    "uid",
    "clusterName",
    "generation",
    "managedFields",
    "resourceVersion",
];
/// As many managers that update are kept apart; the oldest become one.
const UPDATERS_MAX: usize = 10;
const ANCIENT: &str = "ancient-changes";

/// Who writes what part of an object, when.
#[derive(Clone, Copy, Debug)]
pub struct Write<'a> {
    pub kind: &'static Kind,
    pub manager: &'a str,
    pub subresource: &'a str,
    pub now: &'a str,
}

/// Notes what a new object's writer set.
pub fn created(write: Write<'_>, object: &mut Value) {
    let Some(of) = schema::find(write.kind.schema) else { return };
    let empty = schema::decode::empty(of);
    changed_from(write, of, &empty, object, Vec::new());
}

/// Notes what a writer changed. The new object's own managedFields count, where it has some that can be read.
pub fn changed(write: Write<'_>, old: &Value, new: &mut Value) {
    let Some(of) = schema::find(write.kind.schema) else { return };
    let given = crate::object::entries(new, "/metadata/managedFields");
    if given.len() == 1 && given.iter().all(|entry| entry.as_object().is_some_and(Map::is_empty)) {
        // One empty entry asks for a clean slate.
        crate::object::unset(new, "/metadata/managedFields");
        return;
    }
    let own = entries::read(new);
    let list = if own.is_empty() { entries::read(old) } else { own };
    changed_from(write, of, old, new, list);
}

fn changed_from(write: Write<'_>, of: &'static Type, old: &Value, new: &mut Value, mut list: Vec<Entry>) {
    let difference = managed(write, compare(of, &bare(old), &bare(new)));
    let taken = difference.added.union(&difference.modified);
    for entry in &mut list {
        entry.fields = entry.fields.difference(&taken).difference(&difference.removed);
    }
    if !taken.is_empty() {
        let mine = Entry {
            manager: write.manager.to_owned(),
            operation: "Update".to_owned(),
            api_version: write.kind.api_version(),
            subresource: write.subresource.to_owned(),
            time: write.now.to_owned(),
            fields: taken,
        };
        match list.iter_mut().find(|entry| entry.is_same(&mine)) {
            Some(entry) => {
                entry.fields = entry.fields.union(&mine.fields);
                entry.time = mine.time;
            }
            None => list.push(mine),
        }
    }
    entries::write(new, capped(list));
}

/// The objects without what is compared elsewhere.
pub(super) fn bare(object: &Value) -> Value {
    let mut bare = object.clone();
    crate::object::unset(&mut bare, "/metadata/managedFields");
    if let Some(members) = bare.as_object_mut() {
        members.remove("apiVersion");
        members.remove("kind");
    }
    bare
}

/// Leaves out what the server keeps itself, and the other part of the object.
fn managed(write: Write<'_>, found: Comparison) -> Comparison {
    let unmanaged = unmanaged(write.kind, write.subresource);
    Comparison {
        added: found.added.without_trees(&unmanaged),
        modified: found.modified.without_trees(&unmanaged),
        removed: found.removed.without_trees(&unmanaged),
    }
}

/// Fields that a writer of this part of an object does not come to own.
pub(super) fn unmanaged(kind: &Kind, subresource: &str) -> FieldSet {
    let mut set = FieldSet::default();
    for member in UNMANAGED {
        set.insert(&["f:metadata".to_owned(), format!("f:{member}")]);
    }
    if kind.subresources.contains(&"status") && subresource != "status" {
        set.insert(&["f:status".to_owned()]);
    }
    set
}

fn capped(mut list: Vec<Entry>) -> Vec<Entry> {
    let updaters = |list: &[Entry]| list.iter().filter(|entry| entry.operation == "Update").count();
    while updaters(&list) > UPDATERS_MAX {
        let oldest = |list: &[Entry]| {
            let updaters = list.iter().enumerate().filter(|(_, entry)| entry.operation == "Update");
            updaters.min_by(|(_, a), (_, b)| a.time.cmp(&b.time)).map(|(index, _)| index)
        };
        let Some(index) = oldest(&list) else { break };
        let mut old = list.remove(index);
        let Some(next) = oldest(&list).and_then(|index| list.get_mut(index)) else { break };
        ANCIENT.clone_into(&mut old.manager);
        next.fields = next.fields.union(&old.fields);
        ANCIENT.clone_into(&mut next.manager);
        next.subresource.clear();
    }
    list
}
