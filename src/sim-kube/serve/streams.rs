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
    remote::{Channels, Tunnel, Upgrade},
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
const SPDY: &str = "SPDY/3.1+portforward.k8s.io";

/// Answers with the handshake; a task of its own goes on with the connection.
///
/// # Errors
/// The request is not one that can become such a connection.
pub fn answer(host: &Arc<Host>, spec: StreamSpec, parts: Parts) -> Result<Response<Body>, Status> {
    if let Some(words) = not_running(host, &spec) {
        let headers = vec![("content-type".to_owned(), "text/plain; charset=utf-8".to_owned())];
        return Ok(whole(Answer::Whole { status: 500, headers, body: words.into() }));
    }
    let protocols: &[&'static str] = match &spec {
        StreamSpec::Log(spec) => return logs::answer(host, spec.clone()),
        StreamSpec::Exec(_) | StreamSpec::Attach(_) => &[V5, V4],
        StreamSpec::PortForward { .. } => &[SPDY, V4],
    };
    let upgrade = Upgrade::of(parts, protocols)?;
    let protocol = upgrade.protocol();
    let (response, socket) = upgrade.accept();
    let host = Arc::clone(host);
    tokio::spawn(async move {
        let Some(socket) = socket.await else { return };
        match spec {
            StreamSpec::Exec(spec) => exec::run(host, spec, Channels::new(socket)).await,
            StreamSpec::Attach(spec) => attach::run(host, spec, Channels::new(socket)).await,
            StreamSpec::PortForward { namespace, pod, .. } if protocol == SPDY => {
                forward::spdy::run(host, Target { namespace, pod }, Tunnel::new(socket)).await;
            }
            StreamSpec::PortForward { namespace, pod, ports } => {
                forward::channels::run(host, Target { namespace, pod }, ports, Channels::new(socket)).await;
            }
            StreamSpec::Log(_) => {}
        }
    });
    Ok(response)
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
        StreamSpec::PortForward { .. } | StreamSpec::Log(_) => return None,
    };
    let (namespace, pod, container) = (place.0.clone(), place.1.clone(), place.2.clone());
    let place = Place { namespace, pod, container };
    let runs = host.look(|cluster| inside::is_running(cluster, &place)).unwrap_or(false);
    (!runs).then_some(words)
}
