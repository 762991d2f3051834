//! Definitions of custom resources: their names are accepted, their kinds established, and a definition that goes takes its objects along
//! (`apiextensions-apiserver/pkg/controller/{status,establish,finalizer}`).

use std::time::Duration;

use breakfix_sim::{Key, StoreEvent, StoreEventKind};
use serde_json::{Value, json};

use super::{Controller, queue::enqueue};
use crate::{
    Cluster, Status,
    api::{
        kinds::CLEAN_UP,
        verbs::{Actor, DeleteOptions, Part},
    },
    custom,
    kind::CUSTOM_RESOURCE_DEFINITION,
    object::{entries, is_deleting, name, set, text, unset},
};

pub const CONTROLLER: Controller = Controller { name: NAME, told, reconcile };

const NAME: &str = "definition";
/// How often a definition that goes looks whether its objects are gone.
const AGAIN: Duration = Duration::from_secs(2);

fn actor() -> Actor {
    Actor { user: "system:apiserver".into(), manager: "kube-apiserver".into() }
}

fn told(cluster: &mut Cluster, event: &StoreEvent) {
    let is_definition = &*event.key.collection == CUSTOM_RESOURCE_DEFINITION.collection;
    if is_definition && event.kind != StoreEventKind::Deleted {
        enqueue(cluster, NAME, &event.key, Duration::ZERO);
    }
}

fn reconcile(cluster: &mut Cluster, key: &Key) -> Result<(), Status> {
    let Some(definition) = cluster.store.get(key).cloned() else { return Ok(()) };
    if is_deleting(&definition) {
        return clean_up(cluster, key, &definition);
    }
    let today = cluster.today();
    let (names, conditions) = settled(cluster, &definition, &today);
    cluster
        .update(&CUSTOM_RESOURCE_DEFINITION, "", name(&definition), Part::Status, &actor(), |object| {
            set(object, "/status/acceptedNames", names);
            set(object, "/status/conditions", json!(conditions));
        })
        .map(drop)
}

/// The names that a definition is given, and its conditions.
fn settled(cluster: &Cluster, definition: &Value, today: &str) -> (Value, Vec<Value>) {
    let wanted = definition.pointer("/spec/names").cloned().unwrap_or_default();
    let (accepted, names) = match conflict(cluster, definition, &wanted) {
        Some((reason, message)) => {
            let before = definition.pointer("/status/acceptedNames").cloned().unwrap_or_default();
            (("False", reason, message), before)
        }
        None => (("True", "NoConflicts", "no conflicts found".to_owned()), wanted),
    };
    let before = |kind: &str| {
        entries(definition, "/status/conditions").iter().find(|condition| text(condition, "/type") == kind).cloned()
    };
    let is_established = before("Established").is_some_and(|condition| text(&condition, "/status") == "True");
    let established = if is_established || accepted.0 == "True" {
        ("True", "InitialNamesAccepted", "the initial names have been accepted".to_owned())
    } else {
        ("False", "NotAccepted", "not all names are accepted".to_owned())
    };
    let mut conditions: Vec<Value> = [("NamesAccepted", accepted), ("Established", established)]
        .into_iter()
        .map(|(kind, (status, reason, message))| {
            let known = before(kind).filter(|known| text(known, "/status") == status);
            let since = known.map_or_else(|| today.to_owned(), |known| text(&known, "/lastTransitionTime").to_owned());
            json!({"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": since})
        })
        .collect();
    conditions.extend(
        entries(definition, "/status/conditions")
            .iter()
            .filter(|condition| !["NamesAccepted", "Established"].contains(&text(condition, "/type")))
            .cloned(),
    );
    (names, conditions)
}

/// A name of a definition that another kind of its group has already.
fn conflict(cluster: &Cluster, definition: &Value, wanted: &Value) -> Option<(&'static str, String)> {
    let group = text(definition, "/spec/group");
    let others: Vec<Value> = cluster
        .list(&CUSTOM_RESOURCE_DEFINITION, None)
        .filter(|other| name(other) != name(definition) && text(other, "/spec/group") == group)
        .filter_map(|other| other.pointer("/status/acceptedNames").cloned())
        .collect();
    let taken = |members: &[&str], given: &str| {
        let is_one = |other: &Value| members.iter().any(|member| text(other, &format!("/{member}")) == given);
        let is_short = |other: &Value| entries(other, "/shortNames").iter().any(|short| short == given);
        !given.is_empty()
            && others.iter().any(|other| is_one(other) || (members.contains(&"plural") && is_short(other)))
    };
    let resources = ["plural", "singular"];
    let kinds = ["kind", "listKind"];
    let say = |given: &str| format!("{given:?} is already in use");
    for (member, reason, members) in [
        ("listKind", "ListKindConflict", &kinds),
        ("kind", "KindConflict", &kinds),
        ("singular", "SingularConflict", &resources),
        ("plural", "PluralConflict", &resources),
    ] {
        let given = text(wanted, &format!("/{member}"));
        if taken(members, given) {
            return Some((reason, say(given)));
        }
    }
    let short = entries(wanted, "/shortNames").iter().filter_map(Value::as_str).find(|short| taken(&resources, short));
    short.map(|short| ("ShortNamesConflict", say(short)))
}

/// Deletes the objects of a definition; once none is left, lets it go.
fn clean_up(cluster: &mut Cluster, key: &Key, definition: &Value) -> Result<(), Status> {
    if !entries(definition, "/metadata/finalizers").iter().any(|finalizer| finalizer == CLEAN_UP) {
        return Ok(());
    }
    if let Some(kind) = custom::stored(definition) {
        let there: Vec<(String, String)> = cluster
            .store
            .list(kind.collection, None)
            .map(|(key, _)| (key.namespace.to_string(), key.name.to_string()))
            .collect();
        for (namespace, object) in &there {
            // What has finalizers stays for now.
            let _ = cluster.delete(kind, namespace, object, &DeleteOptions::default(), &actor());
        }
        if cluster.store.list(kind.collection, None).next().is_some() {
            enqueue(cluster, NAME, key, AGAIN);
            return Ok(());
        }
    }
    cluster
        .update(&CUSTOM_RESOURCE_DEFINITION, "", name(definition), Part::Main, &actor(), |object| {
            let mut finalizers = entries(object, "/metadata/finalizers").to_vec();
            finalizers.retain(|finalizer| finalizer != CLEAN_UP);
            if finalizers.is_empty() {
                unset(object, "/metadata/finalizers");
            } else {
                set(object, "/metadata/finalizers", Value::Array(finalizers));
            }
        })
        .map(drop)
}
