//! The controllers: steps from one object's state to changes, told of every write.

pub mod events;
pub mod garbage;

use breakfix_sim::{Key, StoreEvent};

use crate::Cluster;

/// Queues the reconciliations that a write calls for.
pub fn told(_cluster: &mut Cluster, _event: &StoreEvent) {}

/// One step of one controller.
pub fn reconcile(_cluster: &mut Cluster, _controller: &str, _key: &Key) {}
