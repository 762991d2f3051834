//! Logs over HTTP: whole, or followed until their container ends.

use std::sync::Arc;

use breakfix_sim::{SimTime, listen::Body};
use bytes::Bytes;
use http::Response;
use tokio::time::sleep;

use super::{
    host::{Host, Refused},
    inside,
    log_tail::{LogTail, Piece},
    seam::Answer,
    service::whole,
    stream_body::{Writer, streamed},
};
use crate::{Status, api::stream::LogSpec};

const TEXT: &str = "text/plain";

/// Answers a request for a log.
///
/// # Errors
/// There is no such log.
pub fn answer(host: &Arc<Host>, spec: LogSpec) -> Result<Response<Body>, Status> {
    if spec.follow {
        let mut tail = LogTail::new(spec.clone());
        let first = read(host, &mut tail)?;
        if !first.over {
            return Ok(followed(host, tail, first));
        }
    }
    let text = host.look(|cluster| inside::whole_log(cluster, &spec)).map_err(Refused::from)??;
    let headers = vec![("content-type".to_owned(), TEXT.to_owned())];
    Ok(whole(Answer::Whole { status: 200, headers, body: Bytes::from(text) }))
}

fn followed(host: &Arc<Host>, tail: LogTail, first: Piece) -> Response<Body> {
    let (writer, response) = streamed(TEXT);
    tokio::spawn(run(Arc::clone(host), tail, first, writer));
    response
}

async fn run(host: Arc<Host>, mut tail: LogTail, first: Piece, writer: Writer) {
    let mut news = host.news();
    let mut piece = first;
    loop {
        let (over, next) = (piece.over, piece.next);
        if !writer.write(piece.bytes()).await || over {
            return;
        }
        tokio::select! {
            _ = news.changed() => {}
            () = until(&host, next) => {}
            () = writer.gone() => return,
        }
        match read(&host, &mut tail) {
            Ok(next) => piece = next,
            Err(_) => return,
        }
    }
}

/// Reads on.
///
/// # Errors
/// There is no such log.
pub fn read(host: &Host, tail: &mut LogTail) -> Result<Piece, Status> {
    host.look(|cluster| tail.read(cluster)).map_err(Refused::from)?
}

/// Waits until a virtual moment; for ever if there is none, or if time moves by hand.
pub async fn until(host: &Host, moment: Option<SimTime>) {
    match moment.and_then(|moment| host.wait_until(moment)) {
        Some(wait) => sleep(wait).await,
        None => std::future::pending().await,
    }
}
