//! The claims of a set's pods: made before the pod, kept or not when pod or set go (`stateful_pod_control.go`).

use serde_json::{Value, json};

use super::{KEEPER, View, identity, record_claim};
use crate::{
    Cluster, Status,
    api::verbs::Part,
    controllers::owner,
    kind,
    object::{entries, is_deleting, members, name, namespace, set, text, uid},
};

/// `data-web-0`.
fn claim_name(template: &Value, set_object: &Value, ordinal: i64) -> String {
    format!("{}-{}-{ordinal}", name(template), name(set_object))
}

fn templates(set_object: &Value) -> &[Value] {
    entries(set_object, "/spec/volumeClaimTemplates")
}

/// Puts the claims among the pod's volumes, in place of volumes of their names.
pub(super) fn mount(set_object: &Value, pod: &mut Value, ordinal: i64) {
    if templates(set_object).is_empty() {
        return;
    }
    let mut volumes: Vec<Value> = templates(set_object)
        .iter()
        .map(|template| {
            json!({
                "name": name(template),
                "persistentVolumeClaim": {"claimName": claim_name(template, set_object, ordinal)},
            })
        })
        .collect();
    let is_claim =
        |volume: &Value| templates(set_object).iter().any(|template| name(template) == text(volume, "/name"));
    volumes.extend(entries(pod, "/spec/volumes").iter().filter(|volume| !is_claim(volume)).cloned());
    set(pod, "/spec/volumes", Value::Array(volumes));
}

/// Whether the claims of a place belong to another pod of its name that is on its way out: then nothing is made yet.
pub(super) fn are_stale(cluster: &Cluster, set_object: &Value, pod: &Value, ordinal: i64) -> bool {
    templates(set_object).iter().any(|template| {
        let key = kind::PERSISTENT_VOLUME_CLAIM.key(namespace(set_object), &claim_name(template, set_object, ordinal));
        cluster.store.get(&key).is_some_and(|claim| {
            entries(claim, "/metadata/ownerReferences").iter().any(|reference| {
                text(reference, "/kind") == "Pod"
                    && text(reference, "/name") == name(pod)
                    && text(reference, "/uid") != uid(pod)
            })
        })
    })
}

/// Makes the claims that a pod lacks.
pub(super) fn create_missing(cluster: &mut Cluster, view: &View<'_>, pod: &Value, ordinal: i64) -> Result<(), Status> {
    let space = namespace(view.set).to_owned();
    for template in templates(view.set) {
        let claim = claim_name(template, view.set, ordinal);
        match cluster.store.get(&kind::PERSISTENT_VOLUME_CLAIM.key(&space, &claim)) {
            Some(there) if is_deleting(there) => {
                return Err(Status::internal(format!("pvc {claim} is being deleted")));
            }
            Some(_) => {}
            None => {
                let body = body(view.set, template, &claim);
                let made = cluster.create(&kind::PERSISTENT_VOLUME_CLAIM, &space, body, &KEEPER.actor()).map(drop);
                record_claim(cluster, view.set, pod, &claim, "create", &made);
                made?;
            }
        }
    }
    retain(cluster, view, pod, ordinal)
}

fn body(set_object: &Value, template: &Value, claim: &str) -> Value {
    let mut labels = template["metadata"]["labels"].as_object().cloned().unwrap_or_default();
    for (key, value) in members(set_object, "/spec/selector/matchLabels") {
        labels.insert(key.clone(), value.clone());
    }
    let mut body = template.clone();
    for (pointer, value) in [
        ("/apiVersion", json!("v1")),
        ("/kind", json!("PersistentVolumeClaim")),
        ("/metadata/name", json!(claim)),
        ("/metadata/namespace", json!(namespace(set_object))),
        ("/metadata/labels", Value::Object(labels)),
    ] {
        set(&mut body, pointer, value);
    }
    if let Some(body) = body.as_object_mut() {
        body.remove("status");
    }
    body
}

/// Owners of a claim follow `persistentVolumeClaimRetentionPolicy`: what owns it takes it along when it goes.
pub(super) fn retain(cluster: &mut Cluster, view: &View<'_>, pod: &Value, ordinal: i64) -> Result<(), Status> {
    let policy =
        |field: &str| text(view.set, &format!("/spec/persistentVolumeClaimRetentionPolicy/{field}")) == "Delete";
    let start = identity::start(view.set);
    let replicas = crate::object::number(view.set, "/spec/replicas").unwrap_or(1);
    let is_condemned = ordinal < start || ordinal >= start + replicas;
    let by_pod = policy("whenScaled") && is_condemned;
    let by_set = policy("whenDeleted") && !by_pod;
    let space = namespace(view.set).to_owned();
    for template in templates(view.set) {
        let claim = claim_name(template, view.set, ordinal);
        let Some(there) = cluster.store.get(&kind::PERSISTENT_VOLUME_CLAIM.key(&space, &claim)).cloned() else {
            continue;
        };
        let foreign = |reference: &&Value| {
            let is_pod = text(reference, "/kind") == "Pod" && text(reference, "/name") == name(pod);
            text(reference, "/uid") != uid(view.set) && !is_pod
        };
        let mut owners: Vec<Value> =
            entries(&there, "/metadata/ownerReferences").iter().filter(foreign).cloned().collect();
        if by_set {
            owners.push(owner::reference(KEEPER.kind, view.set));
        }
        if by_pod && !uid(pod).is_empty() {
            owners.push(owner::reference(&kind::POD, pod));
        }
        if owners == entries(&there, "/metadata/ownerReferences") {
            continue;
        }
        cluster.update(&kind::PERSISTENT_VOLUME_CLAIM, &space, &claim, Part::Main, &KEEPER.actor(), |claim| {
            if owners.is_empty() {
                crate::object::unset(claim, "/metadata/ownerReferences");
            } else {
                set(claim, "/metadata/ownerReferences", Value::Array(owners));
            }
        })?;
    }
    Ok(())
}
