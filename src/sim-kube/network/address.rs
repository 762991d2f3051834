//! Addresses: of nodes, of pods, and who has one.

use std::net::{IpAddr, Ipv4Addr};

use serde_json::Value;

use crate::{
    Cluster, kind,
    node::PodRun,
    object::{entries, text},
};

/// The host's side of the nodes' network, which also answers names of the outside.
pub const GATEWAY: Ipv4Addr = Ipv4Addr::new(172, 31, 0, 1);

/// A node's own address.
pub fn node_address(node: &Value) -> Option<Ipv4Addr> {
    let addresses = entries(node, "/status/addresses");
    let internal = addresses.iter().find(|address| text(address, "/type") == "InternalIP")?;
    text(internal, "/address").parse().ok()
}

/// The next free address of a node's pod network; the first host number is the bridge's.
pub fn pod_address(cluster: &mut Cluster, node: &str) -> Option<Ipv4Addr> {
    let object = cluster.store.get(&kind::NODE.key("", node))?;
    let (network, bits) = text(object, "/spec/podCIDR").split_once('/')?;
    let (network, bits): (Ipv4Addr, u32) = (network.parse().ok()?, bits.parse().ok()?);
    let size = 1_u32.checked_shl(32_u32.checked_sub(bits)?)?;
    let taken: Vec<Ipv4Addr> = cluster.nodes.pods.values().filter_map(PodRun::address).collect();
    let next = cluster.network.next.entry(node.to_owned()).or_insert(2);
    for _ in 0..size {
        let host = *next;
        *next = if host + 2 >= size { 2 } else { host + 1 };
        let address = Ipv4Addr::from(u32::from(network) + host);
        if !taken.contains(&address) {
            return Some(address);
        }
    }
    None
}

/// The node of this address.
pub(super) fn node_at(cluster: &Cluster, ip: IpAddr) -> Option<String> {
    cluster
        .store
        .list(kind::NODE.collection, None)
        .find(|(_, node)| node_address(node).is_some_and(|address| IpAddr::V4(address) == ip))
        .map(|(key, _)| key.name.to_string())
}

/// The pod of this address, if its network is up. Pods on a node's own network have none of their own.
pub(super) fn pod_at(cluster: &Cluster, ip: IpAddr) -> Option<&PodRun> {
    cluster
        .nodes
        .pods
        .values()
        .filter(|pod| !crate::object::truth(&pod.pod, "/spec/hostNetwork"))
        .find(|pod| pod.address().is_some_and(|address| IpAddr::V4(address) == ip))
}

/// Whether a source is on its node's own network: the node itself, and pods with `hostNetwork`.
pub(super) fn is_on_node_network(cluster: &Cluster, source: &super::Source) -> bool {
    match source {
        super::Source::Pod(uid) => {
            cluster.nodes.pods.get(uid).is_some_and(|pod| crate::object::truth(&pod.pod, "/spec/hostNetwork"))
        }
        super::Source::Node(_) => true,
    }
}

/// The address from which a source is seen.
pub(super) fn of_source(cluster: &Cluster, source: &super::Source) -> Option<IpAddr> {
    match source {
        super::Source::Pod(uid) => cluster.nodes.pods.get(uid)?.address().map(IpAddr::V4),
        super::Source::Node(node) => node_address(cluster.store.get(&kind::NODE.key("", node))?).map(IpAddr::V4),
    }
}

/// The node that a source is on.
pub(super) fn node_of(cluster: &Cluster, source: &super::Source) -> String {
    match source {
        super::Source::Pod(uid) => cluster.nodes.pods.get(uid).map(|pod| pod.node.clone()).unwrap_or_default(),
        super::Source::Node(node) => node.clone(),
    }
}
