//! Volumes: free, bound, released, and what is done with one whose claim is gone (`syncVolume`).

use std::time::Duration;

use breakfix_sim::{Key, StoreEvent, StoreEventKind};
use serde_json::Value;

use super::{COMPONENT, LAG, PROVISIONED_BY, actor, annotation, bind, claim, matching};
use crate::{
    Cluster, Status,
    api::verbs::DeleteOptions,
    controllers::{
        Controller,
        events::{self, Note},
        queue::enqueue,
    },
    kind,
    object::{is_deleting, name, text, uid},
};

pub(super) const CONTROLLER: Controller = Controller { name: NAME, told, reconcile };

const NAME: &str = "volumes";
/// From a claim's end to the look at its volume.
const RELEASE: Duration = Duration::from_millis(12);

fn told(cluster: &mut Cluster, event: &StoreEvent) {
    let collection = &*event.key.collection;
    if collection == kind::PERSISTENT_VOLUME.collection && event.kind != StoreEventKind::Deleted {
        enqueue(cluster, NAME, &event.key, LAG);
    } else if collection == kind::PERSISTENT_VOLUME_CLAIM.collection {
        let volume = text(&event.object, "/spec/volumeName");
        if !volume.is_empty() {
            enqueue(cluster, NAME, &kind::PERSISTENT_VOLUME.key("", volume), RELEASE);
        }
    }
}

fn reconcile(cluster: &mut Cluster, key: &Key) -> Result<(), Status> {
    let Some(volume) = cluster.store.get(key).cloned() else { return Ok(()) };
    let reference = &volume["spec"]["claimRef"];
    let owner = text(reference, "/uid");
    if !reference.is_object() || owner.is_empty() {
        return bind::set_phase(cluster, name(&volume), "Available", "");
    }
    let key = kind::PERSISTENT_VOLUME_CLAIM.key(text(reference, "/namespace"), text(reference, "/name"));
    let Some(found) = cluster.store.get(&key).filter(|claim| uid(claim) == owner).cloned() else {
        return release(cluster, &volume);
    };
    match text(&found, "/spec/volumeName") {
        "" => {
            if matching::mode(&volume) != matching::mode(&found) {
                let message = format!(
                    "Cannot bind PersistentVolume \"{}\" to requested PersistentVolumeClaim \"{}\" due to incompatible volumeMode.",
                    name(&volume),
                    name(&found)
                );
                events::record(cluster, COMPONENT, &volume, Note::warning("VolumeMismatch", &message));
            } else {
                claim::look_again(cluster, &volume);
            }
            Ok(())
        }
        bound if bound == name(&volume) => bind::set_phase(cluster, bound, "Bound", ""),
        // The claim has another volume: one that was made for it is of no use any more.
        _ if !annotation(&volume, PROVISIONED_BY).is_empty() && policy(&volume) == "Delete" => {
            release(cluster, &volume)
        }
        _ => bind::unbind(cluster, &volume),
    }
}

pub(super) fn policy(volume: &Value) -> &str {
    text(volume, "/spec/persistentVolumeReclaimPolicy")
}

/// The claim is gone.
fn release(cluster: &mut Cluster, volume: &Value) -> Result<(), Status> {
    if !matches!(text(volume, "/status/phase"), "Released" | "Failed") {
        bind::set_phase(cluster, name(volume), "Released", "")?;
    }
    match policy(volume) {
        "Delete" if !is_deleting(volume) => reclaim(cluster, volume),
        "Recycle" => fail(cluster, volume, "VolumeFailedRecycle", "No recycler plugin found for the volume!"),
        _ => Ok(()),
    }
}

/// What was made by a provisioner is taken away by it. The controller itself can only remove folders below `/tmp`.
fn reclaim(cluster: &mut Cluster, volume: &Value) -> Result<(), Status> {
    if !annotation(volume, PROVISIONED_BY).is_empty() {
        return Ok(());
    }
    let path = text(volume, "/spec/hostPath/path");
    if path.is_empty() {
        let why = format!(
            "error getting deleter volume plugin for volume \"{}\": no deletable volume plugin matched",
            name(volume)
        );
        return fail(cluster, volume, "VolumeFailedDelete", &why);
    }
    if !path.starts_with("/tmp/") || path.len() == "/tmp/".len() {
        let why = format!("host_path deleter only supports /tmp/.+ but received provided {path}");
        return fail(cluster, volume, "VolumeFailedDelete", &why);
    }
    match cluster.delete(&kind::PERSISTENT_VOLUME, "", name(volume), &DeleteOptions::default(), &actor()) {
        Err(status) if status.code != 404 => Err(status),
        _ => Ok(()),
    }
}

fn fail(cluster: &mut Cluster, volume: &Value, reason: &str, why: &str) -> Result<(), Status> {
    if text(volume, "/status/phase") == "Failed" {
        return Ok(());
    }
    bind::set_phase(cluster, name(volume), "Failed", why)?;
    events::record(cluster, COMPONENT, volume, Note::warning(reason, why));
    Ok(())
}
