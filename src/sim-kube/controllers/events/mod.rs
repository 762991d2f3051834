//! Event objects: recorded with counts as client-go's recorder does, dropped after an hour.

mod correlator;

use std::{sync::Arc, time::Duration};

use breakfix_sim::{StoreEvent, StoreEventKind};
use jiff::Timestamp;
use serde_json::{Value, json};

pub use correlator::Recorder;
use correlator::Verdict;

use crate::{
    Cluster,
    api::verbs::{Actor, DeleteOptions, Part},
    event::Event,
    kind,
    object::{name, namespace, set, text, uid},
};

/// `--event-ttl` of kube-apiserver.
const LIFETIME: Duration = Duration::from_secs(3600);

/// Who records: a component, on a node or not.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    pub component: &'a str,
    /// The node; empty for the control plane.
    pub host: &'a str,
}

/// What is recorded about an object.
#[derive(Clone, Copy, Debug)]
pub struct Note<'a> {
    /// `Normal` or `Warning`.
    pub kind: &'a str,
    pub reason: &'a str,
    pub message: &'a str,
}

impl<'a> Note<'a> {
    pub fn normal(reason: &'a str, message: &'a str) -> Self {
        Self { kind: "Normal", reason, message }
    }

    pub fn warning(reason: &'a str, message: &'a str) -> Self {
        Self { kind: "Warning", reason, message }
    }
}

/// Records an event about an object as a part of the control plane.
pub fn record(cluster: &mut Cluster, component: &str, about: &Value, note: Note) {
    record_at(cluster, Source { component, host: "" }, about, "", note);
}

/// Records an event about a part of an object (`spec.containers{web}`; empty for all of it).
pub fn record_at(cluster: &mut Cluster, source: Source, about: &Value, field: &str, note: Note) {
    let mut involved = json!({
        "kind": about["kind"],
        "namespace": namespace(about),
        "name": name(about),
        "uid": uid(about),
        "apiVersion": about["apiVersion"],
        "resourceVersion": about["metadata"]["resourceVersion"],
    });
    if !field.is_empty() {
        involved["fieldPath"] = json!(field);
    }
    if namespace(about).is_empty()
        && let Some(involved) = involved.as_object_mut()
    {
        involved.remove("namespace");
    }
    let now = cluster.now();
    match cluster.controllers.recorder.judge(now, source, &involved, note) {
        Verdict::Drop => {}
        Verdict::New { id, message } => create(cluster, source, involved, note, &id, &message),
        Verdict::Again { id, object, message, count } => {
            if !count_up(cluster, &involved, &object, &message, count) {
                create(cluster, source, involved, note, &id, &message);
            }
        }
    }
}

/// Events about cluster-wide objects lie in `default`.
fn home(involved: &Value) -> &str {
    match text(involved, "/namespace") {
        "" => "default",
        space => space,
    }
}

fn actor(source: Source) -> Actor {
    match source.host {
        "" => Actor::system(source.component),
        host => Actor { user: format!("system:node:{host}"), manager: source.component.to_owned() },
    }
}

fn create(cluster: &mut Cluster, source: Source, involved: Value, note: Note, id: &str, message: &str) {
    // A real name ends in the time in nanoseconds; here the low digits count writes, so that two of one moment differ and keep their order.
    let millis = u64::try_from(cluster.clock.today().as_millisecond()).unwrap_or(0);
    let nanos = millis.saturating_mul(1_000_000) + cluster.store.revision() % 1_000_000;
    let event_name = format!("{}.{nanos:x}", text(&involved, "/name"));
    let today = cluster.today();
    let space = home(&involved).to_owned();
    let mut origin = json!({"component": source.component});
    if !source.host.is_empty() {
        origin["host"] = json!(source.host);
    }
    let body = json!({
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": event_name, "namespace": space},
        "involvedObject": involved,
        "reason": note.reason,
        "message": message,
        "type": note.kind,
        "source": origin,
        "reportingComponent": source.component,
        "reportingInstance": source.host,
        "eventTime": null,
        "firstTimestamp": today,
        "lastTimestamp": today,
        "count": 1,
    });
    // A namespace that is being deleted takes no more events; the real recorder drops them too.
    if cluster.create(&kind::EVENT, &space, body, &actor(source)).is_ok() {
        cluster.controllers.recorder.stored(id, &event_name);
    }
}

/// Whether the stored event could be counted up.
fn count_up(cluster: &mut Cluster, involved: &Value, object: &str, message: &str, count: u64) -> bool {
    let today = cluster.today();
    let space = home(involved).to_owned();
    let by = Actor::system("event-recorder");
    let edit = |event: &mut Value| {
        set(event, "/count", json!(count));
        set(event, "/lastTimestamp", json!(today));
        set(event, "/message", json!(message));
    };
    cluster.update(&kind::EVENT, &space, object, Part::Main, &by, edit).is_ok()
}

/// The first event of a quiet time queues the clearing away.
pub(super) fn told(cluster: &mut Cluster, event: &StoreEvent) {
    if event.kind == StoreEventKind::Added
        && &*event.key.collection == kind::EVENT.collection
        && !cluster.controllers.recorder.expiring
    {
        cluster.controllers.recorder.expiring = true;
        cluster.after(LIFETIME, Event::ExpireEvents);
    }
}

/// Drops Events that were last written an hour ago, and queues the next clearing.
pub fn expire(cluster: &mut Cluster) {
    let today = cluster.clock.today();
    let mut next: Option<Duration> = None;
    let mut gone = Vec::new();
    let all: Vec<Arc<Value>> =
        cluster.store.list(kind::EVENT.collection, None).map(|(_, event)| Arc::clone(event)).collect();
    for event in all {
        let left = LIFETIME.saturating_sub(age(&event, today));
        if left.is_zero() {
            gone.push((namespace(&event).to_owned(), name(&event).to_owned()));
        } else {
            next = Some(next.map_or(left, |next| next.min(left)));
        }
    }
    for (space, event) in gone {
        let _gone_already =
            cluster.delete(&kind::EVENT, &space, &event, &DeleteOptions::default(), &Actor::system("apiserver"));
    }
    let now = cluster.now();
    cluster.controllers.recorder.forget_old(now);
    cluster.controllers.recorder.expiring = next.is_some();
    if let Some(next) = next {
        // A minute's grain keeps an idle cluster from waking for every single event.
        cluster.after(next.max(Duration::from_secs(60)), Event::ExpireEvents);
    }
}

fn age(event: &Value, today: Timestamp) -> Duration {
    ["/lastTimestamp", "/series/lastObservedTime", "/eventTime", "/metadata/creationTimestamp"]
        .into_iter()
        .filter_map(|field| crate::date::since(text(event, field), today))
        .filter_map(|age| Duration::try_from(age).ok())
        .next()
        .unwrap_or_default()
}
