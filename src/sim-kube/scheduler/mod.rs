//! The scheduler: which node a pod goes to, or why none.

use breakfix_sim::StoreEvent;

use crate::Cluster;

/// Queues a look at the queue where a write may have changed something.
pub fn told(_cluster: &mut Cluster, _event: &StoreEvent) {}

/// Looks at every pod without a node.
pub fn run(_cluster: &mut Cluster) {}
