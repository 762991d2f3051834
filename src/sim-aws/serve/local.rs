//! The same service without sockets: for tests and `lab test`, in this process and on time that moves by hand.

use std::sync::{Arc, Mutex};

use breakfix_sim::{
    pace::Pace,
    serve::pipe::{Connector, Requests},
};
use jiff::Timestamp;

use super::{
    Host,
    service::{self, Door, Service},
};
use crate::{
    Cloud,
    wire::{Request, Response},
};

/// A cloud served in this process.
#[derive(Clone)]
pub struct LocalServer {
    service: Arc<Service>,
}

/// Serves a cloud in this process; its time moves by hand ([`LocalServer::host`], or `POST /breakfix/advance`).
pub fn local(cloud: Arc<Mutex<Cloud>>) -> LocalServer {
    // The wall's date is not followed where time moves by hand.
    let host = Host::new(cloud, Pace::ByHand, None, || Timestamp::UNIX_EPOCH);
    LocalServer { service: Service::new(Arc::new(host), 0) }
}

impl LocalServer {
    /// The cloud behind the server.
    pub fn host(&self) -> &Arc<Host> {
        &self.service.host
    }

    /// Answers a request that is a value: no HTTP at all.
    pub fn answer(&self, request: &Request) -> Response {
        self.service.respond(Door::Api, request).0
    }

    /// Opens connections for any HTTP client of hyper's kind. Must be used inside a tokio runtime.
    pub fn connector(&self) -> Connector {
        let service = Arc::clone(&self.service);
        Connector::new(move |request| service::answer(Arc::clone(&service), Door::Api, request))
    }

    /// A client of the server, as a tower service. A signature holds only if it was made for the host that the request names.
    pub fn requests<B>(&self) -> Requests<B>
    where
        B: hyper::body::Body + Send,
        B::Data: Send,
    {
        self.connector().requests()
    }
}
