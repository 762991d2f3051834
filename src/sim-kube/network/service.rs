//! Services: from a cluster address or a node port to one endpoint, as kube-proxy's rules do it.
//!
//! Ready endpoints are drawn by chance; where none is ready, those that still serve while they end take over; where there is none at all
//! the connection is refused at once. A port that the Service does not have leads nowhere.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use serde_json::Value;

use super::{Caller, address};
use crate::{
    Cluster, kind,
    object::{entries, name, namespace, number, text, truth},
};

/// What a Service makes of an address.
pub(super) enum Translated {
    /// No Service stands there.
    No,
    To(SocketAddr),
    Refused,
    Dropped,
}

/// An endpoint as kube-proxy sees it.
struct Endpoint {
    to: SocketAddr,
    node: String,
    is_ready: bool,
    is_serving: bool,
    is_terminating: bool,
}

/// `sessionAffinityConfig.clientIP.timeoutSeconds` where nothing is said.
const STICKY_SECONDS: i64 = 10_800;

pub(super) fn translate(cluster: &mut Cluster, caller: &Caller, to: SocketAddr, protocol: &str) -> Translated {
    let Some((service, port)) = find(cluster, to, protocol) else {
        return if is_cluster_address(cluster, to.ip()) { Translated::Dropped } else { Translated::No };
    };
    let mut endpoints = endpoints(cluster, &service, &port);
    let is_node_port = address::node_at(cluster, to.ip()).is_some();
    let here = address::node_of(cluster, &caller.source);
    let policy = if is_node_port { "/spec/externalTrafficPolicy" } else { "/spec/internalTrafficPolicy" };
    let is_local = text(&service, policy) == "Local";
    let entry = if is_node_port { address::node_at(cluster, to.ip()).unwrap_or_default() } else { here };
    let any = !endpoints.is_empty();
    if is_local {
        endpoints.retain(|endpoint| endpoint.node == entry);
    }
    let usable = usable(endpoints);
    if usable.is_empty() {
        // With a local policy the packet is dropped where the node has no endpoint of its own; without any endpoint it is refused.
        return if is_local && any { Translated::Dropped } else { Translated::Refused };
    }
    Translated::To(choose(cluster, caller, &service, &usable))
}

/// Ready ones; else those that serve to the end.
fn usable(endpoints: Vec<Endpoint>) -> Vec<Endpoint> {
    if endpoints.iter().any(|endpoint| endpoint.is_ready) {
        endpoints.into_iter().filter(|endpoint| endpoint.is_ready).collect()
    } else {
        endpoints.into_iter().filter(|endpoint| endpoint.is_serving && endpoint.is_terminating).collect()
    }
}

fn choose(cluster: &mut Cluster, caller: &Caller, service: &Value, usable: &[Endpoint]) -> SocketAddr {
    let drawn = usize::try_from(cluster.chance.below(usable.len() as u64)).unwrap_or(0);
    let fallback = SocketAddr::from(([0, 0, 0, 0], 0));
    let drawn = usable.get(drawn).map_or(fallback, |endpoint| endpoint.to);
    if text(service, "/spec/sessionAffinity") != "ClientIP" {
        return drawn;
    }
    let client = address::of_source(cluster, &caller.source).map(|ip| ip.to_string()).unwrap_or_default();
    let key = format!("{}/{} {client}", namespace(service), name(service));
    let now = cluster.now() + caller.lead;
    let seconds = number(service, "/spec/sessionAffinityConfig/clientIP/timeoutSeconds").unwrap_or(STICKY_SECONDS);
    let until = now + Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
    let known = cluster.network.sticky.get(&key).filter(|(_, until)| *until > now).map(|(ip, _)| *ip);
    let known = usable.iter().find(|endpoint| Some(endpoint.to.ip()) == known).map(|endpoint| endpoint.to);
    let to = known.unwrap_or(drawn);
    cluster.network.sticky.insert(key, (to.ip(), until));
    to
}

/// The Service and its port that stand at an address.
fn find(cluster: &Cluster, to: SocketAddr, protocol: &str) -> Option<(Arc<Value>, Value)> {
    let at_node = address::node_at(cluster, to.ip()).is_some();
    let field = if at_node { "/nodePort" } else { "/port" };
    cluster.store.list(kind::SERVICE.collection, None).find_map(|(_, service)| {
        let here = if at_node {
            matches!(text(service, "/spec/type"), "NodePort" | "LoadBalancer")
        } else {
            has_address(service, to.ip())
        };
        if !here {
            return None;
        }
        let port = entries(service, "/spec/ports").iter().find(|port| {
            let its = match text(port, "/protocol") {
                "" => "TCP",
                its => its,
            };
            number(port, field) == Some(i64::from(to.port())) && its == protocol
        })?;
        Some((Arc::clone(service), port.clone()))
    })
}

fn has_address(service: &Value, ip: IpAddr) -> bool {
    let ip = ip.to_string();
    text(service, "/spec/clusterIP") == ip
        || entries(service, "/spec/clusterIPs")
            .iter()
            .chain(entries(service, "/spec/externalIPs"))
            .any(|own| *own == ip)
}

fn is_cluster_address(cluster: &Cluster, ip: IpAddr) -> bool {
    cluster.store.list(kind::SERVICE.collection, None).any(|(_, service)| has_address(service, ip))
}

/// All endpoints of a Service's port, from all its slices.
fn endpoints(cluster: &Cluster, service: &Value, port: &Value) -> Vec<Endpoint> {
    let mut found = Vec::new();
    for (_, slice) in cluster.store.list(kind::ENDPOINT_SLICE.collection, Some(namespace(service))) {
        let ours = slice["metadata"]["labels"]["kubernetes.io/service-name"] == *name(service);
        if !ours || text(slice, "/addressType") != "IPv4" {
            continue;
        }
        // Ports go by name.
        let target = entries(slice, "/ports").iter().find(|target| text(target, "/name") == text(port, "/name"));
        let Some(target) = target.and_then(|target| u16::try_from(target["port"].as_i64()?).ok()) else { continue };
        for endpoint in entries(slice, "/endpoints") {
            let Some(ip) = entries(endpoint, "/addresses").first().and_then(|ip| ip.as_str()?.parse::<IpAddr>().ok())
            else {
                continue;
            };
            let or_ready = |field: &str, ready: bool| endpoint.pointer(field).and_then(Value::as_bool).unwrap_or(ready);
            // A missing word means ready.
            let is_ready = or_ready("/conditions/ready", true);
            found.push(Endpoint {
                to: SocketAddr::new(ip, target),
                node: text(endpoint, "/nodeName").to_owned(),
                is_ready,
                is_serving: or_ready("/conditions/serving", is_ready),
                is_terminating: truth(endpoint, "/conditions/terminating"),
            });
        }
    }
    found
}

/// Addresses of a headless Service: every pod that is to be found, by hostname or not.
pub(super) fn headless(cluster: &Cluster, service: &Value) -> Vec<(Option<String>, IpAddr)> {
    let mut found = Vec::new();
    for (_, slice) in cluster.store.list(kind::ENDPOINT_SLICE.collection, Some(namespace(service))) {
        if slice["metadata"]["labels"]["kubernetes.io/service-name"] != *name(service) {
            continue;
        }
        for endpoint in entries(slice, "/endpoints") {
            if !endpoint.pointer("/conditions/ready").and_then(Value::as_bool).unwrap_or(true) {
                continue;
            }
            let hostname = endpoint["hostname"].as_str().map(str::to_owned);
            for ip in entries(endpoint, "/addresses").iter().filter_map(|ip| ip.as_str()?.parse().ok()) {
                found.push((hostname.clone(), ip));
            }
        }
    }
    found
}

/// An address as a label of a name: `10-244-1-5`.
pub(super) fn dashed(ip: IpAddr) -> String {
    ip.to_string().replace('.', "-")
}
