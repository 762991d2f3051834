//! What can be due: the simulator's own future. Everything that takes time is one of these on the queue.

use serde::{Deserialize, Serialize};

use breakfix_sim::Key;

/// An event of the simulation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// A controller looks at one object again (`controller`: its name in `controllers::ALL`).
    Reconcile { controller: String, key: Key },
    /// The scheduler looks at its queue.
    Schedule,
    /// A node goes on with one pod (pull, start, probe, back-off, stop). `uid` guards against a pod of the same name.
    Pod { key: Key, uid: String, step: PodStep },
    /// The garbage collector runs.
    CollectGarbage,
    /// Events older than an hour are dropped.
    ExpireEvents,
}

/// The next thing a node does with a pod. The node's own state (`node/`) says the rest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum PodStep {
    /// Look at the pod again: start what is due, report its state.
    Sync,
    /// A container's image has been pulled, or not.
    Pulled { container: String },
    /// A container's program goes on (start delay over, background work, its end).
    Program { container: String, run: u32 },
    /// A probe is due: `startup`, `liveness`, `readiness`.
    Probe { container: String, run: u32, probe: String },
    /// The termination grace is over.
    GraceOver { run: u32 },
}
