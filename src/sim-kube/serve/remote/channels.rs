//! A connection of channels: input, outputs, and how it ended.

use bytes::Bytes;

use super::{numbered::Numbered, streams::Streams, upgrade::Wire};

pub const STDIN: u8 = 0;
pub const STDOUT: u8 = 1;
pub const STDERR: u8 = 2;
/// How it ended, as a Status.
pub const ERROR: u8 = 3;
pub const RESIZE: u8 = 4;

/// Content is cut at this size, so that a client can begin to show what comes.
const PIECE: usize = 32 << 10;

/// What came from the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    Data(u8, Bytes),
    /// Nothing more comes on this channel.
    Closed(u8),
    /// The client has gone.
    Gone,
}

/// A connection.
pub enum Channels {
    Numbered(Numbered),
    Streams(Streams),
}

impl Channels {
    /// A connection on which these channels are used; `None` if the client has gone before they were open.
    pub async fn open(wire: Wire, channels: &[u8]) -> Option<Self> {
        Some(match wire {
            Wire::WebSocket(socket, silent_until) => Self::Numbered(Numbered::new(*socket, silent_until)),
            Wire::Spdy(raw) => Self::Streams(Streams::open(raw, channels).await?),
        })
    }

    /// The next thing that the client says. Safe to drop while waiting.
    pub async fn next(&mut self) -> Heard {
        match self {
            Self::Numbered(numbered) => numbered.next().await,
            Self::Streams(streams) => streams.next().await,
        }
    }

    /// Writes to a channel. A client that has gone is noticed by [`next`](Self::next).
    pub async fn send(&mut self, channel: u8, bytes: &[u8]) {
        for piece in bytes.chunks(PIECE) {
            match self {
                Self::Numbered(numbered) => numbered.send(channel, piece).await,
                Self::Streams(streams) => streams.send(channel, piece),
            }
        }
    }

    /// Says how it ended and closes the connection.
    pub async fn finish(mut self, status: &serde_json::Value) {
        self.send(ERROR, status.to_string().as_bytes()).await;
        self.close().await;
    }

    /// Closes the connection in good order.
    pub async fn close(self) {
        match self {
            Self::Numbered(numbered) => numbered.close().await,
            Self::Streams(streams) => streams.close().await,
        }
    }
}
