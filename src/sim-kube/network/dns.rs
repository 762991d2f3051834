//! The cluster's names, as CoreDNS's plugin `kubernetes` answers for them. The cluster has no way out: names of the outside do not exist.

use std::{net::IpAddr, sync::Arc};

use breakfix_workload::DnsReply;
use serde_json::Value;

use super::service;
use crate::{
    Cluster, kind,
    object::{is_deleting, text},
};

const DOMAIN: &str = "cluster.local";

/// What a name server of the cluster answers for the IPv4 addresses of an absolute name.
pub(super) fn answer(cluster: &Cluster, name: &str) -> DnsReply {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let Some(inside) = name.strip_suffix(DOMAIN).and_then(|rest| rest.strip_suffix('.')) else {
        return if name == DOMAIN { DnsReply::NoAddress } else { DnsReply::NoSuchName };
    };
    let labels: Vec<&str> = inside.split('.').collect();
    match labels.as_slice() {
        ["svc"] | ["pod"] => DnsReply::NoAddress,
        [space, "svc"] if has_namespace(cluster, space) => DnsReply::NoAddress,
        [wanted, space, "svc"] => of_service(cluster, &name, wanted, space, None),
        [host, wanted, space, "svc"] => of_service(cluster, &name, wanted, space, Some(host)),
        [port, protocol, wanted, space, "svc"] if port.starts_with('_') && protocol.starts_with('_') => {
            // Such names have SRV records, and no addresses.
            match of_service(cluster, &name, wanted, space, None) {
                DnsReply::NoSuchName => DnsReply::NoSuchName,
                _ => DnsReply::NoAddress,
            }
        }
        [dashed, space, "pod"] if has_namespace(cluster, space) => of_pod(&name, dashed),
        _ => DnsReply::NoSuchName,
    }
}

fn has_namespace(cluster: &Cluster, space: &str) -> bool {
    cluster.store.get(&kind::NAMESPACE.key("", space)).is_some()
}

fn addresses(name: &str, addresses: Vec<IpAddr>) -> DnsReply {
    if addresses.is_empty() {
        DnsReply::NoSuchName
    } else {
        DnsReply::Addresses { canonical: name.to_owned(), addresses }
    }
}

fn of_service(cluster: &Cluster, name: &str, wanted: &str, space: &str, host: Option<&str>) -> DnsReply {
    let Some(service) = cluster.store.get(&kind::SERVICE.key(space, wanted)).filter(|found| !is_deleting(found)) else {
        return DnsReply::NoSuchName;
    };
    if text(service, "/spec/type") == "ExternalName" {
        return if host.is_some() { DnsReply::NoSuchName } else { alias(cluster, service) };
    }
    if text(service, "/spec/clusterIP") != "None" {
        let ip = text(service, "/spec/clusterIP").parse();
        return match (host, ip) {
            (None, Ok(ip)) => addresses(name, vec![ip]),
            _ => DnsReply::NoSuchName,
        };
    }
    let found = service::headless(cluster, service);
    let fits = |hostname: &Option<String>, ip: IpAddr| match host {
        None => true,
        Some(host) => hostname.as_deref().map_or_else(|| service::dashed(ip) == host, |hostname| hostname == host),
    };
    let found: Vec<IpAddr> = found.into_iter().filter(|(hostname, ip)| fits(hostname, *ip)).map(|(_, ip)| ip).collect();
    addresses(name, found)
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
