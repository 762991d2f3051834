//! Ports of pods, for `kubectl port-forward`: bytes to whoever listens there.

use std::{net::SocketAddr, time::Duration};

use breakfix_workload::{CallError, Request, Response};

use super::pod_run::PodRun;
use crate::{
    Cluster, Status, kind,
    network::{self, Caller, Route, Source},
    object::uid,
};

/// What a port answered to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spoken {
    Answer(Response),
    /// Nobody listens: the words in which the node says so.
    Refused(String),
    /// The connection ended before an answer.
    Reset,
    /// Nothing comes.
    Silence,
}

/// As long as anybody would wait for an answer through a tunnel.
const PATIENCE: Duration = Duration::from_secs(3600);

/// Sends one HTTP request to a port inside a pod's network, as a forwarded connection reaches it: over the loopback interface, past
/// Services and policies. The second value is the time it took.
///
/// # Errors
/// No such pod, or it does not run.
pub fn pod_port(
    cluster: &mut Cluster,
    namespace: &str,
    pod: &str,
    port: u16,
    request: &Request,
) -> Result<(Spoken, Duration), Status> {
    let id = running(cluster, namespace, pod)?;
    let caller = Caller::new(Source::Pod(id));
    let (outcome, took) = network::exchange(cluster, &caller, loopback(port), request, PATIENCE);
    let spoken = match outcome {
        Ok(answer) => Spoken::Answer(answer),
        Err(CallError::Refused) => Spoken::Refused(refusal(port)),
        Err(CallError::Reset) => Spoken::Reset,
        Err(_) => Spoken::Silence,
    };
    Ok((spoken, took))
}

/// Whether somebody listens on a pod's port now.
///
/// # Errors
/// No such pod, or it does not run; or the words in which the node says that nobody listens.
pub fn is_open(cluster: &Cluster, namespace: &str, pod: &str, port: u16) -> Result<Result<(), String>, Status> {
    let id = running(cluster, namespace, pod)?;
    let Some(pod) = cluster.nodes.pods.get(&id) else { return Err(Status::not_found(&kind::POD, pod)) };
    match network::at_pod(cluster, pod, loopback(port), Duration::ZERO) {
        Route::Refused | Route::Silence => Ok(Err(refusal(port))),
        _ => Ok(Ok(())),
    }
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn refusal(port: u16) -> String {
    format!(
        "failed to execute portforward in network namespace \"/var/run/netns/cni\": failed to connect to localhost:{port} inside namespace: \
         dial tcp4 127.0.0.1:{port}: connect: connection refused"
    )
}

fn running(cluster: &Cluster, namespace: &str, pod: &str) -> Result<String, Status> {
    let object = cluster.get(&kind::POD, namespace, pod)?;
    let held = cluster.nodes.pods.get(uid(&object)).filter(|held| held.address().is_some());
    held.map(|held: &PodRun| held.uid.clone()).ok_or_else(|| {
        let phase = object["status"]["phase"].as_str().unwrap_or("Pending");
        Status::bad_request(format!("unable to forward port because pod is not running. Current status={phase}"))
    })
}
