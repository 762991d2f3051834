//! The other end of exec, attach and port-forward: channels inside a WebSocket.
//!
//! [`Upgrade`] is the handshake, [`Channels`] a connection of numbered channels as remote commands use it, [`Tunnel`] one of plain bytes
//! in which port-forwarding speaks SPDY.

mod channels;
mod tunnel;
mod upgrade;

pub use channels::{Channels, Heard, RESIZE, STDERR, STDIN, STDOUT};
pub use tunnel::Tunnel;
pub use upgrade::{Socket, Upgrade};
