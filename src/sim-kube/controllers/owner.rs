//! Owners: references, and the adoption and release of dependents (`pkg/controller/controller_ref_manager.go`).

use std::sync::Arc;

use breakfix_sim::StoreEvent;
use serde_json::{Value, json};

use crate::{
    Cluster, Kind, Status,
    api::{
        select::label,
        verbs::{Actor, Part},
    },
    controllers::selector,
    object::{controller, entries, is_deleting, name, namespace, text, uid},
};

/// A controlling, blocking reference to `owner`.
pub fn reference(kind: &Kind, owner: &Value) -> Value {
    json!({
        "apiVersion": kind.api_version(),
        "kind": kind.kind,
        "name": name(owner),
        "uid": uid(owner),
        "controller": true,
        "blockOwnerDeletion": true,
    })
}

/// Whether this object controls that one.
pub fn controls(owner: &Value, dependent: &Value) -> bool {
    controller(dependent).is_some_and(|reference| text(reference, "/uid") == uid(owner))
}

/// The name of the dependent's controller, if it is of this kind.
pub fn controller_name<'a>(dependent: &'a Value, kind: &Kind) -> Option<&'a str> {
    let reference = controller(dependent)?;
    let group = text(reference, "/apiVersion").rsplit_once('/').map_or("", |(group, _)| group);
    (text(reference, "/kind") == kind.kind && group == kind.group).then(|| text(reference, "/name"))
}

/// The controllers of this kind that a write to a dependent concerns: that of the object now and that of before.
pub fn controllers_concerned(event: &StoreEvent, kind: &Kind) -> Vec<String> {
    let mut names: Vec<String> = [Some(&event.object), event.before.as_ref()]
        .into_iter()
        .flatten()
        .filter_map(|object| controller_name(object, kind))
        .map(str::to_owned)
        .collect();
    names.dedup();
    names
}

/// The dependents of `owner` of one kind: those it controls and that its selector fits. Orphans that fit are adopted, its own that
/// no longer fit are released; `candidate` says which orphans may be adopted at all.
///
/// # Errors
/// The API refused an adoption or a release.
pub fn claim(
    cluster: &mut Cluster,
    owner_kind: &'static Kind,
    owner: &Value,
    kind: &'static Kind,
    actor: &Actor,
    candidate: impl Fn(&Value) -> bool,
) -> Result<Vec<Arc<Value>>, Status> {
    let space = namespace(owner).to_owned();
    let all: Vec<Arc<Value>> =
        cluster.store.list(kind.collection, Some(&space)).map(|(_, object)| Arc::clone(object)).collect();
    let wanted = label::of(owner_kind, owner);
    let mut claimed = Vec::new();
    for object in all {
        let fits = selector::selects(Some(&wanted), &object);
        match controller(&object) {
            Some(reference) if text(reference, "/uid") != uid(owner) => {}
            Some(_) if fits => claimed.push(object),
            Some(_) => release(cluster, kind, owner, &object, actor)?,
            None if fits && !is_deleting(owner) && !is_deleting(&object) && candidate(&object) => {
                claimed.push(adopt(cluster, owner_kind, owner, kind, &object, actor)?);
            }
            None => {}
        }
    }
    Ok(claimed)
}

fn adopt(
    cluster: &mut Cluster,
    owner_kind: &'static Kind,
    owner: &Value,
    kind: &'static Kind,
    object: &Value,
    actor: &Actor,
) -> Result<Arc<Value>, Status> {
    let reference = reference(owner_kind, owner);
    let adopted = cluster.update(kind, namespace(object), name(object), Part::Main, actor, |object| {
        let mut owners = entries(object, "/metadata/ownerReferences").to_vec();
        owners.push(reference);
        crate::object::set(object, "/metadata/ownerReferences", Value::Array(owners));
    })?;
    Ok(Arc::new(adopted))
}

fn release(
    cluster: &mut Cluster,
    kind: &'static Kind,
    owner: &Value,
    object: &Value,
    actor: &Actor,
) -> Result<(), Status> {
    if is_deleting(owner) {
        return Ok(());
    }
    remove_reference(cluster, kind, object, uid(owner), actor)
}

/// Takes the reference to the owner of this uid out of an object.
///
/// # Errors
/// The API refused it for another reason than that the object is gone.
pub fn remove_reference(
    cluster: &mut Cluster,
    kind: &'static Kind,
    object: &Value,
    owner_uid: &str,
    actor: &Actor,
) -> Result<(), Status> {
    let done = cluster.update(kind, namespace(object), name(object), Part::Main, actor, |object| {
        let mut owners = entries(object, "/metadata/ownerReferences").to_vec();
        owners.retain(|reference| text(reference, "/uid") != owner_uid);
        if owners.is_empty() {
            crate::object::unset(object, "/metadata/ownerReferences");
        } else {
            crate::object::set(object, "/metadata/ownerReferences", Value::Array(owners));
        }
    });
    match done {
        Err(status) if status.code != 404 => Err(status),
        _ => Ok(()),
    }
}
