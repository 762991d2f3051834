//! The cluster's names, as CoreDNS's plugin `kubernetes` answers for them. The cluster has no way out: names of the outside do not exist.

use std::{net::IpAddr, sync::Arc};

use breakfix_workload::DnsReply;
use serde_json::Value;

use super::{address, service};
use crate::{
    Cluster, kind,
    object::{entries, is_deleting, text},
};

pub(super) const DOMAIN: &str = "cluster.local";

/// What a name server of the cluster answers for the IPv4 addresses of an absolute name.
pub(super) fn answer(cluster: &Cluster, name: &str) -> DnsReply {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let Some(inside) = name.strip_suffix(DOMAIN).and_then(|rest| rest.strip_suffix('.')) else {
        return if name == DOMAIN { DnsReply::NoAddress } else { outside(cluster, &name) };
    };
    let labels: Vec<&str> = inside.split('.').collect();
    match labels.as_slice() {
        ["svc"] | ["pod"] => DnsReply::NoAddress,
        [space, "svc"] if has_namespace(cluster, space) => DnsReply::NoAddress,
        [wanted, space, "svc"] => of_service(cluster, &name, wanted, space, &Within::All),
        // CoreDNS answers for addresses under a port's name as well: they are those of the service, if it has that port.
        [port, protocol, wanted, space, "svc"] if port.starts_with('_') && protocol.starts_with('_') => {
            let (port, protocol) = (port.trim_start_matches('_'), protocol.trim_start_matches('_'));
            of_service(cluster, &name, wanted, space, &Within::Port { port, protocol })
        }
        [host, wanted, space, "svc"] => of_service(cluster, &name, wanted, space, &Within::Host(host)),
        [dashed, space, "pod"] if has_namespace(cluster, space) => of_pod(&name, dashed),
        _ => DnsReply::NoSuchName,
    }
}

/// Several addresses come in another order each time (plugin `loadbalance`).
pub(super) fn spread(cluster: &mut Cluster, reply: DnsReply) -> DnsReply {
    match reply {
        DnsReply::Addresses { canonical, mut addresses } if addresses.len() > 1 => {
            let first = usize::try_from(cluster.chance.below(addresses.len() as u64)).unwrap_or(0);
            let count = addresses.len();
            addresses.rotate_left(first % count);
            DnsReply::Addresses { canonical, addresses }
        }
        reply => reply,
    }
}

/// What the name server of the nodes' network answers, to which CoreDNS hands on what is not the cluster's: it knows the nodes, as the one
/// of a Docker network does, and there is no world beyond.
pub(super) fn outside(cluster: &Cluster, name: &str) -> DnsReply {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let node = cluster.store.get(&kind::NODE.key("", &name)).and_then(|node| address::node_address(node));
    node.map_or(DnsReply::NoSuchName, |ip| addresses(&name, vec![ip.into()]))
}

pub(super) fn has_namespace(cluster: &Cluster, space: &str) -> bool {
    cluster.store.get(&kind::NAMESPACE.key("", space)).is_some()
}

fn addresses(name: &str, addresses: Vec<IpAddr>) -> DnsReply {
    if addresses.is_empty() {
        DnsReply::NoSuchName
    } else {
        DnsReply::Addresses { canonical: name.to_owned(), addresses }
    }
}

/// Which part of a service a name means.
enum Within<'a> {
    All,
    /// One endpoint, by its hostname or its address with dashes.
    Host(&'a str),
    Port {
        port: &'a str,
        protocol: &'a str,
    },
}

fn of_service(cluster: &Cluster, name: &str, wanted: &str, space: &str, within: &Within<'_>) -> DnsReply {
    let Some(service) = cluster.store.get(&kind::SERVICE.key(space, wanted)).filter(|found| !is_deleting(found)) else {
        return DnsReply::NoSuchName;
    };
    if text(service, "/spec/type") == "ExternalName" {
        return if matches!(within, Within::All) { alias(cluster, service) } else { DnsReply::NoSuchName };
    }
    if let Within::Port { port, protocol } = within
        && !has_port(service, port, protocol)
    {
        return DnsReply::NoSuchName;
    }
    let host = match within {
        Within::Host(host) => Some(*host),
        _ => None,
    };
    // A service with an address of its own has names for its endpoints all the same.
    if text(service, "/spec/clusterIP") != "None" && host.is_none() {
        let ip = text(service, "/spec/clusterIP").parse();
        return ip.map_or(DnsReply::NoSuchName, |ip| addresses(name, vec![ip]));
    }
    let fits = |hostname: &Option<String>, ip: IpAddr| {
        host.is_none_or(|host| match hostname.as_deref() {
            Some(hostname) => hostname == host,
            None => service::dashed(ip) == host,
        })
    };
    let mut found: Vec<IpAddr> = Vec::new();
    for (hostname, ip) in service::headless(cluster, service) {
        if fits(&hostname, ip) && !found.contains(&ip) {
            found.push(ip);
        }
    }
    addresses(name, found)
}

fn has_port(service: &Value, wanted: &str, protocol: &str) -> bool {
    entries(service, "/spec/ports").iter().any(|port| {
        let its = match text(port, "/protocol") {
            "" => "TCP",
            its => its,
        };
        text(port, "/name").eq_ignore_ascii_case(wanted) && its.eq_ignore_ascii_case(protocol)
    })
}

/// The addresses behind an alias come along where the same server knows them.
fn alias(cluster: &Cluster, service: &Arc<Value>) -> DnsReply {
    let target = text(service, "/spec/externalName").trim_end_matches('.');
    match answer(cluster, target) {
        DnsReply::Addresses { canonical, addresses } => DnsReply::Addresses { canonical, addresses },
        DnsReply::Alias(further) => DnsReply::Alias(further),
        // An alias to a name of the outside: it does not exist for this cluster.
        _ => DnsReply::NoSuchName,
    }
}

/// `10-244-1-5.shop.pod`: any address, whether a pod has it or not (`pods insecure`).
fn of_pod(name: &str, dashed: &str) -> DnsReply {
    match dashed.replace('-', ".").parse::<IpAddr>() {
        Ok(ip) => addresses(name, vec![ip]),
        Err(_) => DnsReply::NoSuchName,
    }
}
