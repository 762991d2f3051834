//! One HTTP request, whoever it is for: the API, a load balancer, or the simulator itself.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use breakfix_sim::listen::Body;
use hyper::body::Incoming;
use tokio::sync::watch;

use super::{
    Host, api, balancer, control,
    http::{self, Lost},
    ids::Ids,
    throttle::Throttle,
};
use crate::{
    AwsError, Cloud,
    wire::{self, Request, Response, answer, asked, refusal::Refusal},
};

/// What stands on the front page.
const WELCOME: &str =
    "This is the AWS simulator of breakfix: it answers the aws CLI and the SDKs at this address, and is not AWS.\n";

/// What every connection of a server shares.
pub struct Service {
    pub host: Arc<Host>,
    pub throttle: Throttle,
    ids: Ids,
    /// The ports that are listened on: the API's, then the balancers'.
    ports: Mutex<Vec<u16>>,
    /// Set to true to end the server.
    pub stop: watch::Sender<bool>,
}

/// Which door a request came in by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    Api,
    /// For browsers and `curl`: every request is for a load balancer.
    Balancers,
}

impl Service {
    /// `seed` decides the ids of requests.
    pub fn new(host: Arc<Host>, seed: u64) -> Arc<Self> {
        let (throttle, ids, ports) = (Throttle::default(), Ids::from_seed(seed), Mutex::default());
        Arc::new(Self { host, throttle, ids, ports, stop: watch::Sender::new(false) })
    }

    pub fn ports(&self) -> Vec<u16> {
        self.ports.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn listens_on(&self, ports: Vec<u16>) {
        *self.ports.lock().unwrap_or_else(PoisonError::into_inner) = ports;
    }

    /// Looks at the cloud.
    ///
    /// # Errors
    /// The simulator failed.
    pub fn look<T>(&self, look: impl FnOnce(&mut Cloud) -> T) -> Result<T, AwsError> {
        self.host.look(look).map_err(|failed| AwsError::new("InternalFailure", failed.to_string()).status(500))
    }

    /// Answers a request, and says how long its client waits for that.
    pub fn respond(&self, door: Door, request: &Request) -> (Response, Duration) {
        self.host.asked();
        let now = |response| (response, Duration::ZERO);
        if door == Door::Balancers {
            return self.visit(request);
        }
        if let Some(verb) = request.path.strip_prefix("/breakfix/") {
            return now(control::answer(self, verb, request));
        }
        let host = request.header("host").unwrap_or_default();
        if let Some((name, port)) = balancer::named(host, &self.ports()) {
            return balancer::visit(&self.host, name, port, request);
        }
        if request.method == "GET"
            && request.path == "/"
            && request.query.is_empty()
            && request.header("authorization").is_none()
        {
            return now(balancer::said(200, WELCOME));
        }
        now(api::respond(&self.host, &self.ids, &self.throttle, request))
    }

    /// A request at the balancers' door: to the one that its `Host` names, or to the only one there is.
    fn visit(&self, request: &Request) -> (Response, Duration) {
        let host = request.header("host").unwrap_or_default();
        if let Some((name, port)) = balancer::named(host, &self.ports()) {
            return balancer::visit(&self.host, name, port, request);
        }
        match self.look(balancer::names) {
            Ok(names) => match names.as_slice() {
                [only] => balancer::visit(&self.host, only.clone(), 80, request),
                [] => (balancer::said(503, "breakfix: there is no load balancer\n"), Duration::ZERO),
                many => {
                    let text = format!(
                        "breakfix: there are {} load balancers; name one: curl -H 'Host: NAME' …\n{}\n",
                        many.len(),
                        many.join("\n")
                    );
                    (balancer::said(503, &text), Duration::ZERO)
                }
            },
            Err(error) => (balancer::said(500, &format!("breakfix: {error}\n")), Duration::ZERO),
        }
    }

    /// A request that did not arrive whole.
    fn lost(&self, request: &Request, lost: Lost) -> Response {
        let (protocol, _) = asked::open(request);
        let refusal = match lost {
            Lost::TooLarge => Refusal::TooLarge,
            Lost::Broken => {
                Refusal::Malformed(wire::malformed::Malformed::Syntax("The request's body did not arrive.".to_owned()))
            }
        };
        answer::refusal(protocol, None, &refusal.error(protocol), &self.ids.next())
    }
}

/// Answers one request of a connection.
pub async fn answer(service: Arc<Service>, door: Door, request: ::http::Request<Incoming>) -> ::http::Response<Body> {
    let (request, lost) = http::read(request).await;
    let (response, wait) = match lost {
        Some(lost) => (service.lost(&request, lost), Duration::ZERO),
        None => service.respond(door, &request),
    };
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
    http::written(response)
}
