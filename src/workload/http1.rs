//! HTTP/1.1 on the wire (RFC 9112), as far as one request and one answer on a connection need it.
//!
//! Reading works on what has arrived so far: `Ok(None)` means that more is needed. Every connection closes after its
//! answer.

use std::{collections::BTreeMap, fmt};

use crate::{Request, Response};

/// A request line or status line with all its headers.
pub const HEAD_BYTES_MAX: usize = 16 << 10;
pub const BODY_BYTES_MAX: usize = 1 << 20;

/// What arrived is no HTTP, or more than is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    Head,
    HeadTooLarge,
    Body,
    BodyTooLarge,
    /// The connection ended too early.
    Cut,
}

impl Malformed {
    /// The status that a server answers it with.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::Head | Self::Body | Self::Cut => 400,
            Self::HeadTooLarge => 431,
            Self::BodyTooLarge => 413,
        }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Head => "this is no HTTP",
            Self::HeadTooLarge => "the headers are longer than 16 KiB",
            Self::Body => "the body is not as its headers say",
            Self::BodyTooLarge => "the body is larger than 1 MiB",
            Self::Cut => "the connection ended too early",
        })
    }
}

impl std::error::Error for Malformed {}

/// Read a request.
///
/// # Errors
/// It never will be one.
pub fn read_request(bytes: &[u8]) -> Result<Option<Request>, Malformed> {
    let Some(head) = Head::read(bytes)? else { return Ok(None) };
    let mut words = head.first.split(' ');
    let (Some(method), Some(target), Some(version), None) = (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(Malformed::Head);
    };
    let method_is_plain = !method.is_empty() && method.chars().all(|c| c.is_ascii_uppercase() || c == '-');
    if !method_is_plain || !version.starts_with("HTTP/1.") {
        return Err(Malformed::Head);
    }
    // A proxy's absolute form (RFC 9112, 3.2.2) is brought back to the path.
    let target = match target.strip_prefix("http://") {
        Some(rest) => rest.find('/').and_then(|slash| rest.get(slash..)).unwrap_or("/"),
        None => target,
    };
    let Some(body) = head.body(false)? else { return Ok(None) };
    Ok(Some(Request { method: method.to_owned(), target: target.to_owned(), headers: head.headers, body }))
}

/// Read the answer to a request of this method; `closed` says that nothing will follow.
///
/// # Errors
/// It never will be one.
pub fn read_response(bytes: &[u8], method: &str, closed: bool) -> Result<Option<Response>, Malformed> {
    let Some(head) = Head::read(bytes)? else {
        return if closed { Err(Malformed::Cut) } else { Ok(None) };
    };
    let status = head.first.strip_prefix("HTTP/1.").and_then(|rest| rest.split(' ').nth(1));
    let status: u16 = status.and_then(|status| status.parse().ok()).ok_or(Malformed::Head)?;
    if (100..200).contains(&status) {
        // "Continue" and its like come before the answer proper.
        return read_response(head.rest, method, closed);
    }
    if method == "HEAD" || matches!(status, 204 | 304) {
        return Ok(Some(Response { status, headers: head.headers, body: Vec::new() }));
    }
    match head.body(true)? {
        Some(body) => Ok(Some(Response { status, headers: head.headers, body })),
        None if closed && head.ends_with_connection() => {
            Ok(Some(Response { status, body: head.rest.to_vec(), headers: head.headers }))
        }
        None if closed => Err(Malformed::Cut),
        None => Ok(None),
    }
}

/// A request as it is sent.
#[must_use]
pub fn write_request(request: &Request) -> Vec<u8> {
    let first = format!("{} {} HTTP/1.1", request.method, clean(&request.target).replace(' ', "%20"));
    let with_length = !request.body.is_empty() || request.method != "GET";
    write(&first, &request.headers, with_length.then_some(request.body.len()), &request.body)
}

/// An answer as it is sent. An answer to HEAD keeps its length and loses its body.
#[must_use]
pub fn write_response(response: &Response, method: &str) -> Vec<u8> {
    let first = format!("HTTP/1.1 {} {}", response.status, reason(response.status));
    let body = if method == "HEAD" { &[] } else { response.body.as_slice() };
    write(&first, &response.headers, Some(response.body.len()), body)
}

fn write(first: &str, headers: &BTreeMap<String, String>, length: Option<usize>, body: &[u8]) -> Vec<u8> {
    let mut text = format!("{first}\r\n");
    for (name, value) in headers {
        if !matches!(name.as_str(), "connection" | "content-length" | "transfer-encoding") {
            text.push_str(&format!("{}: {}\r\n", clean(name), clean(value)));
        }
    }
    if let Some(length) = length {
        text.push_str(&format!("content-length: {length}\r\n"));
    }
    text.push_str("connection: close\r\n\r\n");
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// Without line breaks and other control characters, so that no value can become a header of its own.
fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// The first line and the headers of a message, and what comes after them.
struct Head<'a> {
    first: String,
    headers: BTreeMap<String, String>,
    rest: &'a [u8],
}

impl<'a> Head<'a> {
    fn read(bytes: &'a [u8]) -> Result<Option<Self>, Malformed> {
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
            return if bytes.len() > HEAD_BYTES_MAX { Err(Malformed::HeadTooLarge) } else { Ok(None) };
        };
        if end > HEAD_BYTES_MAX {
            return Err(Malformed::HeadTooLarge);
        }
        let (head, rest) = (bytes.get(..end).unwrap_or_default(), bytes.get(end + 4..).unwrap_or_default());
        let head = String::from_utf8_lossy(head);
        let mut lines = head.split("\r\n");
        let first = lines.next().unwrap_or_default().to_owned();
        let mut headers = BTreeMap::new();
        for line in lines {
            let (name, value) = line.split_once(':').ok_or(Malformed::Head)?;
            if name.is_empty() || name.contains(char::is_whitespace) {
                return Err(Malformed::Head);
            }
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        Ok(Some(Self { first, headers, rest }))
    }

    /// The whole body, or `None` while it is on its way. An answer without a length ends with its connection; a request
    /// without one has no body.
    fn body(&self, is_answer: bool) -> Result<Option<Vec<u8>>, Malformed> {
        if self.rest.len() > BODY_BYTES_MAX + HEAD_BYTES_MAX {
            return Err(Malformed::BodyTooLarge);
        }
        if let Some(coding) = self.headers.get("transfer-encoding") {
            return if coding.eq_ignore_ascii_case("chunked") { unchunk(self.rest) } else { Err(Malformed::Body) };
        }
        let Some(length) = self.headers.get("content-length") else {
            return Ok(if is_answer { None } else { Some(Vec::new()) });
        };
        let length: usize = length.parse().map_err(|_| Malformed::Body)?;
        if length > BODY_BYTES_MAX {
            return Err(Malformed::BodyTooLarge);
        }
        Ok(self.rest.get(..length).map(<[u8]>::to_vec))
    }

    fn ends_with_connection(&self) -> bool {
        !self.headers.contains_key("transfer-encoding") && !self.headers.contains_key("content-length")
    }
}

/// Put the chunks of a body together (RFC 9112, 7.1); trailers are dropped.
fn unchunk(mut rest: &[u8]) -> Result<Option<Vec<u8>>, Malformed> {
    let mut body = Vec::new();
    loop {
        let Some(end) = rest.windows(2).position(|window| window == b"\r\n") else { return Ok(None) };
        let line = String::from_utf8_lossy(rest.get(..end).unwrap_or_default()).into_owned();
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).map_err(|_| Malformed::Body)?;
        if size == 0 {
            return Ok(Some(body));
        }
        if size > BODY_BYTES_MAX || body.len() + size > BODY_BYTES_MAX {
            return Err(Malformed::BodyTooLarge);
        }
        let start = end + 2;
        let (Some(chunk), Some(after)) = (rest.get(start..start + size), rest.get(start + size + 2..)) else {
            return Ok(None);
        };
        body.extend_from_slice(chunk);
        rest = after;
    }
}

/// The words that go with a status (RFC 9110, 15), of those that the program answers with.
fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        404 => "Not Found",
        405 => "Method Not Allowed",
        413 => "Content Too Large",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        508 => "Loop Detected",
        _ => "Unnamed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_survives_the_wire() {
        let request = Request::post("/order?id=1", "o-1").with_header("X-Request-Id", "a\r\nb: c");
        let bytes = write_request(&request);
        for length in 0..bytes.len() {
            assert_eq!(read_request(&bytes[..length]), Ok(None), "cut at {length}");
        }
        let read = read_request(&bytes).unwrap().unwrap();
        assert_eq!(
            (read.method.as_str(), read.target.as_str(), read.body.as_slice()),
            ("POST", "/order?id=1", &b"o-1"[..])
        );
        assert_eq!(read.header("x-request-id"), Some("ab: c"), "no header can be smuggled in");
    }

    #[test]
    fn an_answer_survives_the_wire() {
        let answer = Response::text(503, "not ready\n");
        let bytes = write_response(&answer, "GET");
        let read = read_response(&bytes, "GET", false).unwrap().unwrap();
        assert_eq!((read.status, read.body.as_slice()), (503, &b"not ready\n"[..]));
        assert_eq!(read_response(&bytes[..bytes.len() - 1], "GET", true), Err(Malformed::Cut));
        assert!(write_response(&answer, "HEAD").ends_with(b"\r\n\r\n"));
    }

    #[test]
    fn bodies_of_other_servers_are_read() {
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
        assert_eq!(read_response(chunked, "GET", false).unwrap().unwrap().body, b"abcde");
        let open = b"HTTP/1.0 200 OK\r\n\r\nabc";
        assert_eq!(read_response(open, "GET", false), Ok(None));
        assert_eq!(read_response(open, "GET", true).unwrap().unwrap().body, b"abc");
        let interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n";
        assert_eq!(read_response(interim, "GET", false).unwrap().unwrap().status, 204);
    }

    #[test]
    fn what_is_no_http_is_refused() {
        for wrong in ["GET /\r\n\r\n", "get / HTTP/1.1\r\n\r\n", "GET / FTP/1\r\n\r\n", "GET / HTTP/1.1\r\nx\r\n\r\n"] {
            assert_eq!(read_request(wrong.as_bytes()), Err(Malformed::Head), "{wrong}");
        }
        assert_eq!(read_request(&[b'x'; HEAD_BYTES_MAX + 1]), Err(Malformed::HeadTooLarge));
        let large = format!("POST / HTTP/1.1\r\ncontent-length: {}\r\n\r\n", BODY_BYTES_MAX + 1);
        assert_eq!(read_request(large.as_bytes()), Err(Malformed::BodyTooLarge));
        let absurd = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n";
        assert_eq!(read_response(absurd, "GET", false), Err(Malformed::BodyTooLarge));
    }
}
