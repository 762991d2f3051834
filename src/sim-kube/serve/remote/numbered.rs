//! Channels by number in a WebSocket: every binary message begins with its channel's number (`v4.channel.k8s.io`, `v5.channel.k8s.io`).
//!
//! Version 5 adds channel 255: its one byte says which channel its sender will not write to any more.

use std::time::Duration;

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

use super::{channels::Heard, upgrade::Socket};

const CLOSE: u8 = 255;
/// A client has so long to close its side.
const GOODBYE: Duration = Duration::from_secs(5);

/// A connection.
pub struct Numbered {
    socket: Socket,
    /// Nothing is said before.
    silent_until: Instant,
}

impl Numbered {
    pub fn new(socket: Socket, silent_until: Instant) -> Self {
        Self { socket, silent_until }
    }

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

    pub async fn send(&mut self, channel: u8, bytes: &[u8]) {
        let mut message = Vec::with_capacity(bytes.len() + 1);
        message.push(channel);
        message.extend_from_slice(bytes);
        tokio::time::sleep_until(self.silent_until).await;
        let _ = self.socket.send(Message::binary(message)).await;
    }

    /// Closes both sides: what was sent last is not to be lost with the connection.
    pub async fn close(mut self) {
        let frame = CloseFrame { code: CloseCode::Normal, reason: "".into() };
        if self.socket.close(Some(frame)).await.is_ok() {
            let rest = async { while let Some(Ok(_)) = self.socket.next().await {} };
            let _ = tokio::time::timeout(GOODBYE, rest).await;
        }
    }
}
