//! The same service without sockets: for tests and `lab test`, in this process and on time that moves by hand.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use breakfix_sim::{listen, pace::Pace};
use http::{
    Request, Uri,
    uri::{Authority, Scheme},
};
use hyper::body::Body;
use hyper_util::{
    client::legacy::{
        Client, ResponseFuture,
        connect::{Connected, Connection},
    },
    rt::{TokioExecutor, TokioIo},
};
use jiff::Timestamp;
use tokio::io::{DuplexStream, duplex};
use tower_service::Service as TowerService;

use super::{
    host::Host,
    service::{self, Service},
};
use crate::Cluster;

/// How much may be under way in one direction.
const BUFFER: usize = 256 << 10;

/// The host that requests to a local server name; nobody resolves it.
const HOST: &str = "breakfix.local";

/// A cluster served in this process. Whoever connects is its administrator.
#[derive(Clone)]
pub struct LocalServer {
    service: Arc<Service>,
}

/// Serves a cluster in this process; its time moves by hand ([`LocalServer::host`], or `POST /breakfix/advance`).
pub fn local(cluster: Arc<Mutex<Cluster>>) -> LocalServer {
    // The wall's date is not followed where time moves by hand.
    let host = Host::new(cluster, Pace::ByHand, None, || Timestamp::UNIX_EPOCH);
    LocalServer { service: Service::new(Arc::new(host)) }
}

impl LocalServer {
    /// The cluster behind the server.
    pub fn host(&self) -> &Arc<Host> {
        &self.service.host
    }

    /// Opens connections for any HTTP client of hyper's kind. Must be used inside a tokio runtime.
    pub fn connector(&self) -> Connector {
        Connector { service: Arc::clone(&self.service) }
    }

    /// A client of the server, as a tower service: `kube::Client::new(server.requests(), "default")` speaks with it.
    pub fn requests<B>(&self) -> Requests<B>
    where
        B: Body + Send,
        B::Data: Send,
    {
        Requests { client: Client::builder(TokioExecutor::new()).build(self.connector()) }
    }
}

/// Sends requests to a local server, whatever host they name.
#[derive(Clone)]
pub struct Requests<B> {
    client: Client<Connector, B>,
}

impl<B> TowerService<Request<B>> for Requests<B>
where
    B: Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = http::Response<hyper::body::Incoming>;
    type Error = hyper_util::client::legacy::Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> ResponseFuture {
        let mut parts = request.uri().clone().into_parts();
        parts.scheme = Some(Scheme::HTTP);
        parts.authority = Some(Authority::from_static(HOST));
        if let Ok(uri) = Uri::from_parts(parts) {
            *request.uri_mut() = uri;
        }
        self.client.request(request)
    }
}

/// Opens connections to a local server.
#[derive(Clone)]
pub struct Connector {
    service: Arc<Service>,
}

impl TowerService<Uri> for Connector {
    type Response = Pipe;
    type Error = Infallible;
    type Future = Ready<Result<Pipe, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let (ours, theirs) = duplex(BUFFER);
        let service = Arc::clone(&self.service);
        tokio::spawn(listen::serve(ours, move |request| {
            service::answer(Arc::clone(&service), Some(service::admin()), request)
        }));
        ready(Ok(Pipe(TokioIo::new(theirs))))
    }
}

/// A client's end of a connection.
pub struct Pipe(TokioIo<DuplexStream>);

impl Connection for Pipe {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl hyper::rt::Read for Pipe {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: hyper::rt::ReadBufCursor<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl hyper::rt::Write for Pipe {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
