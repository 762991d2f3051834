//! Numbered channels: every binary message begins with its channel's number (`v4.channel.k8s.io`, `v5.channel.k8s.io`).
//!
//! Version 5 adds channel 255: its one byte says which channel its sender will not write to any more.

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::{Message, protocol::CloseFrame, protocol::frame::coding::CloseCode};

use super::upgrade::Socket;

pub const STDIN: u8 = 0;
pub const STDOUT: u8 = 1;
pub const STDERR: u8 = 2;
/// How it ended, as a Status.
pub const ERROR: u8 = 3;
pub const RESIZE: u8 = 4;
const CLOSE: u8 = 255;

/// A message's content is cut at this size, so that a client can begin to show what comes.
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
pub struct Channels {
    socket: Socket,
}

impl Channels {
    pub fn new(socket: Socket) -> Self {
        Self { socket }
    }

    /// The next thing that the client says. Safe to drop while waiting.
    pub async fn next(&mut self) -> Heard {
        loop {
            let bytes = match self.socket.next().await {
                Some(Ok(Message::Binary(bytes))) => bytes,
                Some(Ok(Message::Text(text))) => Bytes::from(text),
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Heard::Gone,
            };
            match bytes.split_first() {
                Some((&CLOSE, [channel, ..])) => return Heard::Closed(*channel),
                Some((channel, _)) => return Heard::Data(*channel, bytes.slice(1..)),
                None => {}
            }
        }
    }

    /// Writes to a channel. A client that has gone is noticed by [`next`](Self::next).
    pub async fn send(&mut self, channel: u8, bytes: &[u8]) {
        for piece in bytes.chunks(PIECE) {
            self.message(channel, piece).await;
        }
    }

    /// An empty message: clients use it to see that a channel is open.
    pub async fn open(&mut self, channel: u8) {
        self.message(channel, &[]).await;
    }

    async fn message(&mut self, channel: u8, bytes: &[u8]) {
        let mut message = Vec::with_capacity(bytes.len() + 1);
        message.push(channel);
        message.extend_from_slice(bytes);
        let _ = self.socket.send(Message::binary(message)).await;
    }

    /// Says how it ended and closes the connection.
    pub async fn finish(mut self, status: &serde_json::Value) {
        self.send(ERROR, status.to_string().as_bytes()).await;
        self.close().await;
    }

    /// Closes the connection in good order.
    pub async fn close(mut self) {
        let frame = CloseFrame { code: CloseCode::Normal, reason: "".into() };
        if self.socket.close(Some(frame)).await.is_ok() {
            // Until the client has closed its side, too: what was sent last is not to be lost with the connection.
            let rest = async { while let Some(Ok(_)) = self.socket.next().await {} };
            let _ = tokio::time::timeout(std::time::Duration::from_secs(5), rest).await;
        }
    }
}
