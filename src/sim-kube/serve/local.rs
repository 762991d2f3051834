//! The same service without sockets: for tests and `lab test`, in this process and on time that moves by hand.

use std::sync::{Arc, Mutex};

use breakfix_sim::{
    pace::Pace,
    serve::pipe::{Connector, Requests},
};
use hyper::body::Body;
use jiff::Timestamp;

use super::{
    host::Host,
    input::Asker,
    service::{self, Service},
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
        Connector::new(move |request| service::answer(Arc::clone(&service), certified.clone(), request))
    }

    /// A client of the server, as a tower service: `kube::Client::new(server.requests(), "default")` speaks with it.
    pub fn requests<B>(&self) -> Requests<B>
    where
        B: Body + Send,
        B::Data: Send,
    {
        self.connector().requests()
    }

    /// The same over connections that present no certificate: each request is anonymous, or as its token says.
    pub fn requests_of_nobody<B>(&self) -> Requests<B>
    where
        B: Body + Send,
        B::Data: Send,
    {
        self.connector_of(None).requests()
    }
}
