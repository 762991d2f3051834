//! A port of this machine for a simulator, and connections served on it or on any other pair of ends.

use std::{
    error::Error,
    future::Future,
    io::{self, ErrorKind},
    net::{Ipv4Addr, SocketAddr},
};

use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
};

/// What a simulator answers with: bytes now, or as they come.
pub type Body = UnsyncBoxBody<bytes::Bytes, Box<dyn Error + Send + Sync>>;

/// How many ports after a remembered one are tried.
const NEXT_PORTS: u16 = 100;

/// Listens on 127.0.0.1: on this port, or the next free one if it is taken; on any free one for 0.
///
/// # Errors
/// No port is free, or the system refuses.
pub async fn listen(port: u16) -> io::Result<TcpListener> {
    if port == 0 {
        return TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
    }
    for candidate in port..=port.saturating_add(NEXT_PORTS) {
        match TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, candidate))).await {
            Err(error) if error.kind() == ErrorKind::AddrInUse => {}
            other => return other,
        }
    }
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await
}

/// Serves one connection, HTTP/1.1 or HTTP/2 as the client begins, with upgrades, until it ends.
///
/// # Errors
/// The connection broke or the client does not speak HTTP.
pub async fn serve<S, F>(stream: S, answer: impl Fn(Request<Incoming>) -> F) -> Result<(), Box<dyn Error + Send + Sync>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let service = service_fn(|request| {
        let answer = answer(request);
        async move { Ok::<_, std::convert::Infallible>(answer.await) }
    });
    Builder::new(TokioExecutor::new()).serve_connection_with_upgrades(TokioIo::new(stream), service).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_remembered_port_in_use_gives_the_next_free_one() {
        let first = listen(0).await.unwrap();
        let port = first.local_addr().unwrap().port();
        let second = listen(port).await.unwrap();
        assert_ne!(second.local_addr().unwrap().port(), port);
        drop(first);
        let again = listen(port).await.unwrap();
        assert_eq!(again.local_addr().unwrap().port(), port);
    }
}
