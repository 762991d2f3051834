//! What happens in a lab's namespaces, by the watch streams of the API: one a kind and namespace.
//!
//! A stream goes on from the version it has seen last. Only the connection that is there is used: a simulator that was stopped meanwhile
//! is not brought back by somebody who merely watches.

use std::{collections::BTreeMap, time::Instant};

use async_trait::async_trait;
use futures::{
    StreamExt,
    stream::{self, BoxStream, SelectAll},
};
use http::{Method, Request};
use kube::core::WatchEvent;
use serde_json::Value;

use super::{
    belongings, object,
    probe::is_probe,
    resource::{self, Resource},
    target::KubeTarget,
    trouble::Trouble,
};
use crate::target::{Changes, Happened, Pauses, Polled};

/// Kinds that are records of what happened, or tokens that are renewed all the time.
const RECORDS: [&str; 3] = ["ControllerRevision", "Event", "Lease"];
/// Kinds that the system itself writes, though nobody owns them.
const SYSTEMS_OWN: [&str; 2] = ["Endpoints", "EndpointSlice"];

impl KubeTarget {
    pub(super) fn watch_changes(&self) -> Box<dyn Changes + '_> {
        let namespaces = belongings::namespaces(&self.place);
        let mut watched: Vec<Watched<'_>> = Vec::new();
        for resource in resource::built_in_kinds().filter(|it| it.namespaced && !RECORDS.contains(&it.kind.as_str())) {
            watched.extend(namespaces.iter().map(|namespace| Watched::new(self, resource.clone(), Some(namespace))));
        }
        // Of what lies in no namespace, the kinds that the lab's own documents are of.
        let mut wide: Vec<Resource> = (self.place.documents.iter())
            .filter_map(|document| Resource::built_in(document.api_version.as_deref(), &document.kind))
            .filter(|it| !it.namespaced && it.kind != "Namespace")
            .collect();
        wide.sort();
        wide.dedup();
        watched.extend(wide.into_iter().map(|resource| Watched::new(self, resource, None)));
        let streams = watched.into_iter().map(|it| stream::unfold(it, Watched::next).boxed());
        Box::new(Watches(stream::select_all(streams)))
    }
}

/// All of a lab's streams.
struct Watches<'a>(SelectAll<BoxStream<'a, Happened>>);

#[async_trait]
impl Changes for Watches<'_> {
    async fn next(&mut self) -> Happened {
        match self.0.next().await {
            Some(happened) => happened,
            // Not one kind may be watched here.
            None => Polled.next().await,
        }
    }
}

/// One kind in one namespace (or one that lies in none).
struct Watched<'a> {
    target: &'a KubeTarget,
    resource: Resource,
    namespace: Option<&'a str>,
    /// Where the stream goes on; nothing before the first list, or when the server has forgotten it.
    version: Option<String>,
    /// The generation of what there is, by uid: a change that leaves it alone is the system's own.
    generations: BTreeMap<String, Option<i64>>,
    events: Option<BoxStream<'static, Result<WatchEvent<Value>, kube::Error>>>,
    since: Instant,
    pauses: Pauses,
    /// Whether the stream has ever begun.
    begun: bool,
    /// Something may have happened that this stream was not told of.
    missed: bool,
}

impl<'a> Watched<'a> {
    fn new(target: &'a KubeTarget, resource: Resource, namespace: Option<&'a str>) -> Self {
        Self {
            target,
            resource,
            namespace,
            version: None,
            generations: BTreeMap::new(),
            events: None,
            since: Instant::now(),
            pauses: Pauses::default(),
            begun: false,
            missed: false,
        }
    }

    /// The next thing that happens; the end where this kind cannot be watched at all.
    async fn next(mut self) -> Option<(Happened, Self)> {
        loop {
            let Some(events) = &mut self.events else {
                match self.open().await {
                    Ok(()) if std::mem::take(&mut self.missed) => return Some((Happened::Edited, self)),
                    // From here on everything is told; what was before may have been missed.
                    Ok(()) if !std::mem::replace(&mut self.begun, true) => return Some((Happened::Moved, self)),
                    Ok(()) => {}
                    Err(Trouble::NotServed { .. } | Trouble::Said { code: 401 | 403 | 404 | 405, .. }) => return None,
                    Err(_) => {
                        self.pauses.failed();
                        // Whoever watches learns at once that nobody answers, not when somebody does again.
                        if !std::mem::replace(&mut self.missed, true) {
                            return Some((Happened::Moved, self));
                        }
                        tokio::time::sleep(self.pauses.next()).await;
                    }
                }
                continue;
            };
            match events.next().await {
                Some(Ok(event)) => {
                    if let Some(happened) = self.read(event) {
                        return Some((happened, self));
                    }
                }
                // A server ends every watch after a while; so does one that is going down.
                Some(Err(_)) | None => {
                    self.events = None;
                    self.pauses.ended(self.since);
                    tokio::time::sleep(self.pauses.next()).await;
                }
            }
        }
    }

    async fn open(&mut self) -> Result<(), Trouble> {
        let lost = |error: crate::TargetError| Trouble::Unreachable { why: error.chain() };
        let api = self.target.api().await.map_err(lost)?;
        let path = self.resource.path(self.namespace, None, None);
        let version = match self.version.take() {
            Some(version) => version,
            None => {
                let list = api.send(Method::GET, &path, None).await?.body;
                let items = object::list(&list, "/items").iter();
                self.generations = items.filter_map(|it| Some((object::uid(it)?.to_owned(), generation(it)))).collect();
                object::text(&list, "/metadata/resourceVersion").unwrap_or("0").to_owned()
            }
        };
        let query = format!("watch=true&allowWatchBookmarks=true&resourceVersion={}", resource::escape(&version));
        let request = Request::get(format!("{path}?{query}"))
            .body(Vec::new())
            .map_err(|error| Trouble::Garbage { why: error.to_string() })?;
        self.version = Some(version);
        let begun = tokio::time::timeout(self.target.patience(), api.client().request_events::<Value>(request)).await;
        let events = begun.map_err(|_| Trouble::Slow { after: self.target.patience() })?;
        self.events = Some(StreamExt::boxed(events.map_err(Trouble::from)?));
        self.since = Instant::now();
        Ok(())
    }

    fn read(&mut self, event: WatchEvent<Value>) -> Option<Happened> {
        let (object, gone) = match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => (object, false),
            WatchEvent::Deleted(object) => (object, true),
            WatchEvent::Bookmark(mark) => {
                self.pauses.over();
                self.version = Some(mark.metadata.resource_version);
                return None;
            }
            // The server does not know the version any more: all over again.
            WatchEvent::Error(_) => {
                (self.events, self.version, self.missed) = (None, None, true);
                return None;
            }
        };
        self.pauses.over();
        if let Some(version) = object::text(&object, "/metadata/resourceVersion") {
            self.version = Some(version.to_owned());
        }
        if is_probe(&object) {
            return None;
        }
        Some(self.weigh(&object, gone))
    }

    /// Whether somebody wanted it so. What has an owner is made and removed by that; what has a generation is edited when that rises.
    fn weigh(&mut self, object: &Value, gone: bool) -> Happened {
        if SYSTEMS_OWN.contains(&self.resource.kind.as_str()) {
            return Happened::Moved;
        }
        let uid = object::uid(object).unwrap_or_default().to_owned();
        let now = generation(object);
        let before = if gone { self.generations.remove(&uid) } else { self.generations.insert(uid, now) };
        let edited = match (before, now) {
            _ if gone => true,
            (None, _) => true,
            (Some(before), Some(now)) => before.is_none_or(|before| now > before),
            // A kind without a generation: what has no status is written by people alone, and so is almost all of a Service.
            (Some(_), None) => object.get("status").is_none() || self.resource.kind == "Service",
        };
        let owned = object::owners(object).next().is_some();
        if edited && !owned { Happened::Edited } else { Happened::Moved }
    }
}

/// How often what is asked of an object was edited; not every kind counts it.
fn generation(object: &Value) -> Option<i64> {
    object.pointer("/metadata/generation").and_then(Value::as_i64)
}
