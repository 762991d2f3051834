//! Where a connection ends.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use super::{
    Caller, Source, address,
    policy::{self, Seen},
    service,
};
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
    /// An ingress controller.
    Ingress {
        pod: String,
    },
    /// A program of the cluster itself.
    Resident,
    NameServer,
    /// The name server of the nodes' own network, outside the cluster.
    OuterNameServer,
    ApiServer,
    /// Somebody says that nobody listens.
    Refused,
    /// Nobody says anything.
    Silence,
}

/// The API server's port on the control plane's node.
const API_PORT: u16 = 6443;

/// Where a connection from the caller to an address ends.
///
/// Stations, as on a node of kind: the caller's own node undoes a Service's address (kube-proxy), then judges what leaves and what enters
/// (kindnet); a packet for another node's address is judged as it is, and that node undoes its node ports.
pub(crate) fn route(cluster: &mut Cluster, caller: &Caller, to: SocketAddr, protocol: &str) -> Route {
    let here = address::node_of(cluster, &caller.source);
    let mut to = to;
    if to.ip().is_loopback() {
        if let Source::Pod(uid) = &caller.source
            && !address::is_on_node_network(cluster, &caller.source)
        {
            return own(cluster, uid, to, caller.lead);
        }
        let node = cluster.store.get(&kind::NODE.key("", &here)).and_then(|node| address::node_address(node));
        let Some(node) = node else { return Route::Refused };
        to.set_ip(node.into());
    }
    if is_own_address(cluster, &caller.source, to) {
        return direct(cluster, caller, to);
    }
    let (end, seen) = match service::translate(cluster, caller, &here, to, protocol) {
        service::Translated::No => (to, Seen::AsItIs),
        service::Translated::To(end, seen) => (end, seen),
        service::Translated::Refused => return Route::Refused,
        service::Translated::Dropped => return Route::Silence,
    };
    if !policy::may_leave(cluster, &caller.source, end.ip(), end.port(), protocol) {
        return Route::Silence;
    }
    match address::node_at(cluster, end.ip()).filter(|node| *node != here) {
        Some(there) => at_other_node(cluster, caller, &there, end, protocol),
        None => enter(cluster, caller, end, &seen, protocol),
    }
}

/// On another node its node ports are undone. Pods are seen there under their own node's address.
fn at_other_node(cluster: &mut Cluster, caller: &Caller, there: &str, to: SocketAddr, protocol: &str) -> Route {
    match service::translate(cluster, caller, there, to, protocol) {
        service::Translated::No => direct(cluster, caller, to),
        service::Translated::To(end, seen) => enter(cluster, caller, end, &seen, protocol),
        service::Translated::Refused => Route::Refused,
        service::Translated::Dropped => Route::Silence,
    }
}

/// The last hop: to whatever has the address, if its policies let the connection in.
fn enter(cluster: &Cluster, caller: &Caller, to: SocketAddr, seen: &Seen, protocol: &str) -> Route {
    if let Some(pod) = address::pod_at(cluster, to.ip())
        && !policy::may_enter(cluster, &caller.source, seen, pod, to, protocol)
    {
        return Route::Silence;
    }
    direct(cluster, caller, to)
}

/// What a pod sends to its own address never leaves it.
fn is_own_address(cluster: &Cluster, source: &Source, to: SocketAddr) -> bool {
    match source {
        Source::Pod(uid) => address::pod_at(cluster, to.ip()).is_some_and(|pod| pod.uid == *uid),
        Source::Node(_) => false,
    }
}

/// A pod reaches itself over the loopback interface.
fn own(cluster: &Cluster, uid: &str, to: SocketAddr, lead: Duration) -> Route {
    cluster.nodes.pods.get(uid).map_or(Route::Refused, |pod| at_pod(cluster, pod, to, lead))
}

/// Who has an address.
fn direct(cluster: &Cluster, caller: &Caller, to: SocketAddr) -> Route {
    if let Some(pod) = address::pod_at(cluster, to.ip()) {
        return at_pod(cluster, pod, to, caller.lead);
    }
    if let Some(node) = address::node_at(cluster, to.ip()) {
        return at_node(cluster, &node, to, caller.lead);
    }
    if to.ip() == IpAddr::V4(address::GATEWAY) && to.port() == 53 {
        return Route::OuterNameServer;
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
                if resident.is_ingress && to.port() == 80 {
                    return Route::Ingress { pod: pod.uid.clone() };
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
            Process::None | Process::Console(_) => {}
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
