//! HTTP without sockets: a service in this process, reached by any HTTP client of hyper's kind over a pipe in memory.

use std::{
    convert::Infallible,
    future::{Future, Ready, ready},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{
    Request, Response, Uri,
    uri::{Authority, Scheme},
};
use hyper::body::{Body, Incoming};
use hyper_util::{
    client::legacy::{
        Client, ResponseFuture,
        connect::{Connected, Connection},
    },
    rt::{TokioExecutor, TokioIo},
};
use tokio::io::{DuplexStream, duplex};
use tower_service::Service as TowerService;

use crate::listen;

/// How much may be under way in one direction.
const BUFFER: usize = 256 << 10;

/// The host that requests to a local server name; nobody resolves it.
const HOST: &str = "breakfix.local";

type Answering = Pin<Box<dyn Future<Output = Response<listen::Body>> + Send>>;

/// Opens connections to a service in this process. Must be used inside a tokio runtime.
#[derive(Clone)]
pub struct Connector {
    answer: Arc<dyn Fn(Request<Incoming>) -> Answering + Send + Sync>,
}

impl Connector {
    /// Connections whose requests `answer` answers.
    pub fn new<F>(answer: impl Fn(Request<Incoming>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Response<listen::Body>> + Send + 'static,
    {
        Self { answer: Arc::new(move |request| Box::pin(answer(request))) }
    }

    /// A client as a tower service.
    pub fn requests<B>(&self) -> Requests<B>
    where
        B: Body + Send,
        B::Data: Send,
    {
        Requests { client: Client::builder(TokioExecutor::new()).build(self.clone()) }
    }
}

/// Sends requests to a service in this process, whatever host they name.
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
    type Response = Response<Incoming>;
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

impl TowerService<Uri> for Connector {
    type Response = Pipe;
    type Error = Infallible;
    type Future = Ready<Result<Pipe, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let (ours, theirs) = duplex(BUFFER);
        let answer = Arc::clone(&self.answer);
        tokio::spawn(listen::serve(ours, move |request| answer(request)));
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
