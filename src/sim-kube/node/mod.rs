//! The nodes: a kubelet and a container runtime each, as steps.

use breakfix_sim::{Key, StoreEvent};
use serde::{Deserialize, Serialize};

use crate::{Cluster, event::PodStep};

/// What the nodes know.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Nodes {}

/// Queues what a write to a pod bound to a node calls for.
pub fn told(_cluster: &mut Cluster, _event: &StoreEvent) {}

/// Goes on with one pod.
pub fn step(_cluster: &mut Cluster, _key: &Key, _uid: &str, _step: PodStep) {}
