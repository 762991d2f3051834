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

use super::{Caller, address, policy::Seen};
use crate::{
    Cluster, kind,
    object::{entries, name, namespace, number, text, truth},
};

/// What a Service makes of an address.
pub(super) enum Translated {
    /// No Service stands there.
    No,
    /// An endpoint, and whom it will see.
    To(SocketAddr, Seen),
    Refused,
    Dropped,
}

/// By which of its addresses a Service is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    /// The cluster's own address.
    Inside,
    /// An external address, or the load balancer's.
    Outside,
    /// A port of a node.
    NodePort,
}

/// An endpoint as kube-proxy sees it.
#[derive(Clone, Debug)]
struct Endpoint {
    to: SocketAddr,
    node: String,
    is_ready: bool,
    is_serving: bool,
    is_terminating: bool,
}

/// `sessionAffinityConfig.clientIP.timeoutSeconds` where nothing is said.
const STICKY_SECONDS: i64 = 10_800;

/// What the rules on a node make of an address. A node knows the node ports of its own address only.
pub(super) fn translate(
    cluster: &mut Cluster,
    caller: &Caller,
    on_node: &str,
    to: SocketAddr,
    protocol: &str,
) -> Translated {
    let Some((service, port, door)) = find(cluster, on_node, to, protocol) else {
        return if is_cluster_address(cluster, to.ip()) { Translated::Dropped } else { Translated::No };
    };
    let mut endpoints = endpoints(cluster, &service, &port);
    let is_at_home = address::node_of(cluster, &caller.source) == on_node;
    let is_pod = !address::is_on_node_network(cluster, &caller.source);
    let is_local = match door {
        Door::Inside => text(&service, "/spec/internalTrafficPolicy") == "Local",
        // What comes from the node's own pods, or from the node, takes the way of the cluster (`proxier.go`, "pod traffic for … external
        // destinations").
        Door::Outside | Door::NodePort => text(&service, "/spec/externalTrafficPolicy") == "Local" && !is_at_home,
    };
    let any = !endpoints.is_empty();
    if is_local {
        endpoints.retain(|endpoint| endpoint.node == on_node);
    }
    let usable = usable(endpoints);
    if usable.is_empty() {
        // With a local policy the packet is dropped where the node has no endpoint of its own; without any endpoint it is refused.
        return if is_local && any { Translated::Dropped } else { Translated::Refused };
    }
    let chosen = choose(cluster, caller, &service, &usable);
    let stays = chosen.node == on_node;
    let seen = match door {
        // Pods keep their address. A node has none that its rules know, and takes the one of its own network.
        Door::Inside => Seen::AsItIs,
        // The address changes where the packet leaves the node, after the policies there have judged it.
        _ if is_at_home && stays => Seen::AsItIs,
        _ if is_at_home => own_address(cluster, on_node),
        // From another node: pods are seen as their node, whatever the policy says (kindnet hides pods' addresses from all but pods).
        _ if is_local || stays => match is_pod {
            true => own_address(cluster, &address::node_of(cluster, &caller.source)),
            false => Seen::AsItIs,
        },
        _ => own_address(cluster, on_node),
    };
    Translated::To(chosen.to, seen)
}

fn own_address(cluster: &Cluster, node: &str) -> Seen {
    let node = cluster.store.get(&kind::NODE.key("", node)).and_then(|node| address::node_address(node));
    node.map_or(Seen::AsItIs, |ip| Seen::Address(ip.into()))
}

/// Ready ones; else those that serve to the end.
fn usable(endpoints: Vec<Endpoint>) -> Vec<Endpoint> {
    if endpoints.iter().any(|endpoint| endpoint.is_ready) {
        endpoints.into_iter().filter(|endpoint| endpoint.is_ready).collect()
    } else {
        endpoints.into_iter().filter(|endpoint| endpoint.is_serving && endpoint.is_terminating).collect()
    }
}

fn choose(cluster: &mut Cluster, caller: &Caller, service: &Value, usable: &[Endpoint]) -> Endpoint {
    let drawn = usize::try_from(cluster.chance.below(usable.len() as u64)).unwrap_or(0);
    let nobody = || Endpoint {
        to: SocketAddr::from(([0, 0, 0, 0], 0)),
        node: String::new(),
        is_ready: false,
        is_serving: false,
        is_terminating: false,
    };
    let drawn = usable.get(drawn).cloned().unwrap_or_else(nobody);
    if text(service, "/spec/sessionAffinity") != "ClientIP" {
        return drawn;
    }
    let client = address::of_source(cluster, &caller.source).map(|ip| ip.to_string()).unwrap_or_default();
    let key = format!("{}/{} {client}", namespace(service), name(service));
    let now = cluster.now() + caller.lead;
    let seconds = number(service, "/spec/sessionAffinityConfig/clientIP/timeoutSeconds").unwrap_or(STICKY_SECONDS);
    let until = now + Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
    let known = cluster.network.sticky.get(&key).filter(|(_, until)| *until > now).map(|(ip, _)| *ip);
    let known = usable.iter().find(|endpoint| Some(endpoint.to.ip()) == known).cloned();
    let chosen = known.unwrap_or(drawn);
    cluster.network.sticky.insert(key, (chosen.to.ip(), until));
    chosen
}

/// The Service and its port that stand at an address, as a node knows them.
fn find(cluster: &Cluster, on_node: &str, to: SocketAddr, protocol: &str) -> Option<(Arc<Value>, Value, Door)> {
    let is_own = address::node_at(cluster, to.ip()).is_some_and(|node| node == on_node);
    cluster.store.list(kind::SERVICE.collection, None).find_map(|(_, service)| {
        let port = |door: Door, field: &str| {
            let port = entries(service, "/spec/ports").iter().find(|port| {
                let its = match text(port, "/protocol") {
                    "" => "TCP",
                    its => its,
                };
                number(port, field) == Some(i64::from(to.port())) && its == protocol
            })?;
            Some((Arc::clone(service), port.clone(), door))
        };
        let door = door(service, to.ip());
        let has_node_ports = matches!(text(service, "/spec/type"), "NodePort" | "LoadBalancer");
        door.and_then(|door| port(door, "/port"))
            .or_else(|| (is_own && has_node_ports).then(|| port(Door::NodePort, "/nodePort"))?)
    })
}

fn door(service: &Value, ip: IpAddr) -> Option<Door> {
    let ip = ip.to_string();
    let is = |own: &Value| own.as_str() == Some(&ip);
    if text(service, "/spec/clusterIP") == ip || entries(service, "/spec/clusterIPs").iter().any(is) {
        return Some(Door::Inside);
    }
    let balanced = entries(service, "/status/loadBalancer/ingress").iter().filter_map(|ingress| ingress.get("ip"));
    entries(service, "/spec/externalIPs").iter().chain(balanced).any(is).then_some(Door::Outside)
}

/// A cluster address leads nowhere but through its ports; an external one may be somebody's own.
fn is_cluster_address(cluster: &Cluster, ip: IpAddr) -> bool {
    let services = cluster.store.list(kind::SERVICE.collection, None);
    services.into_iter().any(|(_, service)| door(service, ip) == Some(Door::Inside))
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
            let to = SocketAddr::new(ip, target);
            // An address in two slices is one endpoint.
            if found.iter().any(|known: &Endpoint| known.to == to) {
                continue;
            }
            found.push(Endpoint {
                to,
                node: text(endpoint, "/nodeName").to_owned(),
                is_ready,
                is_serving: or_ready("/conditions/serving", is_ready),
                is_terminating: truth(endpoint, "/conditions/terminating"),
            });
        }
    }
    found
}

/// Ready endpoints of a Service's port: for those who choose by themselves.
pub(super) fn ready(cluster: &Cluster, service: &Value, port: &Value) -> Vec<SocketAddr> {
    let all = endpoints(cluster, service, port).into_iter();
    all.filter(|endpoint| endpoint.is_ready).map(|endpoint| endpoint.to).collect()
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
