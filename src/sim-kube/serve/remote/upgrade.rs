//! The handshake: WebSocket (RFC 6455, section 4.2) with Kubernetes' subprotocols, or SPDY as kubectl before 1.31 asks for it.

use std::time::Duration;

use breakfix_sim::listen::Body;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header, request::Parts};
use http_body_util::{BodyExt, Empty};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::time::Instant;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        handshake::derive_accept_key,
        protocol::{Role, WebSocketConfig},
    },
};

use crate::Status;

/// A WebSocket to a client.
pub type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// Larger messages than any client of exec or port-forward sends.
const MESSAGE_BYTES_MAX: usize = 4 << 20;

/// Which subprotocol of SPDY is spoken, in the request's and the answer's words.
const STREAM_PROTOCOL: HeaderName = HeaderName::from_static("x-stream-protocol-version");
const SPDY: &str = "SPDY/3.1";

/// The subprotocols that a resource speaks, the best first.
#[derive(Clone, Copy, Debug)]
pub struct Offer {
    pub websocket: &'static [&'static str],
    pub spdy: &'static [&'static str],
}

/// What carries a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Carrier {
    WebSocket { protocol: &'static str },
    Spdy { protocol: &'static str },
}

/// How long a connection to a client stays silent at first that loses what comes at once; see [`is_hasty`].
const STREAMS_ARE_MADE: Duration = Duration::from_millis(40);

/// A request that may become another connection, and the subprotocol agreed on.
pub struct Upgrade {
    on: OnUpgrade,
    carrier: Carrier,
    /// How long nothing is to be said at first.
    silence: Duration,
    /// The answer to a WebSocket's key.
    accept: Option<HeaderValue>,
}

/// The connection that a request has become.
pub enum Wire {
    /// And until when nothing is to be said on it.
    WebSocket(Box<Socket>, Instant),
    /// SPDY frames and nothing around them.
    Spdy(Raw),
}

/// A connection of bytes.
pub type Raw = TokioIo<Upgraded>;

impl Upgrade {
    /// Looks for a request that takes one of these subprotocols.
    ///
    /// # Errors
    /// It is none, or takes none of them.
    pub fn of(parts: Parts, offer: Offer) -> Result<Self, Status> {
        let bad = |message: &str| Status::new(400, "BadRequest", message);
        let has = |name, word: &str| words(&parts.headers, name).iter().any(|wanted| wanted.eq_ignore_ascii_case(word));
        if !has(&header::CONNECTION, "upgrade") {
            return Err(bad("Upgrade request required"));
        }
        let (carrier, accept) = if has(&header::UPGRADE, "websocket") {
            let key = parts.headers.get(header::SEC_WEBSOCKET_KEY).map(HeaderValue::as_bytes).unwrap_or_default();
            let accept =
                HeaderValue::try_from(derive_accept_key(key)).map_err(|_| bad("the WebSocket key is not valid"))?;
            let protocol = agree(&words(&parts.headers, &header::SEC_WEBSOCKET_PROTOCOL), offer.websocket)?;
            (Carrier::WebSocket { protocol }, Some(accept))
        } else if has(&header::UPGRADE, SPDY) {
            let protocol = agree(&words(&parts.headers, &STREAM_PROTOCOL), offer.spdy)?;
            (Carrier::Spdy { protocol }, None)
        } else {
            return Err(bad(&format!("unable to upgrade: missing upgrade headers in request: {:?}", parts.headers)));
        };
        let agent = parts.headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or("");
        let silence = if is_hasty(agent) { STREAMS_ARE_MADE } else { Duration::ZERO };
        let on = hyper::upgrade::on(http::Request::from_parts(parts, ()));
        Ok(Self { on, carrier, silence, accept })
    }

    /// The subprotocol agreed on.
    pub fn protocol(&self) -> &'static str {
        match self.carrier {
            Carrier::WebSocket { protocol } | Carrier::Spdy { protocol } => protocol,
        }
    }

    /// The answer to send, and the connection once it is sent; `None` if the client has gone.
    pub fn accept(self) -> (Response<Body>, impl Future<Output = Option<Wire>> + Send) {
        let mut response = Response::new(Empty::<Bytes>::new().map_err(|never| match never {}).boxed_unsync());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        let (upgrade, name) = match self.carrier {
            Carrier::WebSocket { .. } => ("websocket", header::SEC_WEBSOCKET_PROTOCOL),
            Carrier::Spdy { .. } => (SPDY, STREAM_PROTOCOL),
        };
        headers.insert(header::UPGRADE, HeaderValue::from_static(upgrade));
        headers.insert(name, HeaderValue::from_static(self.protocol()));
        if let Some(accept) = self.accept {
            headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
        }
        let (on, carrier, silence) = (self.on, self.carrier, self.silence);
        let wire = async move {
            let stream = TokioIo::new(on.await.ok()?);
            if matches!(carrier, Carrier::Spdy { .. }) {
                return Some(Wire::Spdy(stream));
            }
            let config = WebSocketConfig::default()
                .max_message_size(Some(MESSAGE_BYTES_MAX))
                .max_frame_size(Some(MESSAGE_BYTES_MAX));
            let socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
            Some(Wire::WebSocket(Box::new(socket), Instant::now() + silence))
        };
        (response, wire)
    }
}

/// Whether a client may read before it has made its streams, and drop what comes earlier: client-go before 0.34 ("Unknown stream id",
/// kubernetes/kubernetes#131189), which says `kubernetes/` at the end of whatever program's name. A real node, which has a process to start
/// first, is seldom that quick.
fn is_hasty(agent: &str) -> bool {
    let version = agent.strip_prefix("kubectl/v1.").and_then(|rest| rest.split('.').next()?.parse::<u32>().ok());
    agent.contains(" kubernetes/") && version.is_none_or(|minor| minor < 34)
}

/// The best protocol that both sides know.
fn agree(offered: &[String], known: &[&'static str]) -> Result<&'static str, Status> {
    known.iter().find(|known| offered.iter().any(|word| word == *known)).copied().ok_or_else(|| {
        let message = format!(
            "unable to upgrade: unable to negotiate protocol: client supports [{}], server accepts [{}]",
            offered.join(" "),
            known.join(" ")
        );
        Status::new(403, "Forbidden", message)
    })
}

/// The comma-separated words of a header, over all its lines.
fn words(headers: &HeaderMap, name: &header::HeaderName) -> Vec<String> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(|word| word.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(headers: &[(&str, &str)]) -> Parts {
        let mut request = http::Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    const SOCKET: &[(&str, &str)] =
        &[("connection", "Upgrade"), ("upgrade", "websocket"), ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")];

    const OFFER: Offer = Offer { websocket: &["v5.channel.k8s.io", "v4.channel.k8s.io"], spdy: &["v4.channel.k8s.io"] };

    #[test]
    fn the_best_protocol_of_both_is_taken() {
        let mut headers = SOCKET.to_vec();
        headers.push(("sec-websocket-protocol", "v4.channel.k8s.io, v5.channel.k8s.io"));
        let upgrade = Upgrade::of(parts(&headers), OFFER).unwrap();
        assert_eq!(upgrade.protocol(), "v5.channel.k8s.io");
        // The example of RFC 6455.
        assert_eq!(upgrade.accept.unwrap(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn only_clients_that_lose_what_comes_at_once_are_given_time() {
        assert!(is_hasty("kubectl/v1.32.1 (linux/amd64) kubernetes/e9c9be4"));
        assert!(is_hasty("k9s/v0.50.0 (linux/amd64) kubernetes/$Format"));
        assert!(!is_hasty("kubectl/v1.34.0 (linux/amd64) kubernetes/f28b4c9"));
        assert!(!is_hasty("") && !is_hasty("curl/8"));
    }

    #[test]
    fn an_older_kubectl_gets_spdy() {
        let headers = [
            ("connection", "Upgrade"),
            ("upgrade", "SPDY/3.1"),
            ("x-stream-protocol-version", "v5.channel.k8s.io"),
            ("x-stream-protocol-version", "v4.channel.k8s.io"),
        ];
        let upgrade = Upgrade::of(parts(&headers), OFFER).unwrap();
        assert_eq!(upgrade.carrier, Carrier::Spdy { protocol: "v4.channel.k8s.io" });
    }

    #[test]
    fn what_is_no_upgrade_or_agrees_on_nothing_is_told_so() {
        let code = |headers: &[(&str, &str)]| Upgrade::of(parts(headers), OFFER).err().map(|status| status.code);
        assert_eq!(code(&[]), Some(400));
        assert_eq!(code(&[("connection", "Upgrade"), ("upgrade", "h2c")]), Some(400));
        assert_eq!(code(SOCKET), Some(403));
    }
}
