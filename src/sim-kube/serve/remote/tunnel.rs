//! Plain bytes inside a WebSocket: how messages cut them means nothing.

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::Message;

use super::upgrade::Socket;

/// A connection of bytes.
pub struct Tunnel {
    socket: Socket,
}

impl Tunnel {
    pub fn new(socket: Socket) -> Self {
        Self { socket }
    }

    /// The next bytes; `None` when the client has gone. Safe to drop while waiting.
    pub async fn next(&mut self) -> Option<Bytes> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Binary(bytes))) => return Some(bytes),
                Some(Ok(Message::Text(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
            }
        }
    }

    /// Writes bytes. A client that has gone is noticed by [`next`](Self::next).
    pub async fn send(&mut self, bytes: Vec<u8>) {
        let _ = self.socket.send(Message::binary(bytes)).await;
    }
}
