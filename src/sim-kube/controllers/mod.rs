//! The controllers: steps from one object's state to changes, told of every write.
//!
//! A controller is a row of [`ALL`]: `told` says which of its objects a write concerns and queues them, `reconcile` looks at one object
//! and changes others through the verbs. Nothing polls; what has to happen later (a deadline, a retry) is on the event queue.
//! The work queue is in `queue`, the recording of Event objects in `events`.

pub mod deployment;
pub mod endpoints;
pub mod events;
pub mod garbage;
pub mod namespace;
pub mod node_taints;
pub mod owner;
pub mod pod_state;
pub mod queue;
pub mod replica_set;
pub mod root_ca;
pub mod selector;
pub mod service_account;
pub mod taint_eviction;
pub mod template_hash;

use breakfix_sim::{Key, StoreEvent};
use serde::{Deserialize, Serialize};

use crate::{Cluster, Status};

/// What the controllers remember between steps. Everything else is in the objects.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Memory {
    pub(crate) queue: queue::WorkQueue,
    pub(crate) recorder: events::Recorder,
    /// When the garbage collector looks next, if it will.
    pub(crate) collecting: bool,
    /// The certificate authority that `kube-root-ca.crt` publishes, as PEM.
    pub(crate) root_ca: String,
}

/// One controller.
pub struct Controller {
    /// Its name in the queue.
    pub name: &'static str,
    /// Queues the objects that a write concerns.
    pub told: fn(&mut Cluster, &StoreEvent),
    /// One step for one object; an error is tried again, ever more slowly.
    pub reconcile: fn(&mut Cluster, &Key) -> Result<(), Status>,
}

/// Every controller, in the order in which they are told of a write.
pub static ALL: &[Controller] = &[
    deployment::CONTROLLER,
    replica_set::CONTROLLER,
    endpoints::CONTROLLER,
    endpoints::SLICES,
    endpoints::MIRROR,
    namespace::CONTROLLER,
    service_account::CONTROLLER,
    root_ca::CONTROLLER,
    node_taints::CONTROLLER,
    taint_eviction::CONTROLLER,
];

/// Queues the reconciliations that a write calls for.
pub fn told(cluster: &mut Cluster, event: &StoreEvent) {
    for controller in ALL {
        (controller.told)(cluster, event);
    }
    garbage::told(cluster, event);
    events::told(cluster, event);
}

/// One step of one controller.
pub fn reconcile(cluster: &mut Cluster, controller: &str, key: &Key) {
    queue::started(cluster, controller, key);
    let Some(row) = ALL.iter().find(|row| row.name == controller) else { return };
    match (row.reconcile)(cluster, key) {
        Ok(()) => queue::forget(cluster, row.name, key),
        Err(_) => queue::retry(cluster, row.name, key),
    }
}
