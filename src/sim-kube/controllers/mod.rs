//! The controllers: steps from one object's state to changes, told of every write.
//!
//! A controller is a row of [`ALL`]: `told` says which of its objects a write concerns and queues them, `reconcile` looks at one object
//! and changes others through the verbs. Nothing polls; what has to happen later (a deadline, a retry) is on the event queue.
//! The work queue is in `queue`, the recording of Event objects in `events`.

pub mod amounts;
pub mod cluster_role_aggregation;
pub mod cron_job;
pub mod daemon_set;
pub mod definitions;
pub mod deployment;
pub mod disruption;
pub mod endpoints;
pub mod events;
pub mod garbage;
pub mod history;
pub mod ingress_status;
pub mod job;
pub mod namespace;
pub mod node_lifecycle;
pub mod node_taints;
pub mod node_zones;
pub mod owner;
pub mod pod_autoscaler;
pub mod pod_control;
pub mod pod_gc;
pub mod pod_state;
pub mod queue;
pub mod replica_set;
pub mod resource_quota;
pub mod root_ca;
pub mod selector;
pub mod service_account;
pub mod stateful_set;
pub mod taint_eviction;
pub mod template_hash;
pub mod token_secret;
pub mod ttl_after_finished;
pub mod volumes;

use breakfix_sim::{Key, StoreEvent};
use serde::{Deserialize, Serialize};

use crate::{Cluster, Status};

/// What the controllers remember between steps. Everything else is in the objects.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Memory {
    pub(crate) queue: queue::WorkQueue,
    pub(crate) recorder: events::Recorder,
    /// What autoscalers would have had lately.
    pub(crate) autoscalers: pod_autoscaler::Histories,
    /// Failures of Jobs' pods, which hold up the next ones.
    pub(crate) jobs: job::BackOffs,
    /// How long daemons that fail wait for their deletion.
    pub(crate) daemons: daemon_set::BackOffs,
    /// When the garbage collector looks next, if it will.
    pub(crate) collecting: bool,
    /// The certificate authority that `kube-root-ca.crt` publishes, as PEM.
    pub(crate) root_ca: String,
    pub(crate) volumes: volumes::Memory,
    #[serde(default)]
    pub(crate) node_lifecycle: node_lifecycle::Memory,
    /// When pods were last driven out of a zone's nodes.
    #[serde(default)]
    pub(crate) zones: node_zones::Zones,
}

impl Memory {
    /// Nothing yet, but for the certificate authority (PEM) that namespaces are told of.
    pub fn publishing(authority: &str) -> Self {
        Self { root_ca: authority.to_owned(), ..Self::default() }
    }

    /// How many steps a controller has made since this process has the cluster.
    pub fn steps(&self, controller: &str) -> u64 {
        self.queue.steps.get(controller).copied().unwrap_or(0)
    }
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
    replica_set::REPLICATION,
    daemon_set::CONTROLLER,
    stateful_set::CONTROLLER,
    job::CONTROLLER,
    job::ORPHANS,
    ttl_after_finished::CONTROLLER,
    cron_job::CONTROLLER,
    pod_autoscaler::CONTROLLER,
    disruption::CONTROLLER,
    endpoints::CONTROLLER,
    endpoints::SLICES,
    endpoints::MIRROR,
    definitions::CONTROLLER,
    namespace::CONTROLLER,
    service_account::CONTROLLER,
    root_ca::CONTROLLER,
    token_secret::CONTROLLER,
    cluster_role_aggregation::CONTROLLER,
    resource_quota::CONTROLLER,
    node_lifecycle::CONTROLLER,
    node_taints::CONTROLLER,
    node_taints::EXECUTE,
    pod_gc::CONTROLLER,
    taint_eviction::CONTROLLER,
    ingress_status::CONTROLLER,
    crate::node::extended::CONTROLLER,
    crate::node::eviction::CONTROLLER,
    volumes::CLAIMS,
    volumes::VOLUMES,
    volumes::CLAIM_PROTECTION,
    volumes::VOLUME_PROTECTION,
    volumes::LOCAL_PATH,
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
