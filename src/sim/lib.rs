//! What every simulator of breakfix shares: time, the event queue, chance, the object store.
//!
//! Mechanism only. Nothing here reads a clock or draws a random number of its own accord: time is handed in by whoever drives the
//! simulator, chance comes from a seed. So the same seed and the same inputs give the same bytes.

pub mod chance;
pub mod queue;
pub mod store;
pub mod time;

pub use chance::Chance;
pub use queue::Queue;
pub use store::{Key, Store, StoreEvent, StoreEventKind};
pub use time::{Clock, SimTime};
