//! The one place where serving touches what the API server and the nodes do: requests in, answers and streams out.

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;

use super::input::{Asker, Request};
use crate::{
    Cluster, Status, access,
    api::{self, ApiRequest, ApiResponse, Content, User, stream::StreamSpec, watch::WatchSpec},
};

/// What becomes of a request.
#[derive(Debug)]
pub enum Answer {
    /// Everything at once.
    Whole { status: u16, headers: Vec<(String, String)>, body: Bytes },
    /// A JSON document that has yet to be written down.
    Document { status: u16, headers: Vec<(String, String)>, body: Value },
    /// Events as they come.
    Watch(Box<WatchSpec>),
    /// A connection of its own, or a log.
    Stream(StreamSpec),
}

impl Answer {
    /// A refusal in the API's words.
    pub fn refusal(status: &Status) -> Self {
        Self::json(status.code, status.body())
    }

    /// A JSON document.
    pub fn json(status: u16, body: Value) -> Self {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Self::Document { status, headers, body }
    }
}

/// Answers a request.
pub fn handle(cluster: &mut Cluster, request: &Request) -> Answer {
    let asked = ApiRequest {
        method: request.method.clone(),
        path: request.path.clone(),
        query: query(&request.query),
        headers: request.headers.clone(),
        body: request.body.0.to_vec(),
        user: User::from(request.asker.clone()),
    };
    match api::handle(cluster, &asked) {
        ApiResponse::Reply(reply) => {
            let content = ("content-type".to_owned(), reply.content_type);
            let rest = reply.headers.into_iter().map(|(name, value)| (name.to_owned(), value));
            let (status, headers) = (reply.status, std::iter::once(content).chain(rest).collect());
            match reply.body {
                Content::Document(body) => Answer::Document { status, headers, body },
                Content::Bytes(bytes) => Answer::Whole { status, headers, body: bytes.into() },
            }
        }
        ApiResponse::Watch(watch) => Answer::Watch(Box::new(watch)),
        ApiResponse::Stream(stream) => Answer::Stream(stream),
    }
}

/// The pairs of a query, undone of their escapes, in order.
fn query(text: &str) -> Vec<(String, String)> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (unescape(name), unescape(value))
        })
        .collect()
}

/// `a%20b+c` → `a b c`; a broken escape stays as it is.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = match (first, after) {
            (b'%', [high, low, ..]) => digit(*high).zip(digit(*low)).map(|(high, low)| high << 4 | low),
            _ => None,
        };
        rest = if escaped.is_some() { after.get(2..).unwrap_or_default() } else { after };
        bytes.push(escaped.unwrap_or(if *first == b'+' { b' ' } else { *first }));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// Who a request without a certificate comes from.
///
/// # Errors
/// 401: it shows a token that is nobody's.
pub fn authenticate(cluster: &Cluster, headers: &HeaderMap) -> Result<Asker, Status> {
    let header = headers.get(http::header::AUTHORIZATION).and_then(|header| header.to_str().ok());
    access::authenticate::bearer(cluster, header).map(Asker::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_keeps_its_order_and_loses_its_escapes() {
        let pairs = query("command=sh&command=-c&command=exit+3&x=%2Fwww%zz&stdin");
        let pairs = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>();
        assert_eq!(
            pairs,
            [("command", "sh"), ("command", "-c"), ("command", "exit 3"), ("x", "/www%zz"), ("stdin", "")]
        );
    }
}
