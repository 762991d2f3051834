//! Service Connect in a task: names of its own in `/etc/hosts`, and a proxy that stands behind them.
//!
//! A name leads to a loopback address; whoever connects there talks to the proxy, which asks one of the tasks that serve the endpoint, from
//! the task's own interface (Amazon ECS developer guide, "Service Connect components"). What an endpoint is called is fixed for a task when
//! its deployment begins; who serves it is looked up at every request.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4},
    time::Duration,
};

use breakfix_workload::{CallError, Request, Response};
use serde::{Deserialize, Serialize};

use super::{Health, LastStatus, Task, deliver, machine::ROUND_TRIP};
use crate::{
    Cloud,
    network::{self, Destination, Exchange, InterfaceId, Way},
};

/// The first try, and two more with other tasks (developer guide: "retries ... 2 times").
const TRIES: usize = 3;
/// How long the proxy waits for a connection before it tries another task; Envoy's own default.
const CONNECT: Duration = Duration::from_secs(5);

/// What Service Connect is to the tasks of a deployment. Empty: it is off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connect {
    /// Under which names they are found.
    pub serves: Vec<Served>,
    /// Whom they find.
    pub endpoints: Vec<Endpoint>,
}

/// A port that the tasks offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    /// Id of the Cloud Map service.
    pub discovery: String,
    /// Where the tasks are to be reached: `ingressPortOverride`, or the container port.
    pub port: u16,
}

/// A name and a port that stand for a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// `dnsName` of the client alias.
    pub name: String,
    pub port: u16,
    /// Id of the Cloud Map service that it leads to.
    pub discovery: String,
    /// How long the proxy waits for an answer; none for an endpoint whose `appProtocol` is not HTTP.
    pub patience: Option<Duration>,
}

impl Connect {
    /// The lines of `/etc/hosts` that it adds.
    pub fn hosts(&self) -> String {
        self.names().enumerate().map(|(at, name)| format!("{} {name}\n", address(at))).collect()
    }

    /// Every name once, in the order of the endpoints.
    fn names(&self) -> impl Iterator<Item = &str> {
        let names = self.endpoints.iter().map(|it| it.name.as_str()).enumerate();
        names.filter(|(at, name)| !self.endpoints[..*at].iter().any(|it| it.name == *name)).map(|(_, name)| name)
    }

    fn endpoint(&self, to: SocketAddrV4) -> Option<&Endpoint> {
        let name = self.names().enumerate().find(|(at, _)| address(*at) == *to.ip())?.1;
        self.endpoints.iter().find(|it| it.name == name && it.port == to.port())
    }
}

/// The address that a name of a task has there.
fn address(at: usize) -> Ipv4Addr {
    let at = u16::try_from(at + 1).unwrap_or(u16::MAX).to_be_bytes();
    Ipv4Addr::new(127, 255, at[0], at[1])
}

/// The endpoint that a connection from inside a task meets.
pub(super) fn met(cloud: &Cloud, task: &str, to: SocketAddr) -> Option<Endpoint> {
    match (to.ip(), cloud.tasks.get(task)) {
        (IpAddr::V4(ip), Some(task)) => task.connect.endpoint(SocketAddrV4::new(ip, to.port())).cloned(),
        _ => None,
    }
}

/// The tasks that serve an endpoint and where, in the order of their ids.
fn upstreams(cloud: &Cloud, discovery: &str) -> Vec<SocketAddrV4> {
    let serves = |task: &Task| {
        let port = task.connect.serves.iter().find(|it| it.discovery == discovery)?.port;
        let is_up = task.is_to_run && task.last == LastStatus::Running && task.health() != Health::Unhealthy;
        Some(SocketAddrV4::new(task.link.as_ref().filter(|_| is_up)?.address, port))
    };
    cloud.tasks.tasks.values().filter_map(serves).collect()
}

/// Hands a request to the proxy; `lead` is how far the caller is ahead of the clock.
pub(super) fn exchange(
    cloud: &mut Cloud,
    from: &InterfaceId,
    endpoint: &Endpoint,
    request: &Request,
    (timeout, lead): (Duration, Duration),
) -> Exchange {
    let limit = endpoint.patience.map_or(timeout, |it| it.min(timeout));
    let to = upstreams(cloud, &endpoint.discovery);
    if to.is_empty() {
        return refused(endpoint, "no healthy upstream", ROUND_TRIP);
    }
    let first = usize::try_from(cloud.chance.below(to.len() as u64)).unwrap_or(0);
    let mut took = ROUND_TRIP;
    let mut why = "";
    for to in to.iter().cycle().skip(first).take(TRIES) {
        if network::way(cloud, from, &Destination::Address(*to.ip(), to.port())) == Way::Silent {
            (took, why) = (took + CONNECT, "connection timeout");
        } else if !deliver::listens(cloud, *to, lead + took) {
            (took, why) = (took + ROUND_TRIP, "connection failure");
        } else {
            return answered(cloud, from, endpoint, (*to, request), (limit, timeout), lead, took);
        }
        if took >= limit {
            return over(endpoint, limit, timeout);
        }
    }
    let sentence = format!("upstream connect error or disconnect/reset before headers. reset reason: {why}");
    refused(endpoint, &sentence, took)
}

fn answered(
    cloud: &mut Cloud,
    from: &InterfaceId,
    endpoint: &Endpoint,
    (to, request): (SocketAddrV4, &Request),
    (limit, timeout): (Duration, Duration),
    lead: Duration,
    took: Duration,
) -> Exchange {
    let before = cloud.tasks.ahead;
    cloud.tasks.ahead = lead + took;
    let answer = network::exchange_timed(cloud, from, to, request, limit.saturating_sub(took));
    cloud.tasks.ahead = before;
    let took = took + answer.took;
    match answer.result {
        Err(CallError::TimedOut) => over(endpoint, limit, timeout),
        Err(CallError::Reset) => {
            let sentence =
                "upstream connect error or disconnect/reset before headers. reset reason: connection termination";
            refused(endpoint, sentence, took)
        }
        result => Exchange { result, took },
    }
}

/// The proxy gives up, or the caller does before it.
fn over(endpoint: &Endpoint, limit: Duration, timeout: Duration) -> Exchange {
    if endpoint.patience.is_some() && limit < timeout {
        return Exchange { result: Ok(Response::text(504, "upstream request timeout")), took: limit };
    }
    Exchange { result: Err(CallError::TimedOut), took: timeout }
}

/// Where it speaks HTTP the proxy says what is wrong, in Envoy's words; otherwise it ends the connection.
fn refused(endpoint: &Endpoint, sentence: &str, took: Duration) -> Exchange {
    let result = match endpoint.patience {
        Some(_) => Ok(Response::text(503, sentence)),
        None => Err(CallError::Reset),
    };
    Exchange { result, took }
}
