//! ControllerRevisions: the templates that a DaemonSet or StatefulSet has had (`pkg/controller/history`).

use std::sync::Arc;

use serde_json::{Value, json};

use super::{owner, pod_control::actor, template_hash};
use crate::{
    Cluster, Kind, Status,
    api::verbs::{DeleteOptions, Part},
    kind,
    object::{name, namespace, number, set, text},
};

/// The label by which pods name the template they were made from.
pub const REVISION_HASH: &str = "controller-revision-hash";

/// What a revision holds: a patch that puts the template back.
pub fn patch_of(owner: &Value) -> Value {
    let mut template = owner["spec"]["template"].clone();
    template_hash::drop_nulls(&mut template);
    template["$patch"] = json!("replace");
    json!({"spec": {"template": template}})
}

/// The template that a revision holds.
pub fn template_of(revision: &Value) -> Value {
    let mut template = revision["data"]["spec"]["template"].clone();
    if let Some(template) = template.as_object_mut() {
        template.remove("$patch");
    }
    template
}

/// Whether a revision holds this patch.
pub fn holds(revision: &Value, patch: &Value) -> bool {
    let mut data = revision["data"].clone();
    template_hash::drop_nulls(&mut data);
    data == *patch
}

/// A revision's number.
pub fn number_of(revision: &Value) -> i64 {
    number(revision, "/revision").unwrap_or(0)
}

/// The owner's revisions, the oldest first; orphans that fit are adopted.
///
/// # Errors
/// The API refused an adoption or a release.
pub fn list(
    cluster: &mut Cluster,
    kind: &'static Kind,
    owner: &Value,
    account: &str,
) -> Result<Vec<Arc<Value>>, Status> {
    let mut revisions = owner::claim(cluster, kind, owner, &kind::CONTROLLER_REVISION, &actor(account), |_| true)?;
    revisions.sort_by_cached_key(|revision| {
        (number_of(revision), text(revision, "/metadata/creationTimestamp").to_owned(), name(revision).to_owned())
    });
    Ok(revisions)
}

/// A revision to be made.
pub struct New<'a> {
    pub kind: &'static Kind,
    pub owner: &'a Value,
    /// The label that carries the hash.
    pub label: &'a str,
    pub hash: &'a str,
    pub number: i64,
}

/// Makes a revision; `None` where another one has its name, which calls for another hash.
///
/// # Errors
/// The API refused it.
pub fn create(cluster: &mut Cluster, new: &New<'_>, account: &str) -> Result<Option<Arc<Value>>, Status> {
    let patch = patch_of(new.owner);
    let space = namespace(new.owner);
    // A name is no longer than 253 characters, the hash included.
    let front: String = name(new.owner).chars().take(223).collect();
    let revision = format!("{front}-{}", new.hash);
    let mut labels = new.owner["spec"]["template"]["metadata"]["labels"].as_object().cloned().unwrap_or_default();
    labels.insert(new.label.to_owned(), json!(new.hash));
    let mut metadata = json!({
        "name": revision,
        "namespace": space,
        "labels": labels,
        "ownerReferences": [owner::reference(new.kind, new.owner)],
    });
    if let Some(annotations) = new.owner["metadata"].get("annotations").filter(|annotations| annotations.is_object()) {
        metadata["annotations"] = annotations.clone();
    }
    let body = json!({
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": metadata,
        "data": patch,
        "revision": new.number,
    });
    match cluster.create(&kind::CONTROLLER_REVISION, space, body, &actor(account)) {
        Ok(made) => Ok(Some(Arc::new(made))),
        Err(status) if status.reason == "AlreadyExists" => {
            let there = cluster.store.get(&kind::CONTROLLER_REVISION.key(space, &revision)).cloned();
            Ok(there.filter(|there| owner::controls(new.owner, there) && holds(there, &patch_of(new.owner))))
        }
        Err(status) => Err(status),
    }
}

/// Gives a revision another number: it is the newest again.
///
/// # Errors
/// The API refused it.
pub fn renumber(
    cluster: &mut Cluster,
    revision: &Arc<Value>,
    number: i64,
    account: &str,
) -> Result<Arc<Value>, Status> {
    if number_of(revision) == number {
        return Ok(Arc::clone(revision));
    }
    let (space, own) = (namespace(revision).to_owned(), name(revision).to_owned());
    cluster
        .update(&kind::CONTROLLER_REVISION, &space, &own, Part::Main, &actor(account), |revision| {
            set(revision, "/revision", json!(number));
        })
        .map(Arc::new)
}

/// Deletes a revision.
///
/// # Errors
/// The API refused it for another reason than that it is gone.
pub fn delete(cluster: &mut Cluster, revision: &Value, account: &str) -> Result<(), Status> {
    let options = DeleteOptions::default();
    let gone =
        cluster.delete(&kind::CONTROLLER_REVISION, namespace(revision), name(revision), &options, &actor(account));
    match gone {
        Err(status) if status.code != 404 => Err(status),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_puts_back_the_template_it_was_made_of() {
        let owner =
            json!({"spec": {"replicas": 3, "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"a": 1}}}});
        let patch = patch_of(&owner);
        assert_eq!(patch["spec"]["template"]["$patch"], "replace");
        assert!(patch["spec"].get("replicas").is_none(), "only the template is history");
        let revision = json!({"data": patch, "revision": 2});
        assert!(holds(&revision, &patch_of(&owner)));
        assert_eq!(template_of(&revision), owner["spec"]["template"]);
        let mut other = owner.clone();
        set(&mut other, "/spec/template/spec/a", json!(2));
        assert!(!holds(&revision, &patch_of(&other)));
    }
}
