//! `proxy`: a request for somebody behind the API server, handed on as it is.

use super::resource::Call;
use crate::{
    Status,
    api::{
        handle::{ApiResponse, Content, Reply},
        stream::{Proxied, ProxySpec, StreamSpec},
    },
};

/// Headers that end at the API server: of this connection, or the client's own papers.
const KEPT_BACK: &[&str] = &[
    "authorization",
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-remote-group",
    "x-remote-user",
];

/// Describes the request that is to be made; `serve/` makes it.
pub(super) fn answer(call: &Call<'_>, name: &str) -> Result<ApiResponse, Status> {
    let request = call.request;
    // `/api/v1/namespaces/NS/pods/NAME/proxy`, or one namespace less.
    let segments = if call.kind.namespaced { 7 } else { 5 };
    let rest = after(&request.path, segments);
    if rest.is_empty() && matches!(request.method.as_str(), "GET" | "HEAD") {
        // So that the page's own links lead somewhere.
        let to = format!("{}/", request.path);
        return Ok(ApiResponse::Reply(Reply {
            status: 301,
            content_type: "text/plain; charset=utf-8".to_owned(),
            headers: vec![("location", to)],
            body: Content::Bytes(Vec::new()),
        }));
    }
    let to = match call.kind.kind {
        "Pod" => Proxied::Pod,
        "Service" => Proxied::Service,
        _ => Proxied::Node,
    };
    let query: Vec<String> =
        request.query.iter().map(|(key, value)| format!("{}={}", escaped(key), escaped(value))).collect();
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    let path = if rest.is_empty() { "/" } else { rest };
    let headers = request.headers.iter().filter(|(name, _)| is_handed_on(name));
    Ok(ApiResponse::Stream(StreamSpec::Proxy(ProxySpec {
        to,
        namespace: call.namespace().to_owned(),
        name: name.to_owned(),
        method: request.method.clone(),
        target: format!("{path}{query}"),
        headers: headers.map(|(name, value)| (name.clone(), value.clone())).collect(),
        body: request.body.clone(),
    })))
}

/// Whether a header goes on to whoever is behind.
pub(crate) fn is_handed_on(name: &str) -> bool {
    !KEPT_BACK.contains(&name) && !name.starts_with("impersonate-") && !name.starts_with("sec-websocket")
}

/// What follows so many segments of a path, with its first slash.
fn after(path: &str, segments: usize) -> &str {
    let mut rest = path;
    for _ in 0..segments {
        let Some(inner) = rest.strip_prefix('/') else { return "" };
        rest = inner.find('/').and_then(|at| inner.get(at..)).unwrap_or("");
    }
    rest
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' | b':' => out.push(byte.into()),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_of_a_path_keeps_its_slashes_and_escapes() {
        let path = "/api/v1/namespaces/shop/pods/web:8080/proxy/a//b%20c/";
        assert_eq!(after(path, 7), "/a//b%20c/");
        assert_eq!(after("/api/v1/namespaces/shop/pods/web/proxy", 7), "");
        assert_eq!(after("/api/v1/nodes/a/proxy/", 5), "/");
        assert_eq!(escaped("a b&c=d/ä"), "a%20b%26c%3Dd/%C3%A4");
    }

    #[test]
    fn papers_stay_with_the_server() {
        assert!(is_handed_on("accept") && is_handed_on("x-request-id"));
        assert!(!is_handed_on("authorization") && !is_handed_on("impersonate-user"));
    }
}
