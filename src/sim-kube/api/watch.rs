//! Watches: what the store's writes look like to someone who asked for some objects.
//!
//! A [`WatchSpec`] is a value; `serve/` polls it after every write and sends what it gives. It reads no clock and holds no lock.

use std::time::Duration;

use breakfix_sim::{StoreEvent, StoreEventKind};
use serde_json::{Value, json};

use super::{
    conversion,
    http::media::{Accepted, View},
    schema,
    select::Selectors,
    table::{self, Include},
};
use crate::{Cluster, Kind, Status};

/// The annotation of the bookmark after the objects that were there at the beginning.
const INITIAL_END: &str = "k8s.io/initial-events-end";

/// A watch that has begun.
#[derive(Clone, Debug)]
pub struct WatchSpec {
    pub kind: &'static Kind,
    pub namespace: Option<String>,
    pub selectors: Selectors,
    pub accepted: Accepted,
    pub include: Include,
    /// Whether the client takes bookmarks.
    pub bookmarks: bool,
    /// When the server ends the watch.
    pub timeout: Option<Duration>,
    /// The last revision that has been looked at.
    pub(super) at: u64,
    /// Events that came before the first poll.
    pub(super) pending: Vec<(Change, Value)>,
    /// Whether a table's columns have been sent.
    pub(super) columns_sent: bool,
}

/// What happened to an object, as a watcher is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Added,
    Modified,
    Deleted,
    Bookmark,
    Error,
}

impl Change {
    fn name(self) -> &'static str {
        match self {
            Self::Added => "ADDED",
            Self::Modified => "MODIFIED",
            Self::Deleted => "DELETED",
            Self::Bookmark => "BOOKMARK",
            Self::Error => "ERROR",
        }
    }
}

/// What a poll gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frames {
    /// One JSON document a line; nothing if there is no news.
    pub bytes: Vec<u8>,
    /// Whether the watch is over: the past it needs is no longer known.
    pub over: bool,
}

impl WatchSpec {
    /// The content type of the answer.
    pub fn content_type(&self) -> &'static str {
        "application/json"
    }

    /// What has happened since the last poll.
    pub fn poll(&mut self, cluster: &Cluster) -> Frames {
        let mut frames = Frames::default();
        for (change, object) in std::mem::take(&mut self.pending) {
            self.write(cluster, change, &object, &mut frames.bytes);
        }
        if self.at >= cluster.store.revision() {
            return frames;
        }
        let events: Vec<StoreEvent> = match cluster.store.since(self.at) {
            Ok(events) => events.filter(|event| self.concerns(event)).cloned().collect(),
            Err(old) => {
                let body = Status::new(410, "Expired", old.to_string()).body();
                line(Change::Error, &body, &mut frames.bytes);
                frames.over = true;
                return frames;
            }
        };
        self.at = cluster.store.revision();
        for event in &events {
            if let Some((change, object)) = seen(event, &self.selectors) {
                self.write(cluster, change, &object, &mut frames.bytes);
            }
        }
        frames
    }

    /// A bookmark of where the watch stands, for clients that take them. A server sends one about every minute.
    pub fn bookmark(&mut self, cluster: &Cluster) -> Vec<u8> {
        let mut bytes = Vec::new();
        if self.bookmarks {
            let object = bookmark(self.kind, self.at, false);
            self.write(cluster, Change::Bookmark, &object, &mut bytes);
        }
        bytes
    }

    fn concerns(&self, event: &StoreEvent) -> bool {
        &*event.key.collection == self.kind.collection
            && self.namespace.as_deref().is_none_or(|namespace| namespace == &*event.key.namespace)
    }

    fn write(&mut self, cluster: &Cluster, change: Change, object: &Value, out: &mut Vec<u8>) {
        let object = conversion::shown(self.kind, object);
        match self.accepted.view {
            View::Whole => line(change, &object, out),
            View::Metadata(version) => line(change, &table::metadata_only(&object, version), out),
            View::Table(version) => {
                let layout = table::layout(self.kind);
                let columns = if self.columns_sent { Value::Null } else { table::definitions(layout) };
                self.columns_sent = true;
                let rows: Vec<_> = (change != Change::Bookmark)
                    .then(|| table::row(layout, &object, version, self.include, cluster.clock.today()))
                    .into_iter()
                    .collect();
                let mut metadata = json!({});
                for member in ["resourceVersion", "annotations"] {
                    let value = object.pointer(&format!("/metadata/{member}"));
                    if let Some(value) = value.filter(|_| member != "annotations" || change == Change::Bookmark) {
                        metadata[member] = value.clone();
                    }
                }
                let body = json!({
                    "kind": "Table",
                    "apiVersion": version,
                    "metadata": metadata,
                    "columnDefinitions": columns,
                    "rows": rows,
                });
                line(change, &body, out);
            }
        }
    }
}

fn line(change: Change, object: &Value, out: &mut Vec<u8>) {
    let event = json!({"type": change.name(), "object": object});
    out.extend_from_slice(event.to_string().as_bytes());
    out.push(b'\n');
}

/// A bookmark: an object of the kind with nothing but a resource version.
pub(super) fn bookmark(kind: &Kind, revision: u64, initial_end: bool) -> Value {
    let mut object = schema::find(kind.schema).map_or_else(|| json!({}), schema::decode::empty);
    crate::object::set(&mut object, "/apiVersion", Value::from(kind.api_version()));
    crate::object::set(&mut object, "/kind", Value::from(kind.kind));
    crate::object::set(&mut object, "/metadata/resourceVersion", Value::from(revision.to_string()));
    if initial_end {
        crate::object::set(&mut object, "/metadata/annotations", json!({INITIAL_END: "true"}));
    }
    object
}

/// How one write looks through selectors: an object that leaves the view is deleted for this watcher, one that enters it is added.
pub fn seen(event: &StoreEvent, selectors: &Selectors) -> Option<(Change, Value)> {
    let before = event.before.as_deref().filter(|before| selectors.matches(before));
    let after = (event.kind != StoreEventKind::Deleted && selectors.matches(&event.object)).then_some(&*event.object);
    match (before, after) {
        (None, Some(after)) => Some((Change::Added, after.clone())),
        (Some(_), Some(after)) => Some((Change::Modified, after.clone())),
        (Some(before), None) => {
            let mut last =
                if event.kind == StoreEventKind::Deleted { Value::clone(&event.object) } else { before.clone() };
            crate::object::set(&mut last, "/metadata/resourceVersion", Value::from(event.revision.to_string()));
            Some((Change::Deleted, last))
        }
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use breakfix_sim::Key;

    use super::*;
    use crate::kind::POD;

    fn event(before: Option<&str>, after: Option<&str>) -> StoreEvent {
        let object = |label: &str| Arc::new(json!({"metadata": {"name": "a", "labels": {"app": label}}}));
        let kind = match (before, after) {
            (None, _) => StoreEventKind::Added,
            (_, None) => StoreEventKind::Deleted,
            _ => StoreEventKind::Modified,
        };
        StoreEvent {
            revision: 9,
            kind,
            key: Key::new("pods", "shop", "a"),
            object: object(after.or(before).unwrap()),
            before: before.map(object),
        }
    }

    #[test]
    fn an_object_that_leaves_the_view_is_deleted_for_the_watcher() {
        let selectors = Selectors::parse(&POD, "app=web", "").unwrap();
        let seen = |before, after| seen(&event(before, after), &selectors).map(|(change, _)| change);
        assert_eq!(seen(None, Some("web")), Some(Change::Added));
        assert_eq!(seen(None, Some("db")), None);
        assert_eq!(seen(Some("web"), Some("web")), Some(Change::Modified));
        assert_eq!(seen(Some("web"), Some("db")), Some(Change::Deleted));
        assert_eq!(seen(Some("db"), Some("web")), Some(Change::Added));
        assert_eq!(seen(Some("db"), Some("db")), None);
        assert_eq!(seen(Some("web"), None), Some(Change::Deleted));
        assert_eq!(seen(Some("db"), None), None);
        let (_, last) = super::seen(&event(Some("web"), Some("db")), &selectors).unwrap();
        assert_eq!(
            (&last["metadata"]["labels"]["app"], &last["metadata"]["resourceVersion"]),
            (&json!("web"), &json!("9"))
        );
    }
}
