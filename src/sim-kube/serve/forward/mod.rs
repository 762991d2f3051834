//! Port-forwarding: connections of a client, each carried to a port of a pod.
//!
//! [`connection`] is one of them, whatever brings its bytes. `kubectl` brings them as SPDY streams inside a WebSocket ([`spdy`]), many
//! connections in one tunnel; `kube` and the older WebSocket protocol as numbered channels ([`channels`]), one connection a port.

pub mod channels;
pub mod connection;
pub mod spdy;

pub use connection::{Connection, FromPod, Target};
