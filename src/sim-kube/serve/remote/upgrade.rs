//! The WebSocket handshake (RFC 6455, section 4.2), with Kubernetes' subprotocols.

use breakfix_sim::listen::Body;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header, request::Parts};
use http_body_util::{BodyExt, Empty};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
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

/// A request that may become a WebSocket, and the subprotocol agreed on.
pub struct Upgrade {
    on: OnUpgrade,
    accept: HeaderValue,
    protocol: &'static str,
}

impl Upgrade {
    /// Looks for a WebSocket request that takes one of these subprotocols, the best first.
    ///
    /// # Errors
    /// It is none, or takes none of them.
    pub fn of(parts: Parts, protocols: &[&'static str]) -> Result<Self, Status> {
        let wanted = words(&parts.headers, &header::UPGRADE);
        if !words(&parts.headers, &header::CONNECTION).iter().any(|word| word.eq_ignore_ascii_case("upgrade")) {
            return Err(Status::new(400, "BadRequest", "Upgrade request required"));
        }
        if !wanted.iter().any(|word| word.eq_ignore_ascii_case("websocket")) {
            let wanted = wanted.join(", ");
            return Err(Status::new(
                400,
                "BadRequest",
                format!(
                    "unable to upgrade: this simulator speaks WebSocket, and the client asked for {wanted}; kubectl speaks WebSocket from \
                     version 1.31 on"
                ),
            ));
        }
        let key = parts.headers.get(header::SEC_WEBSOCKET_KEY).map(HeaderValue::as_bytes).unwrap_or_default();
        let accept = HeaderValue::try_from(derive_accept_key(key))
            .map_err(|_| Status::new(400, "BadRequest", "the WebSocket key is not valid"))?;
        let offered = words(&parts.headers, &header::SEC_WEBSOCKET_PROTOCOL);
        let Some(protocol) = protocols.iter().find(|known| offered.iter().any(|word| word == *known)) else {
            let offered = offered.join(" ");
            return Err(Status::new(
                403,
                "Forbidden",
                format!(
                    "unable to upgrade: unable to negotiate protocol: client supports [{offered}], server accepts [{}]",
                    protocols.join(" ")
                ),
            ));
        };
        let on = hyper::upgrade::on(http::Request::from_parts(parts, ()));
        Ok(Self { on, accept, protocol })
    }

    /// The subprotocol agreed on.
    pub fn protocol(&self) -> &'static str {
        self.protocol
    }

    /// The answer to send, and the socket once it is sent; `None` if the client has gone.
    pub fn accept(self) -> (Response<Body>, impl Future<Output = Option<Socket>> + Send) {
        let mut response = Response::new(Empty::<Bytes>::new().map_err(|never| match never {}).boxed_unsync());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, self.accept);
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(self.protocol));
        let on = self.on;
        let socket = async move {
            let stream = TokioIo::new(on.await.ok()?);
            let config = WebSocketConfig::default()
                .max_message_size(Some(MESSAGE_BYTES_MAX))
                .max_frame_size(Some(MESSAGE_BYTES_MAX));
            Some(WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await)
        };
        (response, socket)
    }
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

    #[test]
    fn the_best_protocol_of_both_is_taken() {
        let mut headers = SOCKET.to_vec();
        headers.push(("sec-websocket-protocol", "v4.channel.k8s.io, v5.channel.k8s.io"));
        let upgrade = Upgrade::of(parts(&headers), &["v5.channel.k8s.io", "v4.channel.k8s.io"]).unwrap();
        assert_eq!(upgrade.protocol(), "v5.channel.k8s.io");
        // The example of RFC 6455.
        assert_eq!(upgrade.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn what_is_no_websocket_is_told_so() {
        let code = |headers: &[(&str, &str)]| Upgrade::of(parts(headers), &["v5.channel.k8s.io"]).err().map(|e| e.code);
        assert_eq!(code(&[]), Some(400));
        assert_eq!(code(&[("connection", "Upgrade"), ("upgrade", "SPDY/3.1")]), Some(400));
        assert_eq!(code(SOCKET), Some(403));
    }
}
