//! Requests that become a connection of their own: exec, attach, port-forward.

use std::sync::Arc;

use breakfix_sim::listen::Body;
use http::{Response, request::Parts};

use super::{
    attach, exec,
    exec_run::Place,
    forward::{self, Target},
    host::Host,
    inside, logs,
    remote::{Channels, ERROR, Offer, RESIZE, STDERR, STDIN, STDOUT, Tunnel, Upgrade, Wire},
    seam::Answer,
    service::whole,
};
use crate::{
    Status,
    api::stream::{AttachSpec, ExecSpec, StreamSpec},
};

const V5: &str = "v5.channel.k8s.io";
const V4: &str = "v4.channel.k8s.io";
/// kubectl's port-forward: SPDY inside a WebSocket.
const TUNNEL: &str = "SPDY/3.1+portforward.k8s.io";
/// The same without the WebSocket.
const PORT_FORWARD: &str = "portforward.k8s.io";

const COMMAND: Offer = Offer { websocket: &[V5, V4], spdy: &[V4] };
const PORTS: Offer = Offer { websocket: &[TUNNEL, V4], spdy: &[PORT_FORWARD] };

/// Answers with the handshake; a task of its own goes on with the connection.
///
/// # Errors
/// The request is not one that can become such a connection.
pub fn answer(host: &Arc<Host>, spec: StreamSpec, parts: Parts) -> Result<Response<Body>, Status> {
    if let Some(words) = not_running(host, &spec) {
        let headers = vec![("content-type".to_owned(), "text/plain; charset=utf-8".to_owned())];
        return Ok(whole(Answer::Whole { status: 500, headers, body: words.into() }));
    }
    let offer = match &spec {
        StreamSpec::Proxy(_) => return Err(Status::method_not_allowed()),
        StreamSpec::Log(spec) => return logs::answer(host, spec.clone()),
        StreamSpec::Exec(_) | StreamSpec::Attach(_) => COMMAND,
        StreamSpec::PortForward { .. } => PORTS,
    };
    let upgrade = Upgrade::of(parts, offer)?;
    let protocol = upgrade.protocol();
    let (response, wire) = upgrade.accept();
    let host = Arc::clone(host);
    tokio::spawn(async move {
        if let Some(wire) = wire.await {
            run(host, spec, wire, protocol).await;
        }
    });
    Ok(response)
}

async fn run(host: Arc<Host>, spec: StreamSpec, wire: Wire, protocol: &str) {
    match spec {
        StreamSpec::Exec(spec) => {
            let wanted = wanted(spec.stdin, spec.stdout, spec.stderr, spec.tty);
            if let Some(channels) = Channels::open(wire, &wanted).await {
                exec::run(host, spec, channels).await;
            }
        }
        StreamSpec::Attach(spec) => {
            let wanted = wanted(spec.stdin, spec.stdout, spec.stderr, spec.tty);
            if let Some(channels) = Channels::open(wire, &wanted).await {
                attach::run(host, spec, channels).await;
            }
        }
        StreamSpec::PortForward { namespace, pod, ports } if protocol == V4 => {
            if let Some(channels) = Channels::open(wire, &[]).await {
                forward::channels::run(host, Target { namespace, pod }, ports, channels).await;
            }
        }
        StreamSpec::PortForward { namespace, pod, .. } => {
            forward::spdy::run(host, Target { namespace, pod }, Tunnel::new(wire)).await;
        }
        // Answered without a connection of its own.
        StreamSpec::Log(_) | StreamSpec::Proxy(_) => {}
    }
}

/// The channels that a client opens for these streams.
fn wanted(stdin: bool, stdout: bool, stderr: bool, tty: bool) -> Vec<u8> {
    let all = [(true, ERROR), (stdin, STDIN), (stdout, STDOUT), (stderr && !tty, STDERR), (tty, RESIZE)];
    all.into_iter().filter(|(is_wanted, _)| *is_wanted).map(|(_, channel)| channel).collect()
}

/// kubelet's plain words for a container that does not run; it says them before any handshake.
fn not_running(host: &Host, spec: &StreamSpec) -> Option<String> {
    let (place, words) = match spec {
        StreamSpec::Exec(ExecSpec { namespace, pod, container, .. }) => {
            ((namespace, pod, container), format!("container not found (\"{container}\")"))
        }
        StreamSpec::Attach(AttachSpec { namespace, pod, container, .. }) => {
            ((namespace, pod, container), format!("container {container} not found in pod {pod}_{namespace}"))
        }
        StreamSpec::PortForward { .. } | StreamSpec::Log(_) | StreamSpec::Proxy(_) => return None,
    };
    let (namespace, pod, container) = (place.0.clone(), place.1.clone(), place.2.clone());
    let place = Place { namespace, pod, container };
    let runs = host.look(|cluster| inside::is_running(cluster, &place)).unwrap_or(false);
    (!runs).then_some(words)
}
