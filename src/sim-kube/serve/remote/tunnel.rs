//! Plain bytes, inside a WebSocket (how messages cut them means nothing) or on a connection of their own.

use bytes::{Bytes, BytesMut};
use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Message;

use super::upgrade::{Raw, Socket, Wire};

/// A connection of bytes.
pub enum Tunnel {
    WebSocket(Box<Socket>),
    Raw(Raw),
}

impl Tunnel {
    pub fn new(wire: Wire) -> Self {
        match wire {
            Wire::WebSocket(socket, _) => Self::WebSocket(socket),
            Wire::Spdy(raw) => Self::Raw(raw),
        }
    }

    /// The next bytes; `None` when the client has gone. Safe to drop while waiting.
    pub async fn next(&mut self) -> Option<Bytes> {
        let socket = match self {
            Self::WebSocket(socket) => socket,
            Self::Raw(raw) => {
                let mut bytes = BytesMut::with_capacity(16 << 10);
                let count = raw.read_buf(&mut bytes).await.ok()?;
                return (count > 0).then(|| bytes.freeze());
            }
        };
        loop {
            match socket.next().await {
                Some(Ok(Message::Binary(bytes))) => return Some(bytes),
                Some(Ok(Message::Text(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
            }
        }
    }

    /// Writes bytes. A client that has gone is noticed by [`next`](Self::next).
    pub async fn send(&mut self, bytes: Vec<u8>) {
        match self {
            Self::WebSocket(socket) => drop(socket.send(Message::binary(bytes)).await),
            Self::Raw(raw) => {
                if raw.write_all(&bytes).await.is_ok() {
                    let _ = raw.flush().await;
                }
            }
        }
    }
}
