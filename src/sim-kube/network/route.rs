//! Where a connection ends.

use std::{net::SocketAddr, time::Duration};

use super::{Caller, Source, address, policy, service};
use crate::{
    Cluster, kind,
    node::{PodRun, Process},
    object::{entries, truth},
};

/// What stands at the end of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// A program that listens there.
    Program {
        pod: String,
        container: String,
        run: u32,
    },
    /// A program of the cluster itself.
    Resident,
    NameServer,
    ApiServer,
    /// Somebody says that nobody listens.
    Refused,
    /// Nobody says anything.
    Silence,
}

/// The API server's port on the control plane's node.
const API_PORT: u16 = 6443;

/// Where a connection from the caller to an address ends.
pub(crate) fn route(cluster: &mut Cluster, caller: &Caller, to: SocketAddr, protocol: &str) -> Route {
    if to.ip().is_loopback() {
        return match &caller.source {
            Source::Pod(uid) => own(cluster, uid, to, caller.lead),
            Source::Node(_) => Route::Refused,
        };
    }
    match service::translate(cluster, caller, to, protocol) {
        service::Translated::No => direct(cluster, caller, to),
        service::Translated::To(to) => direct(cluster, caller, to),
        service::Translated::Refused => Route::Refused,
        service::Translated::Dropped => Route::Silence,
    }
}

/// A pod reaches itself over the loopback interface.
fn own(cluster: &Cluster, uid: &str, to: SocketAddr, lead: Duration) -> Route {
    cluster.nodes.pods.get(uid).map_or(Route::Refused, |pod| at_pod(cluster, pod, to, lead))
}

/// To an address that no Service stands before.
fn direct(cluster: &Cluster, caller: &Caller, to: SocketAddr) -> Route {
    if let Some(pod) = address::pod_at(cluster, to.ip()) {
        if !policy::allowed(cluster, &caller.source, &pod.uid, to.port()) {
            return Route::Silence;
        }
        return at_pod(cluster, pod, to, caller.lead);
    }
    if let Some(node) = address::node_at(cluster, to.ip()) {
        return at_node(cluster, &node, to, caller.lead);
    }
    // The cluster has no way out, and an address that a pod had is nobody's.
    Route::Silence
}

/// Who listens in a pod.
pub(crate) fn at_pod(cluster: &Cluster, pod: &PodRun, to: SocketAddr, lead: Duration) -> Route {
    let now = cluster.now() + lead;
    for (name, run) in pod.running() {
        if run.ending.is_some_and(|ending| ending.at <= now) {
            continue;
        }
        match &run.process {
            Process::Resident(resident) => {
                if resident.is_name_server && to.port() == 53 {
                    return Route::NameServer;
                }
                if resident.ports.contains(&to.port()) {
                    return if to.port() == API_PORT { Route::ApiServer } else { Route::Resident };
                }
            }
            Process::Workload(program) => {
                let uptime = now - run.started.unwrap_or(now);
                if program.get().listens().iter().any(|listen| listen.accepts(to, uptime)) {
                    return Route::Program { pod: pod.uid.clone(), container: name.clone(), run: run.number };
                }
            }
            Process::None => {}
        }
    }
    Route::Refused
}

/// Who listens on a node itself: pods on its network, and the API server on the control plane's.
fn at_node(cluster: &Cluster, node: &str, to: SocketAddr, lead: Duration) -> Route {
    let here = cluster.nodes.pods.values().filter(|pod| pod.node == node && truth(&pod.pod, "/spec/hostNetwork"));
    for pod in here {
        match at_pod(cluster, pod, to, lead) {
            Route::Refused => {}
            found => return found,
        }
    }
    if let Some((pod, port)) = host_port(cluster, node, to.port()) {
        return at_pod(cluster, pod, SocketAddr::new(to.ip(), port), lead);
    }
    let is_control_plane = cluster
        .store
        .get(&kind::NODE.key("", node))
        .is_some_and(|node| node.pointer("/metadata/labels/node-role.kubernetes.io~1control-plane").is_some());
    if is_control_plane && to.port() == API_PORT { Route::ApiServer } else { Route::Refused }
}

/// The pod that has this port of the node, and its own port behind it.
fn host_port<'a>(cluster: &'a Cluster, node: &str, wanted: u16) -> Option<(&'a PodRun, u16)> {
    let here = cluster.nodes.pods.values().filter(|pod| pod.node == node && pod.address().is_some());
    here.filter(|pod| !truth(&pod.pod, "/spec/hostNetwork")).find_map(|pod| {
        let ports = entries(&pod.pod, "/spec/containers").iter().flat_map(|container| entries(container, "/ports"));
        let port = ports.into_iter().find(|port| port["hostPort"].as_u64() == Some(u64::from(wanted)))?;
        Some((pod, u16::try_from(port["containerPort"].as_u64()?).ok()?))
    })
}
