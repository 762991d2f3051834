//! The garbage collector: dependents go with their owners, in the way the owner's deletion asked for (`pkg/controller/garbagecollector`).

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use breakfix_sim::{Key, StoreEvent, StoreEventKind};
use serde_json::Value;

use super::owner;
use crate::{
    Cluster, Kind,
    api::verbs::{Actor, DeleteOptions, Part},
    custom,
    event::Event,
    kind,
    object::{entries, is_deleting, name, namespace, set, text, truth, uid, unset},
};

/// From a write to the collector's look at it: its graph has to be brought up to date first.
const LAG: Duration = Duration::from_millis(60);
const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";

fn actor() -> Actor {
    Actor {
        user: "system:serviceaccount:kube-system:generic-garbage-collector".into(),
        manager: "kube-controller-manager".into(),
    }
}

/// Queues a look where a write may have left something without an owner.
pub(super) fn told(cluster: &mut Cluster, event: &StoreEvent) {
    if &*event.key.collection == kind::EVENT.collection || cluster.controllers.collecting {
        return;
    }
    let owners = |object: &Value| entries(object, "/metadata/ownerReferences").to_vec();
    let concerns = match event.kind {
        StoreEventKind::Deleted => true,
        StoreEventKind::Added => !owners(&event.object).is_empty(),
        StoreEventKind::Modified => {
            let before = event.before.as_ref().map(|before| owners(before)).unwrap_or_default();
            owners(&event.object) != before || waits_for_collector(&event.object)
        }
    };
    if concerns {
        cluster.controllers.collecting = true;
        cluster.after(LAG, Event::CollectGarbage);
    }
}

fn has_finalizer(object: &Value, finalizer: &str) -> bool {
    entries(object, "/metadata/finalizers").iter().any(|entry| entry == finalizer)
}

fn waits_for_collector(object: &Value) -> bool {
    is_deleting(object) && (has_finalizer(object, FOREGROUND) || has_finalizer(object, ORPHAN))
}

/// Looks at every object with owners, and at every owner that waits for its dependents.
pub fn collect(cluster: &mut Cluster) {
    cluster.controllers.collecting = false;
    let all: Vec<(Key, Arc<Value>)> = cluster
        .store
        .all()
        .filter(|(key, _)| &*key.collection != kind::EVENT.collection)
        .map(|(key, object)| (key.clone(), Arc::clone(object)))
        .collect();
    let by_uid: BTreeMap<&str, &Arc<Value>> = all.iter().map(|(_, object)| (uid(object), object)).collect();
    for (key, object) in &all {
        let Some(kind) = custom::by_collection(cluster, &key.collection) else { continue };
        if !entries(object, "/metadata/ownerReferences").is_empty() && !is_deleting(object) {
            judge(cluster, kind, object, &by_uid);
        }
        if waits_for_collector(object) {
            release(cluster, kind, object, &all);
        }
    }
}

/// What an owner reference is worth.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Solid,
    Gone,
    /// Being deleted, and waiting for its dependents to go first.
    Waiting,
}

fn judge(cluster: &mut Cluster, kind: &'static Kind, object: &Value, by_uid: &BTreeMap<&str, &Arc<Value>>) {
    let references = entries(object, "/metadata/ownerReferences");
    let states: Vec<Owner> = references.iter().map(|reference| state(cluster, object, reference, by_uid)).collect();
    if states.contains(&Owner::Solid) {
        for (reference, _) in references.iter().zip(&states).filter(|(_, state)| **state != Owner::Solid) {
            // A refusal is tried again with the next write.
            let _ = owner::remove_reference(cluster, kind, object, text(reference, "/uid"), &actor());
        }
        return;
    }
    let foreground = states.contains(&Owner::Waiting) || has_finalizer(object, FOREGROUND);
    let propagation = if foreground && has_dependents(object, by_uid) {
        "Foreground"
    } else if has_finalizer(object, ORPHAN) {
        "Orphan"
    } else {
        "Background"
    };
    let options = DeleteOptions {
        propagation: Some(propagation.to_owned()),
        uid: Some(uid(object).to_owned()),
        ..DeleteOptions::default()
    };
    let _ = cluster.delete(kind, namespace(object), name(object), &options, &actor());
}

fn state(cluster: &Cluster, object: &Value, reference: &Value, by_uid: &BTreeMap<&str, &Arc<Value>>) -> Owner {
    let Some(kind) = custom::by_kind(cluster, text(reference, "/apiVersion"), text(reference, "/kind")) else {
        // An owner of a kind that is not served cannot be looked up, and is never taken for gone.
        return Owner::Solid;
    };
    let found = by_uid.get(text(reference, "/uid")).filter(|owner| {
        name(owner) == text(reference, "/name") && (!kind.namespaced || namespace(owner) == namespace(object))
    });
    match found {
        None => Owner::Gone,
        Some(owner) if is_deleting(owner) && has_finalizer(owner, FOREGROUND) => Owner::Waiting,
        Some(_) => Owner::Solid,
    }
}

fn depends(object: &Value, owner_uid: &str) -> bool {
    entries(object, "/metadata/ownerReferences").iter().any(|reference| text(reference, "/uid") == owner_uid)
}

fn has_dependents(object: &Value, by_uid: &BTreeMap<&str, &Arc<Value>>) -> bool {
    by_uid.values().any(|other| depends(other, uid(object)))
}

/// Lets an owner go once its dependents are gone (foreground) or set free (orphan).
fn release(cluster: &mut Cluster, kind: &'static Kind, object: &Value, all: &[(Key, Arc<Value>)]) {
    let dependents = all.iter().filter(|(_, other)| depends(other, uid(object)));
    if has_finalizer(object, ORPHAN) {
        for (key, dependent) in dependents {
            let Some(kind) = custom::by_collection(cluster, &key.collection) else { continue };
            if owner::remove_reference(cluster, kind, dependent, uid(object), &actor()).is_err() {
                return;
            }
        }
        drop_finalizer(cluster, kind, object, ORPHAN);
        return;
    }
    let blocked = dependents.into_iter().any(|(key, dependent)| {
        let blocks = entries(dependent, "/metadata/ownerReferences")
            .iter()
            .any(|reference| text(reference, "/uid") == uid(object) && truth(reference, "/blockOwnerDeletion"));
        blocks && cluster.store.get(key).is_some()
    });
    if !blocked {
        drop_finalizer(cluster, kind, object, FOREGROUND);
    }
}

fn drop_finalizer(cluster: &mut Cluster, kind: &'static Kind, object: &Value, finalizer: &str) {
    let _ = cluster.update(kind, namespace(object), name(object), Part::Main, &actor(), |object| {
        let mut finalizers = entries(object, "/metadata/finalizers").to_vec();
        finalizers.retain(|entry| entry != finalizer);
        if finalizers.is_empty() {
            unset(object, "/metadata/finalizers");
        } else {
            set(object, "/metadata/finalizers", Value::Array(finalizers));
        }
    });
}
