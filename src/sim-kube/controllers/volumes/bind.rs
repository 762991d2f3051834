//! Tying a volume and a claim together, and taking them apart: first the volume, then the claim (`bind`, `unbindVolume`).

use serde_json::{Value, json};

use super::{BIND_COMPLETED, BOUND_BY_CONTROLLER, actor, annotation, is_for_claim};
use crate::{
    Cluster, Status,
    api::{schema::value::seconds_text, verbs::Part},
    kind,
    object::{name, namespace, set, text, uid, unset},
};

/// A reference to a claim, as a volume keeps it.
pub fn reference(claim: &Value) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "name": name(claim),
        "namespace": namespace(claim),
        "resourceVersion": claim["metadata"]["resourceVersion"],
        "uid": uid(claim),
    })
}

fn annotate(object: &mut Value, key: &str) {
    if !object["metadata"]["annotations"].is_object() {
        set(object, "/metadata/annotations", json!({}));
    }
    object["metadata"]["annotations"][key] = json!("yes");
}

/// Sets a volume aside for a claim; the scheduler does the same for claims that wait for their pod's node.
///
/// # Errors
/// A [`Status`] in the API's words.
pub(super) fn set_aside(cluster: &mut Cluster, volume: &Value, claim: &Value) -> Result<(), Status> {
    let is_complete = is_for_claim(volume, claim) && text(volume, "/spec/claimRef/uid") == uid(claim);
    if is_complete {
        return Ok(());
    }
    let was_kept = is_for_claim(volume, claim);
    let reference = reference(claim);
    let edit = |volume: &mut Value| {
        set(volume, "/spec/claimRef", reference);
        if !was_kept {
            annotate(volume, BOUND_BY_CONTROLLER);
        }
    };
    cluster.update(&kind::PERSISTENT_VOLUME, "", name(volume), Part::Main, &actor(), edit).map(drop)
}

/// Ties the two together.
pub(super) fn bind(cluster: &mut Cluster, volume: &Value, claim: &Value) -> Result<(), Status> {
    set_aside(cluster, volume, claim)?;
    set_phase(cluster, name(volume), "Bound", "")?;
    let volume = cluster.get(&kind::PERSISTENT_VOLUME, "", name(volume))?;
    let volume_name = name(&volume).to_owned();
    let edit = |claim: &mut Value| {
        if text(claim, "/spec/volumeName") != volume_name {
            set(claim, "/spec/volumeName", json!(volume_name));
            annotate(claim, BOUND_BY_CONTROLLER);
        }
        if annotation(claim, BIND_COMPLETED).is_empty() {
            annotate(claim, BIND_COMPLETED);
        }
    };
    let (space, own) = (namespace(claim), name(claim));
    cluster.update(&kind::PERSISTENT_VOLUME_CLAIM, space, own, Part::Main, &actor(), edit)?;
    let edit = |claim: &mut Value| {
        set(claim, "/status/phase", json!("Bound"));
        set(claim, "/status/accessModes", volume["spec"]["accessModes"].clone());
        set(claim, "/status/capacity", volume["spec"]["capacity"].clone());
    };
    cluster.update(&kind::PERSISTENT_VOLUME_CLAIM, space, own, Part::Status, &actor(), edit).map(drop)
}

/// Takes a claim's mark off a volume: all of it where the controller made it, the uid where a user did.
pub(super) fn unbind(cluster: &mut Cluster, volume: &Value) -> Result<(), Status> {
    let edit = |volume: &mut Value| {
        if annotation(volume, BOUND_BY_CONTROLLER).is_empty() {
            unset(volume, "/spec/claimRef/uid");
        } else {
            unset(volume, "/spec/claimRef");
            if let Some(annotations) = volume["metadata"]["annotations"].as_object_mut() {
                annotations.remove(BOUND_BY_CONTROLLER);
            }
        }
    };
    cluster.update(&kind::PERSISTENT_VOLUME, "", name(volume), Part::Main, &actor(), edit)?;
    set_phase(cluster, name(volume), "Available", "")
}

/// Writes a volume's phase, with a message where something went wrong.
pub(super) fn set_phase(cluster: &mut Cluster, volume: &str, phase: &str, message: &str) -> Result<(), Status> {
    let now = seconds_text(cluster.clock.today());
    let edit = |volume: &mut Value| {
        if text(volume, "/status/phase") == phase {
            return;
        }
        set(volume, "/status/phase", json!(phase));
        set(volume, "/status/lastPhaseTransitionTime", json!(now));
        if message.is_empty() {
            unset(volume, "/status/message");
        } else {
            set(volume, "/status/message", json!(message));
        }
    };
    cluster.update(&kind::PERSISTENT_VOLUME, "", volume, Part::Status, &actor(), edit).map(drop)
}
