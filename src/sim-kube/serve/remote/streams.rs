//! Channels as SPDY streams, which the client opens, each saying in a header (`streamtype`) what it is for: kubectl before 1.31.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf, split},
    sync::mpsc,
    task::JoinHandle,
    time::timeout,
};

use super::{
    channels::{ERROR, Heard, RESIZE, STDERR, STDIN, STDOUT},
    upgrade::Raw,
};
use crate::serve::spdy::{Frame, Frames, Headers, Packer, Unpacker, frame::PROTOCOL_ERROR};

/// kubelet gives a client so long to open its streams.
const OPENING: Duration = Duration::from_secs(30);

/// A connection.
pub struct Streams {
    reader: ReadHalf<Raw>,
    /// A task of its own writes, so that waiting for the client can be given up at any moment without cutting a frame.
    writer: mpsc::UnboundedSender<Vec<u8>>,
    writing: JoinHandle<()>,
    protocol: Protocol,
}

impl Streams {
    /// Waits until the client has opened these channels; `None` if it goes or is too slow.
    pub async fn open(raw: Raw, channels: &[u8]) -> Option<Self> {
        let (reader, half) = split(raw);
        let (writer, pieces) = mpsc::unbounded_channel();
        let writing = tokio::spawn(write(half, pieces));
        let mut streams = Self { reader, writer, writing, protocol: Protocol::default() };
        let opening = async {
            while !channels.iter().all(|channel| streams.protocol.streams.contains_key(channel)) {
                streams.hear().await?;
            }
            Some(())
        };
        timeout(OPENING, opening).await.ok().flatten()?;
        Some(streams)
    }

    pub async fn next(&mut self) -> Heard {
        loop {
            if let Some(heard) = self.protocol.heard.pop_front() {
                return heard;
            }
            if self.hear().await.is_none() {
                return Heard::Gone;
            }
        }
    }

    /// Reads on; `None` when the client has gone.
    async fn hear(&mut self) -> Option<()> {
        let mut buffer = Vec::with_capacity(16 << 10);
        let count = self.reader.read_buf(&mut buffer).await.ok()?;
        if count == 0 {
            return None;
        }
        for frame in self.protocol.take(&buffer)? {
            let _ = self.writer.send(frame.write());
        }
        Some(())
    }

    pub fn send(&mut self, channel: u8, bytes: &[u8]) {
        if let Some(stream) = self.protocol.streams.get(&channel) {
            let frame = Frame::Data { stream: *stream, fin: false, bytes: bytes.to_vec() };
            let _ = self.writer.send(frame.write());
        }
    }

    /// Ends every stream, then the connection.
    pub async fn close(self) {
        for stream in self.protocol.streams.values() {
            let end = Frame::Data { stream: *stream, fin: true, bytes: Vec::new() };
            let _ = self.writer.send(end.write());
        }
        drop(self.writer);
        let _ = timeout(OPENING, self.writing).await;
    }
}

async fn write(mut half: WriteHalf<Raw>, mut pieces: mpsc::UnboundedReceiver<Vec<u8>>) {
    while let Some(piece) = pieces.recv().await {
        if half.write_all(&piece).await.is_err() || half.flush().await.is_err() {
            return;
        }
    }
    let _ = half.shutdown().await;
}

/// The protocol, without sockets.
#[derive(Default)]
struct Protocol {
    frames: Frames,
    unpacker: Unpacker,
    packer: Packer,
    /// Each channel's stream.
    streams: BTreeMap<u8, u32>,
    heard: VecDeque<Heard>,
}

impl Protocol {
    /// Takes bytes and says what to answer; `None` ends the connection.
    fn take(&mut self, bytes: &[u8]) -> Option<Vec<Frame>> {
        self.frames.push(bytes);
        let mut answers = Vec::new();
        while let Some(frame) = self.frames.next_frame().ok()? {
            match frame {
                Frame::Open { stream, block, .. } => {
                    let headers = self.unpacker.unpack(&block).ok()?;
                    answers.push(Frame::Reply { stream, fin: false, block: self.packer.pack(&Headers::new()) });
                    match channel(headers.get("streamtype").map_or("", String::as_str)) {
                        Some(channel) => drop(self.streams.insert(channel, stream)),
                        None => answers.push(Frame::Reset { stream, status: PROTOCOL_ERROR }),
                    }
                }
                Frame::Headers { block, .. } | Frame::Reply { block, .. } => drop(self.unpacker.unpack(&block).ok()?),
                Frame::Data { stream, fin, bytes } => {
                    let Some(channel) = self.channel_of(stream) else { continue };
                    if !bytes.is_empty() {
                        self.heard.push_back(Heard::Data(channel, bytes.into()));
                    }
                    if fin {
                        self.heard.push_back(Heard::Closed(channel));
                    }
                }
                Frame::Reset { stream, .. } => {
                    let channel = self.channel_of(stream);
                    self.heard.extend(channel.map(Heard::Closed));
                }
                Frame::Ping { id } if id % 2 == 1 => answers.push(Frame::Ping { id }),
                Frame::GoAway { .. } => return None,
                Frame::Ping { .. } | Frame::Other { .. } => {}
            }
        }
        Some(answers)
    }

    fn channel_of(&self, stream: u32) -> Option<u8> {
        self.streams.iter().find(|(_, known)| **known == stream).map(|(channel, _)| *channel)
    }
}

fn channel(streamtype: &str) -> Option<u8> {
    Some(match streamtype {
        "stdin" => STDIN,
        "stdout" => STDOUT,
        "stderr" => STDERR,
        "error" => ERROR,
        "resize" => RESIZE,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_told_apart_by_their_headers() {
        let mut packer = Packer::default();
        let mut open = |stream, streamtype: &str| {
            let headers = Headers::from([("streamtype".to_owned(), streamtype.to_owned())]);
            Frame::Open { stream, fin: false, block: packer.pack(&headers) }.write()
        };
        let mut protocol = Protocol::default();
        let answers = protocol.take(&[open(1, "error"), open(3, "stdin"), open(5, "other")].concat()).unwrap();
        assert_eq!(answers.len(), 4, "three replies and a reset");
        assert_eq!(answers.last(), Some(&Frame::Reset { stream: 5, status: PROTOCOL_ERROR }));
        let data = |fin, bytes: &[u8]| Frame::Data { stream: 3, fin, bytes: bytes.to_vec() }.write();
        protocol.take(&[data(false, b"hi"), data(true, b"")].concat()).unwrap();
        let heard = protocol.heard.drain(..).collect::<Vec<_>>();
        assert_eq!(heard, [Heard::Data(STDIN, "hi".into()), Heard::Closed(STDIN)]);
    }

    #[test]
    fn nonsense_ends_the_connection() {
        assert!(Protocol::default().take(b"GET / HTTP/1.1\r\n\r\n").is_some_and(|answers| answers.is_empty()));
        assert!(Protocol::default().take(&[0x80, 0x09, 0, 1, 0, 0, 0, 0]).is_none());
    }
}
