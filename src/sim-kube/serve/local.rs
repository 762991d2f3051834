//! The same service without sockets: for tests and `lab test`, in this process and on time that moves by hand.

use std::{
    error::Error,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use breakfix_sim::{
    listen,
    pace::Pace,
    serve::pipe::{Connector, Requests},
};
use http::{Request, Response, header};
use http_body_util::BodyExt;
use hyper::body::Body;
use jiff::Timestamp;
use tower_service::Service as TowerService;

pub use super::service::Document;
use super::{
    host::Host,
    input::Asker,
    service::{self, Service, Way},
};
use crate::Cluster;

/// A cluster served in this process. Whoever connects is its administrator, or nobody until a token says otherwise.
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

    /// Opens connections for any HTTP client of hyper's kind, the administrator's. Must be used inside a tokio runtime.
    pub fn connector(&self) -> Connector {
        self.connector_of(Some(service::admin()))
    }

    fn connector_of(&self, certified: Option<Asker>) -> Connector {
        let service = Arc::clone(&self.service);
        Connector::new(move |request| service::answer(Arc::clone(&service), certified.clone(), request, Way::Wire))
    }

    /// A client of the server, as a tower service: `kube::Client::new(server.requests(), "default")` speaks with it over a pipe.
    pub fn requests<B>(&self) -> Requests<B>
    where
        B: Body + Send,
        B::Data: Send,
    {
        self.connector().requests()
    }

    /// The same without a wire. Who marks a request with [`AsDocument`] gets JSON as a [`Document`].
    pub fn here<B>(&self) -> Here<B>
    where
        B: Body + Send,
        B::Data: Send,
    {
        self.here_as(Some(service::admin()))
    }

    /// The same without a certificate: each request is anonymous, or as its token says.
    pub fn here_as_nobody<B>(&self) -> Here<B>
    where
        B: Body + Send,
        B::Data: Send,
    {
        self.here_as(None)
    }

    fn here_as<B>(&self, certified: Option<Asker>) -> Here<B>
    where
        B: Body + Send,
        B::Data: Send,
    {
        let pipe = self.connector_of(certified.clone()).requests();
        Here { service: Arc::clone(&self.service), certified, pipe }
    }
}

/// Among the extensions of a request: JSON need not be written down for it.
#[derive(Clone, Copy, Debug)]
pub struct AsDocument;

/// Requests that need no wire: answered where they are made. What becomes a connection of its own goes over a pipe.
#[derive(Clone)]
pub struct Here<B> {
    service: Arc<Service>,
    certified: Option<Asker>,
    pipe: Requests<B>,
}

type BoxError = Box<dyn Error + Send + Sync>;
type Answering = Pin<Box<dyn Future<Output = Result<Response<listen::Body>, BoxError>> + Send>>;

impl<B> TowerService<Request<B>> for Here<B>
where
    B: Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    type Response = Response<listen::Body>;
    type Error = BoxError;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Answering {
        if request.headers().contains_key(header::UPGRADE) {
            let answer = self.pipe.call(request);
            return Box::pin(async move { Ok(answer.await?.map(|body| body.map_err(Into::into).boxed_unsync())) });
        }
        let way = if request.extensions().get::<AsDocument>().is_some() { Way::Here } else { Way::Wire };
        let (service, certified) = (Arc::clone(&self.service), self.certified.clone());
        Box::pin(async move { Ok(service::answer(service, certified, request, way).await) })
    }
}
