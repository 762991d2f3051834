//! HTTP messages from hyper to values and back.

use ::http::{HeaderValue, StatusCode, header};
use breakfix_sim::listen::Body;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;

use crate::wire;

/// No request of the services is larger (the largest, `PutLogEvents`, takes 1 MiB of events).
const BODY_BYTES_MAX: usize = 4 << 20;

/// Why a request did not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    TooLarge,
    Broken,
}

/// The whole of a request; without its body where that did not arrive.
pub async fn read(request: ::http::Request<Incoming>) -> (wire::Request, Option<Lost>) {
    let (parts, body) = request.into_parts();
    let mut headers: Vec<(String, String)> = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    // HTTP/2 has the host in the address.
    if let (false, Some(host)) = (parts.headers.contains_key(header::HOST), parts.uri.authority()) {
        headers.push(("host".to_owned(), host.to_string()));
    }
    let (body, lost) = match Limited::new(body, BODY_BYTES_MAX).collect().await {
        Ok(collected) => (collected.to_bytes().to_vec(), None),
        Err(error) if error.is::<LengthLimitError>() => (Vec::new(), Some(Lost::TooLarge)),
        Err(_) => (Vec::new(), Some(Lost::Broken)),
    };
    let request = wire::Request {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers,
        body,
    };
    (request, lost)
}

/// An answer, with our name on it.
pub fn written(response: wire::Response) -> ::http::Response<Body> {
    let body = Full::new(Bytes::from(response.body)).map_err(|never| match never {}).boxed_unsync();
    let mut out = ::http::Response::new(body);
    *out.status_mut() = StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in response.headers {
        if let (Ok(name), Ok(value)) = (header::HeaderName::try_from(name), HeaderValue::try_from(value)) {
            out.headers_mut().append(name, value);
        }
    }
    let name = HeaderValue::from_static(concat!("breakfix-sim/", env!("CARGO_PKG_VERSION")));
    out.headers_mut().entry(header::SERVER).or_insert(name);
    out
}
