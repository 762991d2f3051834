//! Bodies that come in pieces, as long as the client listens.

use breakfix_sim::listen::Body;
use bytes::Bytes;
use http::{HeaderValue, Response, header};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use tokio::sync::mpsc;

/// Pieces that may wait for a slow client before its stream waits, too.
const PIECES: usize = 16;

/// The writing end. Dropping it ends the body.
pub struct Writer {
    pieces: mpsc::Sender<Bytes>,
}

impl Writer {
    /// Writes a piece; false if the client has gone.
    pub async fn write(&self, piece: Vec<u8>) -> bool {
        piece.is_empty() || self.pieces.send(piece.into()).await.is_ok()
    }

    /// Waits until the client has gone.
    pub async fn gone(&self) {
        self.pieces.closed().await;
    }
}

/// An answer whose body is written piece by piece.
pub fn streamed(content_type: &str) -> (Writer, Response<Body>) {
    let (pieces, receiver) = mpsc::channel(PIECES);
    let stream = futures::stream::unfold(receiver, |mut receiver| async {
        let piece: Bytes = receiver.recv().await?;
        Some((Ok(Frame::data(piece)), receiver))
    });
    let mut response = Response::new(StreamBody::new(stream).boxed_unsync());
    if let Ok(value) = HeaderValue::try_from(content_type) {
        response.headers_mut().insert(header::CONTENT_TYPE, value);
    }
    (Writer { pieces }, response)
}
