//! Port-forwarding in SPDY streams: for each connection one stream for errors and one for its bytes, told apart by their headers
//! (`streamtype`, `port`, `requestid`; k8s.io/apimachinery/pkg/util/portforward).

use std::{collections::BTreeMap, sync::Arc};

use tokio::sync::mpsc;

use super::{Connection, FromPod, Target};
use crate::serve::{
    host::Host,
    remote::Tunnel,
    spdy::{Frame, Frames, Headers, Packer, Unpacker, frame},
};

/// Data is written in frames of at most this size.
const PIECE: usize = 32 << 10;

/// Carries connections until the client has gone.
pub async fn run(host: Arc<Host>, target: Target, mut tunnel: Tunnel) {
    let (output, mut back) = mpsc::unbounded_channel();
    let mut session = Session::new(move |port, request: &str| {
        Connection::open(&host, &target, port, request.to_owned(), output.clone())
    });
    let mut frames = Frames::default();
    loop {
        let out = tokio::select! {
            bytes = tunnel.next() => {
                let Some(bytes) = bytes else { return };
                frames.push(&bytes);
                let mut out = Vec::new();
                loop {
                    match frames.next_frame() {
                        Ok(Some(frame)) => match session.take(frame) {
                            Some(frames) => out.extend(frames),
                            None => return,
                        },
                        Ok(None) => break,
                        Err(_) => return,
                    }
                }
                out
            }
            Some((request, from_pod)) = back.recv() => session.give(&request, from_pod),
        };
        // One message for what belongs together; the client reads bytes, not messages.
        let bytes = out.iter().flat_map(Frame::write).collect::<Vec<_>>();
        if !bytes.is_empty() {
            tunnel.send(bytes).await;
        }
    }
}

/// The streams of one connection.
#[derive(Default)]
struct Pair {
    error: Option<u32>,
    data: Option<u32>,
    connection: Option<Connection>,
}

/// The protocol between frames and connections, without sockets.
struct Session<O> {
    open: O,
    unpacker: Unpacker,
    packer: Packer,
    pairs: BTreeMap<String, Pair>,
}

impl<O: Fn(u16, &str) -> Connection> Session<O> {
    fn new(open: O) -> Self {
        Self { open, unpacker: Unpacker::default(), packer: Packer::default(), pairs: BTreeMap::new() }
    }

    /// Takes a frame and says what to answer; `None` ends the tunnel.
    fn take(&mut self, frame: Frame) -> Option<Vec<Frame>> {
        match frame {
            Frame::Open { stream, block, .. } => {
                let headers = self.unpacker.unpack(&block).ok()?;
                Some(self.open_stream(stream, &headers))
            }
            Frame::Headers { block, .. } | Frame::Reply { block, .. } => {
                // Of no meaning here, but later blocks build on it.
                self.unpacker.unpack(&block).ok()?;
                Some(Vec::new())
            }
            Frame::Data { stream, fin, bytes } => {
                if let Some(connection) = self.connection(stream) {
                    if !bytes.is_empty() {
                        connection.write(bytes.into());
                    }
                    if fin {
                        connection.end_writing();
                    }
                }
                Some(Vec::new())
            }
            Frame::Reset { stream, .. } => {
                self.pairs.retain(|_, pair| pair.data != Some(stream));
                Some(Vec::new())
            }
            // Pings of the client's have odd numbers and are sent back as they are.
            Frame::Ping { id } => Some(if id % 2 == 1 { vec![Frame::Ping { id }] } else { Vec::new() }),
            Frame::GoAway { .. } => None,
            Frame::Other { .. } => Some(Vec::new()),
        }
    }

    fn open_stream(&mut self, stream: u32, headers: &Headers) -> Vec<Frame> {
        let header = |name: &str| headers.get(name).map_or("", String::as_str);
        let reply = Frame::Reply { stream, fin: false, block: self.packer.pack(&Headers::new()) };
        let request = header("requestid").to_owned();
        match (header("streamtype"), header("port").parse::<u16>()) {
            ("error", Ok(_)) => self.pairs.entry(request).or_default().error = Some(stream),
            ("data", Ok(port)) => {
                let connection = (self.open)(port, &request);
                let pair = self.pairs.entry(request).or_default();
                (pair.data, pair.connection) = (Some(stream), Some(connection));
            }
            _ => return vec![reply, Frame::Reset { stream, status: frame::PROTOCOL_ERROR }],
        }
        vec![reply]
    }

    fn connection(&mut self, stream: u32) -> Option<&mut Connection> {
        self.pairs.values_mut().find(|pair| pair.data == Some(stream))?.connection.as_mut()
    }

    /// What a connection says, as frames.
    fn give(&mut self, request: &str, from_pod: FromPod) -> Vec<Frame> {
        let Some(pair) = self.pairs.get(request) else { return Vec::new() };
        let data = |stream: Option<u32>, bytes: &[u8]| {
            let frame = |piece: &[u8]| stream.map(|stream| Frame::Data { stream, fin: false, bytes: piece.to_vec() });
            bytes.chunks(PIECE).filter_map(frame).collect::<Vec<_>>()
        };
        match from_pod {
            FromPod::Data(bytes) => data(pair.data, &bytes),
            FromPod::Error(text) => data(pair.error, text.as_bytes()),
            FromPod::Done => {
                let streams = [pair.data, pair.error];
                self.pairs.remove(request);
                let end = |stream| Frame::Data { stream, fin: true, bytes: Vec::new() };
                streams.into_iter().flatten().map(end).collect()
            }
        }
    }
}
