//! The other end of exec, attach and port-forward.
//!
//! [`Upgrade`] is the handshake, [`Channels`] a connection of numbered channels as remote commands use it, [`Tunnel`] one of plain bytes
//! in which port-forwarding speaks SPDY. Each is carried by a WebSocket or, for kubectl before 1.31, by SPDY itself; who uses them need
//! not know.

mod channels;
mod numbered;
mod streams;
mod tunnel;
mod upgrade;

pub use channels::{Channels, ERROR, Heard, RESIZE, STDERR, STDIN, STDOUT};
pub use tunnel::Tunnel;
pub use upgrade::{Offer, Raw, Socket, Upgrade, Wire};
