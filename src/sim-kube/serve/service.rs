//! One HTTP request, from the wire to the cluster and back.

use std::{error::Error, sync::Arc};

use breakfix_sim::{listen::Body, peer::Peer};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use serde_json::Value;
use tokio::sync::watch;

use super::{
    blob::Blob,
    control,
    host::{Host, Refused},
    input::{Asker, Request},
    proxy,
    seam::{self, Answer},
    streams, watching,
};
use crate::{
    Status,
    access::{self, User},
    api::{Content, stream::StreamSpec},
};

/// Bodies that the real server takes, too (its default `--max-request-body-bytes`).
const BODY_BYTES_MAX: usize = 3 << 20;

/// Headers on which an answer depends; the rest is not handed on, so that the log stays small and replays are exact.
const HEADERS: &[&str] = &["accept", "content-type", "user-agent"];
/// Impersonation headers, of which there are many.
const IMPERSONATE: &str = "impersonate-";

/// What every connection of a server shares.
pub struct Service {
    pub host: Arc<Host>,
    /// Set to true to end the server.
    pub stop: watch::Sender<bool>,
}

impl Service {
    pub fn new(host: Arc<Host>) -> Arc<Self> {
        Arc::new(Self { host, stop: watch::Sender::new(false) })
    }
}

/// Whoever is in the same process: no role and no binding can shut that one out.
pub fn admin() -> Asker {
    User::admin().into()
}

/// Who a connection's certificate says is there; without one nobody yet.
pub fn asker(peer: Option<Peer>) -> Option<Asker> {
    let Peer { common_name, organizations, digest } = peer?;
    Some(access::authenticate::certified(&common_name, &organizations, &digest).into())
}

/// JSON that was never written down: the whole body of an answer inside this process, found among its extensions.
#[derive(Clone, Debug)]
pub struct Document(pub Value);

/// How an answer is handed on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// As bytes.
    Wire,
    /// JSON as a [`Document`].
    Here,
}

/// Answers one request of a connection whose certificate is `certified`'s.
pub async fn answer<B>(
    service: Arc<Service>,
    certified: Option<Asker>,
    request: http::Request<B>,
    way: Way,
) -> Response<Body>
where
    B: hyper::body::Body + Send,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    service.host.asked();
    let answer = match respond(&service, certified, request).await {
        Ok(Responded::Now(answer)) => Ok(answer),
        Ok(Responded::Later(response)) => Err(response),
        Err(status) => Ok(Answer::refusal(&status)),
    };
    let mut response = match (answer, way) {
        (Ok(Answer::Document { status, headers, body }), Way::Here) => {
            let mut response = whole(Answer::Whole { status, headers, body: Bytes::new() });
            response.extensions_mut().insert(Document(body));
            response
        }
        (Ok(answer), _) => whole(answer),
        (Err(response), _) => response,
    };
    let headers = response.headers_mut();
    headers.insert(header::SERVER, HeaderValue::from_static(concat!("breakfix-sim/", env!("CARGO_PKG_VERSION"))));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-cache, private"));
    response
}

/// What a request comes to.
enum Responded {
    Now(Answer),
    /// What goes on, or was fetched from somewhere else.
    Later(Response<Body>),
}

async fn respond<B>(
    service: &Arc<Service>,
    certified: Option<Asker>,
    request: http::Request<B>,
) -> Result<Responded, Status>
where
    B: hyper::body::Body + Send,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let (parts, body) = request.into_parts();
    let asker = match certified {
        Some(asker) => asker,
        None => service.host.look(|cluster| seam::authenticate(cluster, &parts.headers)).map_err(Refused::from)??,
    };
    let path = parts.uri.path().to_owned();
    if let Some(verb) = path.strip_prefix("/breakfix/") {
        let body = read(body).await?;
        let answer = control::answer(service, &asker, &parts.method, verb, parts.uri.query(), &body);
        return Ok(Responded::Now(answer));
    }
    let body = Blob(read(body).await?);
    let request = Request {
        method: parts.method.as_str().to_owned(),
        path,
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: kept(&parts.headers),
        body,
        asker,
    };
    // An exec changes nothing until it runs, by whichever method it comes.
    let answer = if request.only_reads() || request.is_proxied() || parts.headers.contains_key(header::UPGRADE) {
        service.host.look(|cluster| seam::handle(cluster, &request)).map_err(Refused::from)?
    } else {
        service.host.act(request)?
    };
    Ok(Responded::Later(match answer {
        Answer::Whole { .. } | Answer::Document { .. } => return Ok(Responded::Now(answer)),
        Answer::Watch(watch) => watching::answer(Arc::clone(&service.host), *watch),
        Answer::Stream(StreamSpec::Proxy(spec)) => proxy::answer(&service.host, spec, &parts.headers).await?,
        Answer::Stream(stream) => streams::answer(&service.host, stream, parts)?,
    }))
}

/// The whole body of a request.
async fn read<B>(body: B) -> Result<Bytes, Status>
where
    B: hyper::body::Body,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    match Limited::new(body, BODY_BYTES_MAX).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Status::new(
            413,
            "RequestEntityTooLarge",
            format!("Request entity too large: limit is {BODY_BYTES_MAX}"),
        )),
        Err(error) => Err(Status::new(400, "BadRequest", format!("the request's body did not arrive: {error}"))),
    }
}

fn kept(headers: &HeaderMap) -> std::collections::BTreeMap<String, String> {
    let wanted = |name: &str| HEADERS.contains(&name) || name.starts_with(IMPERSONATE);
    let mut kept = std::collections::BTreeMap::<String, String>::new();
    for (name, value) in headers.iter().filter(|(name, _)| wanted(name.as_str())) {
        let value = String::from_utf8_lossy(value.as_bytes());
        // A group may have a comma in its name.
        let separator = if name.as_str().starts_with(IMPERSONATE) { access::SEPARATOR } else { ',' };
        kept.entry(name.as_str().to_owned())
            .and_modify(|values| *values = format!("{values}{separator}{value}"))
            .or_insert_with(|| value.into_owned());
    }
    kept
}

/// An answer that is all there.
pub fn whole(answer: Answer) -> Response<Body> {
    let (status, headers, body) = match answer {
        Answer::Whole { status, headers, body } => (status, headers, body),
        Answer::Document { status, headers, body } => (status, headers, Content::Document(body).to_bytes().into()),
        Answer::Watch(_) | Answer::Stream(_) => {
            return whole(Answer::refusal(&Status::new(
                500,
                "InternalError",
                "this goes on and cannot be answered at once",
            )));
        }
    };
    let mut response = Response::new(Full::new(body).map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (header::HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}
