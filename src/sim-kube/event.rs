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
    /// Go on with the step of synchronisation that is under way.
    Work,
    /// A container's program goes on (start delay over, background work, its end).
    Program { container: String, run: u32 },
    /// A probe is due: `startup`, `liveness`, `readiness`.
    Probe { container: String, run: u32, probe: String },
    /// A probe's answer is there, or its time is over.
    Probed { container: String, run: u32, probe: String, is_well: bool, words: String },
    /// A container that is being stopped gets its next signal.
    Stop { container: String, run: u32 },
    /// The pod's active deadline is over.
    Deadline,
    /// A pod that is over leaves the API.
    Leave,
    /// Somebody else has written the pod's status: what is true is written over it.
    Reconcile,
}
