//! SPDY/3.1, as far as port-forwarding needs it: kubectl (1.31 and later) tunnels it inside a WebSocket.
//!
//! The server's side only, over bytes: no sockets. Flow control is left out, as both ends of Kubernetes' own library leave it out.
//! Source: "SPDY Protocol - Draft 3.1" (chromium.org) and the frames that a real cluster exchanged.

pub mod frame;
pub mod headers;

pub use frame::{Frame, FrameError, Frames};
pub use headers::{Headers, HeadersError, Packer, Unpacker};
