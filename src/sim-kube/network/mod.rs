//! The network: addresses, names, and who reaches whom.
//!
//! `route` says where a connection ends (a program, a refusal, silence), `service` how a Service's address becomes a pod's, `deliver` hands
//! a request to the program at the end, `dns` answers for the cluster's names, `policy` judges by NetworkPolicies.
//! Calls are synchronous: a program that calls others on behalf of a request is asked within that request.

mod address;
mod deliver;
mod dns;
mod dns_records;
mod from;
mod ingress;
mod policy;
mod proxy;
mod route;
mod service;

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use breakfix_sim::SimTime;
use breakfix_workload::{CallError, DnsReply, NoReply, RecordKind, Records, Request, Response};
use serde::{Deserialize, Serialize};

pub use address::{GATEWAY, node_address, pod_address};
pub use from::http;
pub(crate) use ingress::{CONTROLLER as INGRESS_CONTROLLER, is_ours as is_ingress_of_ours};
pub use proxy::proxied;
pub(crate) use route::{Route, at_pod, route};

use crate::{Cluster, node::Process};

/// What the network remembers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Network {
    /// The next host number of each node's pod network.
    pub(crate) next: BTreeMap<String, u32>,
    /// `sessionAffinity: ClientIP`: which endpoint a client was given, and until when.
    pub(crate) sticky: BTreeMap<String, (IpAddr, SimTime)>,
}

/// Where a connection comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Source {
    /// A pod, by uid.
    Pod(String),
    /// A node itself: probes, host network.
    Node(String),
}

/// Who calls, and when.
#[derive(Clone, Debug)]
pub struct Caller {
    pub source: Source,
    /// How far the caller is ahead of the cluster's clock.
    pub lead: Duration,
    /// How many programs wait for this call's answer.
    pub depth: u32,
}

impl Caller {
    /// A caller at the cluster's present, whom nobody waits for.
    pub fn new(source: Source) -> Self {
        Self { source, lead: Duration::ZERO, depth: 0 }
    }
}

/// A round trip on the cluster's network.
const ROUND_TRIP: Duration = Duration::from_millis(1);
/// A circle of programs that call each other ends here: the next one gets no answer.
const DEPTH_MAX: u32 = 16;

/// Asks a name server. The second value is the time it took.
pub fn ask(
    cluster: &mut Cluster,
    caller: &Caller,
    server: IpAddr,
    name: &str,
    timeout: Duration,
) -> (Result<DnsReply, NoReply>, Duration) {
    match route(cluster, caller, SocketAddr::new(server, 53), "UDP") {
        Route::NameServer => {
            let reply = dns::answer(cluster, name);
            (Ok(dns::spread(cluster, reply)), ROUND_TRIP)
        }
        Route::OuterNameServer => (Ok(dns::outside(cluster, name)), ROUND_TRIP),
        Route::Silence => (Err(NoReply::TimedOut), timeout),
        // Whoever listens there answers no datagrams: the kernel says so.
        _ => (Err(NoReply::Refused), ROUND_TRIP),
    }
}

/// Asks a name server for records that are no addresses. The second value is the time it took.
pub fn ask_records(
    cluster: &mut Cluster,
    caller: &Caller,
    server: IpAddr,
    name: &str,
    kind: RecordKind,
    timeout: Duration,
) -> (Result<Records, NoReply>, Duration) {
    match route(cluster, caller, SocketAddr::new(server, 53), "UDP") {
        Route::NameServer => (Ok(dns_records::answer(cluster, name, kind)), ROUND_TRIP),
        Route::OuterNameServer => (Ok(Records::NoSuchName), ROUND_TRIP),
        Route::Silence => (Err(NoReply::TimedOut), timeout),
        _ => (Err(NoReply::Refused), ROUND_TRIP),
    }
}

/// Opens a TCP connection and closes it again.
pub fn connect(
    cluster: &mut Cluster,
    caller: &Caller,
    to: SocketAddr,
    timeout: Duration,
) -> (Result<(), CallError>, Duration) {
    match route(cluster, caller, to, "TCP") {
        Route::Silence => (Err(CallError::TimedOut), timeout),
        Route::Refused => (Err(CallError::Refused), ROUND_TRIP),
        // The kernel accepts for a program that has stopped answering.
        Route::Program { .. }
        | Route::Ingress { .. }
        | Route::Resident
        | Route::NameServer
        | Route::OuterNameServer
        | Route::ApiServer => (Ok(()), ROUND_TRIP),
    }
}

/// Sends one HTTP request and takes its answer.
pub fn exchange(
    cluster: &mut Cluster,
    caller: &Caller,
    to: SocketAddr,
    request: &Request,
    timeout: Duration,
) -> (Result<Response, CallError>, Duration) {
    let answer = match route(cluster, caller, to, "TCP") {
        Route::Silence => return (Err(CallError::TimedOut), timeout),
        Route::Refused => return (Err(CallError::Refused), ROUND_TRIP),
        Route::NameServer | Route::OuterNameServer => (Err(CallError::Reset), ROUND_TRIP),
        Route::Resident => (Ok(Response::text(200, "OK")), ROUND_TRIP),
        // It speaks TLS and says so, as Go's server does.
        Route::ApiServer => (Ok(Response::text(400, "Client sent an HTTP request to an HTTPS server.\n")), ROUND_TRIP),
        Route::Ingress { pod } => {
            if caller.depth >= DEPTH_MAX {
                return (Err(CallError::TimedOut), timeout);
            }
            let (answer, took) = ingress::answer(cluster, caller, &pod, request);
            (answer, took + ROUND_TRIP)
        }
        Route::Program { pod, container, run } => {
            if caller.depth >= DEPTH_MAX {
                return (Err(CallError::TimedOut), timeout);
            }
            deliver::deliver(cluster, caller, deliver::To { pod, container, run }, request)
        }
    };
    let (answer, took) = answer;
    // An answer that comes later is one that nobody waits for any more.
    if took > timeout { (Err(CallError::TimedOut), timeout) } else { (answer, took) }
}

/// Pods in which an ingress controller runs now, by key.
pub(crate) fn ingress_pods(cluster: &Cluster) -> Vec<breakfix_sim::Key> {
    let is_one =
        |run: &crate::node::Run| matches!(&run.process, Process::Resident(it) if it.is_ingress) && run.is_running();
    let pods = cluster.nodes.pods.values();
    pods.filter(|pod| pod.running().any(|(_, run)| is_one(run))).map(|pod| pod.key.clone()).collect()
}
