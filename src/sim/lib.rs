//! What every simulator of breakfix shares: time, the event queue, chance, the object store; and what it takes to serve one.
//!
//! Mechanism only. The model (`chance`, `queue`, `store`, `time`) reads no clock and draws no random number of its own accord: time is
//! handed in by whoever drives the simulator, chance comes from a seed. So the same seed and the same inputs give the same bytes.
//! Serving (`serve/`, `ca`, `detached`, `file`, `listen`, `lock`, `log`, `pace`, `peer`, `tls`) is where sockets, files, keys and the
//! wall clock are, and nothing of the model depends on it.

pub mod ca;
pub mod chance;
pub mod detached;
pub mod file;
pub mod listen;
pub mod lock;
pub mod log;
pub mod pace;
pub mod peer;
pub mod queue;
pub mod serve;
pub mod store;
pub mod time;
pub mod tls;

pub use chance::Chance;
pub use queue::Queue;
pub use store::{Key, Store, StoreEvent, StoreEventKind};
pub use time::{Clock, SimTime};
