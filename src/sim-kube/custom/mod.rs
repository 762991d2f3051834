//! Custom resources: kinds that objects of the cluster define (`CustomResourceDefinition`).
//!
//! A definition's version becomes a [`Kind`] like those of the table. Kinds are kept for the program's life, one for each content that a
//! definition has had: equal definitions give the same kind, in whatever cluster they stand.

pub mod check;
pub mod columns;
pub mod decode;
mod interned;
pub mod naming;
mod path;
mod types;

use serde_json::Value;

use crate::{
    Cluster, Kind,
    kind::{CUSTOM_RESOURCE_DEFINITION, KINDS},
    object::{entries, text, truth},
};

pub use columns::Columns;
pub use types::find as find_type;

/// What a custom kind has beside a kind's row.
#[derive(Debug)]
pub struct Custom {
    /// The version's structural schema; null without one.
    pub schema: Value,
    /// The version in which objects are stored.
    pub storage: &'static str,
    /// Where `scale` finds its numbers, if there is one.
    pub scale: Option<Scale>,
    pub columns: Columns,
    /// Fields by which objects can be selected: `.spec.color`.
    pub selectable: Vec<String>,
    /// The list's kind.
    pub list_kind: &'static str,
    /// Whether status is a part of its own.
    pub has_status: bool,
}

/// JSON pointers of the numbers that `scale` reads and writes.
#[derive(Clone, Debug)]
pub struct Scale {
    pub spec: String,
    pub status: String,
    /// Where the selector's text is, if anywhere.
    pub selector: Option<String>,
}

impl PartialEq for Custom {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Custom {}

/// Every custom kind that is served, by definition and version.
pub fn kinds(cluster: &Cluster) -> Vec<&'static Kind> {
    definitions(cluster).flat_map(served).collect()
}

/// Every kind that is served: the table's, then the custom ones.
pub fn all_kinds(cluster: &Cluster) -> Vec<&'static Kind> {
    KINDS.iter().copied().chain(kinds(cluster)).collect()
}

/// Every group with each of its versions, the core group first, custom ones included; without those that nobody serves here.
pub fn groups(cluster: &Cluster) -> Vec<(&'static str, &'static str)> {
    let mut groups = crate::kind::groups().to_vec();
    groups.extend(kinds(cluster).into_iter().map(|kind| (kind.group, kind.version)));
    groups.retain(|(group, _)| !crate::metrics::is_absent(cluster, group));
    groups.sort_unstable();
    groups.dedup();
    groups
}

/// The kind that an `apiVersion` and `kind` name, custom ones included.
pub fn by_kind(cluster: &Cluster, api_version: &str, name: &str) -> Option<&'static Kind> {
    crate::kind::by_kind(api_version, name)
        .or_else(|| kinds(cluster).into_iter().find(|kind| kind.kind == name && kind.api_version() == api_version))
}

/// The kind stored in this collection, custom ones included.
pub fn by_collection(cluster: &Cluster, collection: &str) -> Option<&'static Kind> {
    crate::kind::by_collection(collection)
        .or_else(|| kinds(cluster).into_iter().find(|kind| kind.collection == collection).map(storage))
}

/// The kind as which objects of a custom kind are stored.
pub fn storage(kind: &'static Kind) -> &'static Kind {
    interned::sibling(kind).unwrap_or(kind)
}

fn definitions(cluster: &Cluster) -> impl Iterator<Item = &Value> {
    cluster.list(&CUSTOM_RESOURCE_DEFINITION, None).map(|definition| &**definition).filter(|definition| {
        entries(definition, "/status/conditions")
            .iter()
            .any(|condition| text(condition, "/type") == "Established" && text(condition, "/status") == "True")
    })
}

/// The kinds of a definition's served versions, in the order in which discovery prefers them.
pub fn served(definition: &Value) -> Vec<&'static Kind> {
    let mut versions: Vec<&Value> =
        entries(definition, "/spec/versions").iter().filter(|version| truth(version, "/served")).collect();
    versions.sort_by(|a, b| naming::preferred(text(a, "/name"), text(b, "/name")));
    versions.into_iter().filter_map(|version| interned::kind(definition, version)).collect()
}

/// The kind of the version in which a definition's objects are stored.
pub fn stored(definition: &Value) -> Option<&'static Kind> {
    let version = entries(definition, "/spec/versions").iter().find(|version| truth(version, "/storage"))?;
    interned::kind(definition, version)
}

#[cfg(test)]
mod tests;
