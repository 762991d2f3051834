//! Deleting an object: at once, or in steps.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{Options, update::nothing_holds};
use crate::{
    Cluster, Kind, Status,
    api::{kinds, schema::value::seconds_text, verbs::DeleteOptions},
    dynamic_admission::{self, Review},
    kind::REPLICATION_CONTROLLER,
    object::{entries, is_deleting, number, set, text, unset},
};

/// Namespaces that no one may delete (admission `NamespaceLifecycle`).
const IMMORTAL: [&str; 3] = ["default", "kube-public", "kube-system"];

/// What came of a deletion.
#[derive(Clone, Debug)]
pub struct Gone {
    /// The object as it is now, or as it was last.
    pub object: Value,
    /// Whether it is out of the store.
    pub removed: bool,
}

impl Cluster {
    pub(in crate::api) fn delete_with(
        &mut self,
        kind: &'static Kind,
        namespace: &str,
        name: &str,
        how: &DeleteOptions,
        options: &Options<'_>,
    ) -> Result<Gone, Status> {
        let key = kind.key(namespace, name);
        let old = self.store.get(&key).cloned().ok_or_else(|| Status::not_found(kind, name))?;
        if kind.collection == "namespaces" && IMMORTAL.contains(&name) {
            return Err(Status::forbidden(kind, name, "this namespace may not be deleted"));
        }
        preconditions(kind, name, &old, how)?;
        let review = Review::of(kind, "", &Value::Null, Some(&old), options);
        dynamic_admission::validate(self, &review, &mut Vec::new())?;
        let dry_run = how.dry_run || options.dry_run;
        let mut new = Value::clone(&old);
        self.mark(kind, &mut new, &old, how);
        if nothing_holds(&new) {
            if dry_run {
                return Ok(Gone { object: Value::clone(&old), removed: true });
            }
            (kinds::rules(kind).removed)(self, &old);
            let last = self.store.remove(&key).unwrap_or(old);
            return Ok(Gone { object: Value::clone(&last), removed: true });
        }
        if !dry_run && new != *old {
            new = Value::clone(&self.store.put(key, new));
        }
        Ok(Gone { object: new, removed: false })
    }

    /// Writes into the object what its deletion leaves there: finalizers, and when it is due.
    fn mark(&self, kind: &Kind, new: &mut Value, old: &Value, how: &DeleteOptions) {
        // Who deletes one of these and says nothing else keeps its pods, for old times' sake (`DefaultGarbageCollectionPolicy`).
        let unsaid = kind.collection == REPLICATION_CONTROLLER.collection && !is_deleting(old);
        propagate(new, how.propagation.as_deref().or(unsaid.then_some("Orphan")));
        if is_deleting(old) {
            shorten(new, old, how.grace_seconds);
            return;
        }
        let grace = grace(kind, old, how.grace_seconds);
        let after = Duration::from_secs(u64::try_from(grace).unwrap_or(0));
        let due = seconds_text(self.clock.date(self.now() + after));
        set(new, "/metadata/deletionTimestamp", Value::from(due));
        set(new, "/metadata/deletionGracePeriodSeconds", Value::from(grace));
        if let Some(generation) = number(old, "/metadata/generation") {
            set(new, "/metadata/generation", Value::from(generation + 1));
        }
        (kinds::rules(kind).deleting)(new);
        if kind.collection == "namespaces" {
            unset(new, "/metadata/deletionGracePeriodSeconds");
            set(new, "/status/phase", Value::from("Terminating"));
        }
    }
}

/// A deletion that has begun can only be hurried: as if it had been asked for with the shorter grace in the first place.
fn shorten(new: &mut Value, old: &Value, asked: Option<i64>) {
    let before = number(old, "/metadata/deletionGracePeriodSeconds").unwrap_or(0);
    let Some(grace) = asked.map(|grace| if grace < 0 { 1 } else { grace }).filter(|grace| *grace < before) else {
        return;
    };
    let due = text(old, "/metadata/deletionTimestamp").parse::<jiff::Timestamp>();
    if let Ok(due) = due.and_then(|due| due.checked_sub(SignedDuration::from_secs(before.saturating_sub(grace)))) {
        set(new, "/metadata/deletionTimestamp", Value::from(seconds_text(due)));
    }
    set(new, "/metadata/deletionGracePeriodSeconds", Value::from(grace));
}

/// The seconds a pod has to end; nothing else is given any.
fn grace(kind: &Kind, object: &Value, asked: Option<i64>) -> i64 {
    let ended = matches!(text(object, "/status/phase"), "Succeeded" | "Failed");
    if kind.collection != "pods" || ended || text(object, "/spec/nodeName").is_empty() {
        return 0;
    }
    let grace = asked.or_else(|| number(object, "/spec/terminationGracePeriodSeconds")).unwrap_or(30);
    if grace < 0 { 1 } else { grace }
}

/// What becomes of dependents is the garbage collector's work; finalizers tell it.
fn propagate(object: &mut Value, propagation: Option<&str>) {
    let wanted = match propagation {
        Some("Foreground") => Some("foregroundDeletion"),
        Some("Orphan") => Some("orphan"),
        Some(_) => None,
        None => return,
    };
    let mut list: Vec<Value> = entries(object, "/metadata/finalizers")
        .iter()
        .filter(|finalizer| *finalizer != "foregroundDeletion" && *finalizer != "orphan")
        .cloned()
        .collect();
    list.extend(wanted.map(Value::from));
    if list.is_empty() {
        unset(object, "/metadata/finalizers");
    } else {
        set(object, "/metadata/finalizers", json!(list));
    }
}

fn preconditions(kind: &Kind, name: &str, object: &Value, how: &DeleteOptions) -> Result<(), Status> {
    let uid = text(object, "/metadata/uid");
    if let Some(wanted) = how.uid.as_deref().filter(|wanted| *wanted != uid) {
        return Err(Status::precondition(
            kind,
            name,
            &format!(
                "the UID in the precondition ({wanted}) does not match the UID in record ({uid}). The object might have been deleted and \
                 then recreated"
            ),
        ));
    }
    let version = text(object, "/metadata/resourceVersion");
    if let Some(wanted) = how.resource_version.as_deref().filter(|wanted| *wanted != version) {
        return Err(Status::precondition(
            kind,
            name,
            &format!(
                "the ResourceVersion in the precondition ({wanted}) does not match the ResourceVersion in record ({version}). The object \
                 might have been modified"
            ),
        ));
    }
    Ok(())
}
