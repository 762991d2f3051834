//! Volumes and claims: who gets which volume, who makes one, who takes it away (`pkg/controller/volume`).
//!
//! `claim` and `volume` are the two halves of the binding controller, `matching` says which volume a claim may have, `class` what its class
//! says, `protection` keeps what is in use, `local_path` is the provisioner that runs in the cluster, as a pod of it. What a pod's place has
//! to do with its volumes is the scheduler's part (`scheduler/volume_binding.rs`).

mod bind;
mod claim;
pub mod class;
mod local_path;
pub mod matching;
mod protection;
mod volume;

use std::{collections::BTreeMap, time::Duration};

use breakfix_sim::SimTime;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use bind::reference;
pub(crate) use local_path::{APP as LOCAL_PATH_APP, SPACE as LOCAL_PATH_SPACE};

use super::Controller;
use crate::{
    Cluster,
    api::verbs::Actor,
    object::{name, text},
};

pub const CLAIMS: Controller = claim::CONTROLLER;
pub const VOLUMES: Controller = volume::CONTROLLER;
pub const CLAIM_PROTECTION: Controller = protection::CLAIMS;
pub const VOLUME_PROTECTION: Controller = protection::VOLUMES;
pub const LOCAL_PATH: Controller = local_path::CONTROLLER;

/// The binding of a claim has been completed once: from then on it is bound or lost.
pub const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";
/// The controller, not the user, tied the two together.
pub const BOUND_BY_CONTROLLER: &str = "pv.kubernetes.io/bound-by-controller";
/// Who made a volume.
pub const PROVISIONED_BY: &str = "pv.kubernetes.io/provisioned-by";
/// Who is to make a claim's volume; the old name of it is written as well.
pub const PROVISIONER: &str = "volume.kubernetes.io/storage-provisioner";
const PROVISIONER_BETA: &str = "volume.beta.kubernetes.io/storage-provisioner";
/// The node for which the scheduler wants the volume.
pub const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";

const COMPONENT: &str = "persistentvolume-controller";
/// From a write to the controllers' look at it.
const LAG: Duration = Duration::from_millis(7);
/// `PVClaimBinderSyncPeriod`: how often everything that is not bound is looked at again.
const RESYNC: u64 = 15_000;

/// What the provisioner is busy with.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Memory {
    /// Claims (by uid) whose volumes are being made, volumes (by uid) that are being taken away: until when.
    pub(super) busy: BTreeMap<String, SimTime>,
    /// Claims (by uid) whose volumes could not be made: how often.
    pub(super) failures: BTreeMap<String, u32>,
}

fn actor() -> Actor {
    Actor {
        user: "system:serviceaccount:kube-system:persistent-volume-binder".into(),
        manager: "kube-controller-manager".into(),
    }
}

/// How long until the next regular look at everything: all of it is looked at together.
fn until_resync(cluster: &Cluster) -> Duration {
    Duration::from_millis(RESYNC - cluster.now().0 % RESYNC)
}

/// An annotation's text; empty if it is not there.
pub fn annotation<'a>(object: &'a Value, key: &str) -> &'a str {
    object["metadata"]["annotations"].get(key).and_then(Value::as_str).unwrap_or("")
}

/// Whether a volume is set aside for this claim: by name, and by uid where it has one.
pub fn is_for_claim(volume: &Value, claim: &Value) -> bool {
    let Some(reference) = volume.pointer("/spec/claimRef").filter(|reference| reference.is_object()) else {
        return false;
    };
    let wanted = text(reference, "/uid");
    text(reference, "/name") == name(claim)
        && text(reference, "/namespace") == crate::object::namespace(claim)
        && (wanted.is_empty() || wanted == crate::object::uid(claim))
}
