//! The namespace controller: a terminating namespace is emptied and then let go (`pkg/controller/namespace/deletion`).

use std::{collections::BTreeMap, time::Duration};

use breakfix_sim::{Key, StoreEvent, StoreEventKind};
use serde_json::{Value, json};

use super::{Controller, queue::enqueue};
use crate::{
    Cluster, Kind, Status,
    api::verbs::{Actor, DeleteOptions, Part},
    custom, kind,
    object::{entries, is_deleting, name, number, set, text},
};

pub const CONTROLLER: Controller = Controller { name: NAME, told, reconcile };

const NAME: &str = "namespace";
/// `namespaceDeletionGracePeriod`: every write to a terminating namespace is looked at this much later.
const LAG: Duration = Duration::from_secs(5);

fn actor() -> Actor {
    Actor {
        user: "system:serviceaccount:kube-system:namespace-controller".into(),
        manager: "kube-controller-manager".into(),
    }
}

fn told(cluster: &mut Cluster, event: &StoreEvent) {
    let is_namespace = &*event.key.collection == kind::NAMESPACE.collection;
    if is_namespace && event.kind != StoreEventKind::Deleted && is_deleting(&event.object) {
        enqueue(cluster, NAME, &event.key, LAG);
    }
}

fn reconcile(cluster: &mut Cluster, key: &Key) -> Result<(), Status> {
    let Some(namespace) = cluster.store.get(key).cloned() else { return Ok(()) };
    if !is_deleting(&namespace) || entries(&namespace, "/spec/finalizers").is_empty() {
        return Ok(());
    }
    let grace = empty(cluster, name(&namespace));
    let left = Left::of(cluster, name(&namespace));
    write_conditions(cluster, &namespace, &left)?;
    if left.by_resource.is_empty() {
        return cluster.finalize(name(&namespace), &actor()).map(drop);
    }
    // Nobody tells the controller of contents that go; it comes back after half the time they may take.
    enqueue(cluster, NAME, key, grace / 2 + Duration::from_secs(1));
    Ok(())
}

/// Kinds whose objects lie in the store under this namespace, one for each collection.
fn namespaced_kinds(cluster: &Cluster) -> Vec<&'static Kind> {
    let mut kinds: Vec<&'static Kind> = Vec::new();
    for kind in custom::all_kinds(cluster).into_iter().filter(|kind| kind.namespaced) {
        if !kinds.iter().any(|known| known.collection == kind.collection) {
            kinds.push(kind);
        }
    }
    kinds
}

/// Deletes the contents: pods first, the rest once no pod is left. Answers how long they may take to go.
fn empty(cluster: &mut Cluster, space: &str) -> Duration {
    let grace = cluster
        .store
        .list(kind::POD.collection, Some(space))
        .filter_map(|(_, pod)| number(pod, "/spec/terminationGracePeriodSeconds"))
        .filter_map(|seconds| u64::try_from(seconds).ok())
        .max();
    delete_all(cluster, &kind::POD, space);
    if cluster.store.list(kind::POD.collection, Some(space)).next().is_none() {
        for kind in namespaced_kinds(cluster) {
            delete_all(cluster, kind, space);
        }
    }
    Duration::from_secs(grace.unwrap_or(0))
}

fn delete_all(cluster: &mut Cluster, kind: &'static Kind, space: &str) {
    let names: Vec<String> =
        cluster.store.list(kind.collection, Some(space)).map(|(key, _)| key.name.to_string()).collect();
    let options = DeleteOptions { propagation: Some("Background".to_owned()), ..DeleteOptions::default() };
    for object in names {
        // What cannot go shows in the conditions.
        let _ = cluster.delete(kind, space, &object, &options, &actor());
    }
}

/// What is still there.
struct Left {
    by_resource: BTreeMap<String, usize>,
    by_finalizer: BTreeMap<String, usize>,
}

impl Left {
    fn of(cluster: &Cluster, space: &str) -> Self {
        let mut left = Self { by_resource: BTreeMap::new(), by_finalizer: BTreeMap::new() };
        for kind in namespaced_kinds(cluster) {
            let mut count = 0;
            for (_, object) in cluster.store.list(kind.collection, Some(space)) {
                count += 1;
                for finalizer in entries(object, "/metadata/finalizers").iter().filter_map(Value::as_str) {
                    *left.by_finalizer.entry(finalizer.to_owned()).or_insert(0) += 1;
                }
            }
            if count > 0 {
                let group = if kind.group.is_empty() { String::new() } else { kind.group.to_owned() };
                left.by_resource.insert(format!("{}.{group}", kind.plural), count);
            }
        }
        left
    }

    fn remaining(&self) -> (bool, &'static str, String) {
        if self.by_resource.is_empty() {
            return (false, "ContentRemoved", "All content successfully removed".to_owned());
        }
        let list: Vec<String> = self
            .by_resource
            .iter()
            .map(|(resource, count)| format!("{resource} has {count} resource instances"))
            .collect();
        (true, "SomeResourcesRemain", format!("Some resources are remaining: {}", list.join(", ")))
    }

    fn finalizers(&self) -> (bool, &'static str, String) {
        if self.by_finalizer.is_empty() {
            return (false, "ContentHasNoFinalizers", "All content-preserving finalizers finished".to_owned());
        }
        let list: Vec<String> = self
            .by_finalizer
            .iter()
            .map(|(finalizer, count)| format!("{finalizer} in {count} resource instances"))
            .collect();
        let message = format!("Some content in the namespace has finalizers remaining: {}", list.join(", "));
        (true, "SomeFinalizersRemain", message)
    }
}

fn write_conditions(cluster: &mut Cluster, namespace: &Value, left: &Left) -> Result<(), Status> {
    let fine = |reason: &'static str, message: &str| (false, reason, message.to_owned());
    let wanted = [
        ("NamespaceDeletionDiscoveryFailure", fine("ResourcesDiscovered", "All resources successfully discovered")),
        (
            "NamespaceDeletionGroupVersionParsingFailure",
            fine("ParsedGroupVersions", "All legacy kube types successfully parsed"),
        ),
        (
            "NamespaceDeletionContentFailure",
            fine("ContentDeleted", "All content successfully deleted, may be waiting on finalization"),
        ),
        ("NamespaceContentRemaining", left.remaining()),
        ("NamespaceFinalizersRemaining", left.finalizers()),
    ];
    let today = cluster.today();
    let current = entries(namespace, "/status/conditions");
    let conditions: Vec<Value> = wanted
        .into_iter()
        .map(|(name, (holds, reason, message))| {
            let status = if holds { "True" } else { "False" };
            let known = current.iter().find(|condition| text(condition, "/type") == name);
            let since = known.filter(|known| text(known, "/status") == status);
            let since = since.map_or(today.as_str(), |known| text(known, "/lastTransitionTime"));
            json!({"type": name, "status": status, "reason": reason, "message": message, "lastTransitionTime": since})
        })
        .collect();
    if current == conditions.as_slice() {
        return Ok(());
    }
    cluster.update(&kind::NAMESPACE, "", name(namespace), Part::Status, &actor(), |namespace| {
        set(namespace, "/status/conditions", Value::Array(conditions));
    })?;
    Ok(())
}
