//! Requests that become a connection of their own: exec, attach, port-forward.

use std::sync::Arc;

use breakfix_sim::listen::Body;
use http::{Response, request::Parts};

use super::{
    attach, exec,
    forward::{self, Target},
    host::Host,
    logs,
    remote::{Channels, Tunnel, Upgrade},
};
use crate::{Status, api::stream::StreamSpec};

const V5: &str = "v5.channel.k8s.io";
const V4: &str = "v4.channel.k8s.io";
/// kubectl's port-forward: SPDY inside a WebSocket.
const SPDY: &str = "SPDY/3.1+portforward.k8s.io";

/// Answers with the handshake; a task of its own goes on with the connection.
///
/// # Errors
/// The request is not one that can become such a connection.
pub fn answer(host: &Arc<Host>, spec: StreamSpec, parts: Parts) -> Result<Response<Body>, Status> {
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
