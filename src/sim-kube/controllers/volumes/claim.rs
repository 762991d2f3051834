//! Claims: what a claim that is not bound waits for, and what a bound one has lost (`syncClaim`).

use std::sync::Arc;

use breakfix_sim::{Key, StoreEvent, StoreEventKind};
use serde_json::{Value, json};

use super::{
    BIND_COMPLETED, BOUND_BY_CONTROLLER, COMPONENT, LAG, PROVISIONER, PROVISIONER_BETA, SELECTED_NODE, actor,
    annotation, bind, class, is_for_claim, matching, until_resync,
};
use crate::{
    Cluster, Status,
    api::verbs::Part,
    controllers::{
        Controller,
        events::{self, Note},
        pod_state,
        queue::enqueue,
    },
    kind,
    object::{entries, name, namespace, set, text, uid},
};

pub(super) const CONTROLLER: Controller = Controller { name: NAME, told, reconcile };

const NAME: &str = "volume-claims";

fn told(cluster: &mut Cluster, event: &StoreEvent) {
    let collection = &*event.key.collection;
    if collection == kind::PERSISTENT_VOLUME_CLAIM.collection && event.kind != StoreEventKind::Deleted {
        enqueue(cluster, NAME, &event.key, LAG);
    } else if collection == kind::PERSISTENT_VOLUME.collection && event.kind == StoreEventKind::Deleted {
        // A claim whose volume is gone is lost at once.
        look_again(cluster, &event.object);
    }
}

/// Queues the claim that a volume is for.
pub(super) fn look_again(cluster: &mut Cluster, volume: &Value) {
    let (space, own) = (text(volume, "/spec/claimRef/namespace"), text(volume, "/spec/claimRef/name"));
    if !own.is_empty() {
        let key = kind::PERSISTENT_VOLUME_CLAIM.key(space, own);
        enqueue(cluster, NAME, &key, LAG);
    }
}

fn reconcile(cluster: &mut Cluster, key: &Key) -> Result<(), Status> {
    let Some(claim) = cluster.store.get(key).cloned() else { return Ok(()) };
    if !annotation(&claim, BIND_COMPLETED).is_empty() {
        return bound(cluster, &claim);
    }
    unbound(cluster, &claim)?;
    let is_bound = cluster.store.get(key).is_none_or(|claim| !annotation(claim, BIND_COMPLETED).is_empty());
    if !is_bound {
        let again = until_resync(cluster);
        enqueue(cluster, NAME, key, again);
    }
    Ok(())
}

fn note(cluster: &mut Cluster, claim: &Value, note: Note) {
    events::record(cluster, COMPONENT, claim, note);
}

/// `syncUnboundClaim`.
fn unbound(cluster: &mut Cluster, claim: &Value) -> Result<(), Status> {
    let wanted = text(claim, "/spec/volumeName");
    if !wanted.is_empty() {
        return by_name(cluster, claim, wanted);
    }
    let with_class = take_default_class(cluster, claim)?;
    let claim = with_class.as_ref().unwrap_or(claim);
    let is_delayed = class::is_delayed(&cluster.store, claim);
    let volumes: Vec<Arc<Value>> =
        cluster.store.list(kind::PERSISTENT_VOLUME.collection, None).map(|(_, volume)| Arc::clone(volume)).collect();
    if let Some(volume) = matching::find(claim, volumes.iter().map(AsRef::as_ref), None, is_delayed) {
        return bind::bind(cluster, volume, claim);
    }
    if is_delayed && annotation(claim, SELECTED_NODE).is_empty() {
        wait_for_pod(cluster, claim);
    } else if class::name_of(claim).is_empty() {
        let message = "no persistent volumes available for this claim and no storage class is set";
        note(cluster, claim, Note::normal("FailedBinding", message));
    } else {
        provision(cluster, claim)?;
    }
    set_phase(cluster, claim, "Pending")
}

/// A claim that named no class gets the default one as soon as there is one (`RetroactiveDefaultStorageClass`).
fn take_default_class(cluster: &mut Cluster, claim: &Value) -> Result<Option<Value>, Status> {
    if !class::is_unsaid(claim) {
        return Ok(None);
    }
    let Some(default) = class::default(&cluster.store).map(|class| name(class).to_owned()) else { return Ok(None) };
    let edit = |claim: &mut Value| set(claim, "/spec/storageClassName", json!(default));
    let (space, own) = (namespace(claim), name(claim));
    cluster.update(&kind::PERSISTENT_VOLUME_CLAIM, space, own, Part::Main, &actor(), edit).map(Some)
}

/// The claim names its volume.
fn by_name(cluster: &mut Cluster, claim: &Value, wanted: &str) -> Result<(), Status> {
    let Some(volume) = cluster.store.get(&kind::PERSISTENT_VOLUME.key("", wanted)).cloned() else {
        return set_phase(cluster, claim, "Pending");
    };
    let is_free = !volume.pointer("/spec/claimRef").is_some_and(Value::is_object);
    if is_free {
        if let Some(why) = matching::refuse(&volume, claim) {
            let message = format!("Cannot bind to requested volume \"{wanted}\": {why}");
            note(cluster, claim, Note::warning("VolumeMismatch", &message));
            return set_phase(cluster, claim, "Pending");
        }
        return bind::bind(cluster, &volume, claim);
    }
    if is_for_claim(&volume, claim) {
        return bind::bind(cluster, &volume, claim);
    }
    if annotation(claim, BOUND_BY_CONTROLLER).is_empty() {
        let message = format!("volume \"{wanted}\" already bound to a different claim.");
        note(cluster, claim, Note::warning("FailedBinding", &message));
    }
    set_phase(cluster, claim, "Pending")
}

/// The volume is chosen together with the pod's node: there is no pod yet, or it has none.
fn wait_for_pod(cluster: &mut Cluster, claim: &Value) {
    let mut pods: Vec<String> = cluster
        .store
        .list(kind::POD.collection, Some(namespace(claim)))
        .map(|(_, pod)| pod)
        .filter(|pod| !pod_state::is_terminal(pod) && text(pod, "/spec/nodeName").is_empty() && uses(pod, name(claim)))
        .map(|pod| name(pod).to_owned())
        .collect();
    pods.sort();
    if pods.is_empty() {
        let message = "waiting for first consumer to be created before binding";
        note(cluster, claim, Note::normal("WaitForFirstConsumer", message));
    } else {
        let plural = if pods.len() > 1 { "pods" } else { "pod" };
        let message = format!("waiting for {plural} {} to be scheduled", pods.join(","));
        note(cluster, claim, Note::normal("WaitForPodScheduled", &message));
    }
}

/// Whether a pod has the claim of this name among its volumes.
pub(super) fn uses(pod: &Value, claim: &str) -> bool {
    entries(pod, "/spec/volumes").iter().any(|volume| text(volume, "/persistentVolumeClaim/claimName") == claim)
}

/// `provisionClaim`: says who is to make the volume. Whoever that is makes it.
fn provision(cluster: &mut Cluster, claim: &Value) -> Result<(), Status> {
    let wanted = class::name_of(claim);
    let Some(class) = class::find(&cluster.store, wanted).cloned() else {
        let message = format!("storageclass.storage.k8s.io \"{wanted}\" not found");
        note(cluster, claim, Note::warning("ProvisioningFailed", &message));
        return Ok(());
    };
    let provisioner = match class::provisioner(&class) {
        Ok(provisioner) => provisioner,
        Err(why) => {
            note(cluster, claim, Note::warning("ProvisioningFailed", &why));
            return Ok(());
        }
    };
    let edit = |claim: &mut Value| {
        if !claim["metadata"]["annotations"].is_object() {
            set(claim, "/metadata/annotations", json!({}));
        }
        for key in [PROVISIONER, PROVISIONER_BETA] {
            claim["metadata"]["annotations"][key] = json!(provisioner);
        }
    };
    let (space, own) = (namespace(claim), name(claim));
    cluster.update(&kind::PERSISTENT_VOLUME_CLAIM, space, own, Part::Main, &actor(), edit)?;
    let message = format!(
        "Waiting for a volume to be created either by the external provisioner '{provisioner}' or manually by the system administrator. \
         If volume creation is delayed, please verify that the provisioner is running and correctly registered."
    );
    note(cluster, claim, Note::normal("ExternalProvisioning", &message));
    Ok(())
}

/// `syncBoundClaim`.
fn bound(cluster: &mut Cluster, claim: &Value) -> Result<(), Status> {
    let volume = text(claim, "/spec/volumeName");
    if volume.is_empty() {
        let message = "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!";
        return lose(cluster, claim, "ClaimLost", message);
    }
    let Some(volume) = cluster.store.get(&kind::PERSISTENT_VOLUME.key("", volume)).cloned() else {
        let message = "Bound claim has lost its PersistentVolume. Data on the volume is lost!";
        return lose(cluster, claim, "ClaimLost", message);
    };
    let owner = text(&volume, "/spec/claimRef/uid");
    if owner.is_empty() && (is_for_claim(&volume, claim) || volume["spec"]["claimRef"].is_null()) || owner == uid(claim)
    {
        // Where all is as it should be this writes nothing.
        return bind::bind(cluster, &volume, claim);
    }
    let message = "Two claims are bound to the same volume, this one is bound incorrectly";
    lose(cluster, claim, "ClaimMisbound", message)
}

fn lose(cluster: &mut Cluster, claim: &Value, reason: &str, message: &str) -> Result<(), Status> {
    if text(claim, "/status/phase") == "Lost" {
        return Ok(());
    }
    set_phase(cluster, claim, "Lost")?;
    note(cluster, claim, Note::warning(reason, message));
    Ok(())
}

/// A claim that is not bound has neither size nor access modes.
fn set_phase(cluster: &mut Cluster, claim: &Value, phase: &str) -> Result<(), Status> {
    let edit = |claim: &mut Value| {
        if text(claim, "/status/phase") != phase {
            set(claim, "/status", json!({"phase": phase}));
        }
    };
    let (space, own) = (namespace(claim), name(claim));
    cluster.update(&kind::PERSISTENT_VOLUME_CLAIM, space, own, Part::Status, &actor(), edit).map(drop)
}
