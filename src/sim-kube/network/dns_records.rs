//! SRV and PTR records of the cluster's names, as CoreDNS's plugin `kubernetes` gives them
//! (coredns plugin/kubernetes/{kubernetes,reverse}.go and plugin/backend_lookup.go; DNS-based service discovery 1.1.0, 2.3.2 and 2.4.2).

use std::net::{IpAddr, Ipv4Addr};

use breakfix_workload::{DnsReply, RecordKind, Records};
use serde_json::Value;

use super::{
    dns::{self, DOMAIN},
    service::dashed,
};
use crate::{
    Cluster, kind,
    object::{entries, is_deleting, name, namespace, number, text},
};

/// What a name server of the cluster answers.
pub(super) fn answer(cluster: &Cluster, name: &str, kind: RecordKind) -> Records {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let found = match kind {
        RecordKind::Srv => srv(cluster, &name),
        RecordKind::Ptr => ptr(cluster, &name),
    };
    if !found.is_empty() {
        return Records::Found(found);
    }
    // Without a record it counts whether there is the name at all.
    match dns::answer(cluster, &name) {
        DnsReply::Addresses { .. } | DnsReply::Alias(_) | DnsReply::NoAddress => Records::None,
        DnsReply::NoSuchName => Records::NoSuchName,
        DnsReply::Failed => Records::Failed,
    }
}

/// One endpoint or service behind a name, with a port.
struct Target {
    port: i64,
    host: String,
}

/// All ports of a service, or the one that the name says.
fn srv(cluster: &Cluster, asked: &str) -> Vec<String> {
    let Some(inside) = asked.strip_suffix(DOMAIN).and_then(|rest| rest.strip_suffix(".svc.")) else {
        return Vec::new();
    };
    let labels: Vec<&str> = inside.split('.').collect();
    let (port, host, wanted, space) = match labels.as_slice() {
        [wanted, space] => (None, None, *wanted, *space),
        [port, protocol, wanted, space] if port.starts_with('_') && protocol.starts_with('_') => {
            (Some((port.trim_start_matches('_'), protocol.trim_start_matches('_'))), None, *wanted, *space)
        }
        [host, wanted, space] => (None, Some(*host), *wanted, *space),
        _ => return Vec::new(),
    };
    let Some(service) = cluster.store.get(&kind::SERVICE.key(space, wanted)).filter(|found| !is_deleting(found)) else {
        return Vec::new();
    };
    let full = format!("{wanted}.{space}.svc.{DOMAIN}");
    let targets = if text(service, "/spec/type") == "ExternalName" {
        let host = text(service, "/spec/externalName").trim_end_matches('.').to_owned();
        if port.is_none() { vec![Target { port: 0, host }] } else { Vec::new() }
    } else if text(service, "/spec/clusterIP") != "None" && host.is_none() {
        let ports = entries(service, "/spec/ports").iter().filter(|it| fits(it, port));
        ports.filter_map(|it| Some(Target { port: number(it, "/port")?, host: full.clone() })).collect()
    } else {
        endpoints(cluster, service, port, host, &full)
    };
    let weight = (100 / targets.len().max(1)).max(1);
    targets.iter().map(|target| format!("0 {weight} {} {}", target.port, target.host)).collect()
}

/// Whether a port of a service or a slice is the one asked for by name and protocol.
fn fits(port: &Value, asked: Option<(&str, &str)>) -> bool {
    let protocol = match text(port, "/protocol") {
        "" => "TCP",
        protocol => protocol,
    };
    asked.is_none_or(|(name, wanted)| {
        text(port, "/name").eq_ignore_ascii_case(name) && protocol.eq_ignore_ascii_case(wanted)
    })
}

/// Each ready endpoint with each of its ports, by hostname or address.
fn endpoints(
    cluster: &Cluster,
    service: &Value,
    port: Option<(&str, &str)>,
    host: Option<&str>,
    full: &str,
) -> Vec<Target> {
    let mut targets = Vec::new();
    for (slice, endpoint, ip) in ready(cluster, Some(namespace(service))) {
        if slice["metadata"]["labels"]["kubernetes.io/service-name"] != *name(service) {
            continue;
        }
        let label = endpoint["hostname"].as_str().map_or_else(|| dashed(ip), str::to_owned);
        if host.is_some_and(|host| host != label) {
            continue;
        }
        for number in entries(slice, "/ports").iter().filter(|it| fits(it, port)).filter_map(|it| number(it, "/port")) {
            targets.push(Target { port: number, host: format!("{label}.{full}") });
        }
    }
    targets
}

/// Every endpoint that is ready, with its slice and each of its addresses.
fn ready<'a>(cluster: &'a Cluster, space: Option<&'a str>) -> impl Iterator<Item = (&'a Value, &'a Value, IpAddr)> {
    let slices = cluster.store.list(kind::ENDPOINT_SLICE.collection, space);
    slices.into_iter().flat_map(|(_, slice)| {
        let slice: &Value = slice;
        let is_ready = |it: &&Value| it.pointer("/conditions/ready").and_then(Value::as_bool).unwrap_or(true);
        entries(slice, "/endpoints").iter().filter(is_ready).flat_map(move |endpoint| {
            let addresses = entries(endpoint, "/addresses").iter().filter_map(|ip| ip.as_str()?.parse().ok());
            addresses.map(move |ip| (slice, endpoint, ip))
        })
    })
}

/// The service whose address it is; else the endpoints of this address that have a hostname.
fn ptr(cluster: &Cluster, asked: &str) -> Vec<String> {
    let Some(ip) = address(asked) else { return Vec::new() };
    let shown = ip.to_string();
    for (_, service) in cluster.store.list(kind::SERVICE.collection, None) {
        if entries(service, "/spec/clusterIPs").iter().any(|it| *it == *shown) {
            return vec![format!("{}.{}.svc.{DOMAIN}", name(service), namespace(service))];
        }
    }
    let named = ready(cluster, None).filter(|(_, _, its)| *its == ip);
    named
        .filter_map(|(slice, endpoint, _)| {
            let service = slice["metadata"]["labels"]["kubernetes.io/service-name"].as_str()?;
            Some(format!("{}.{service}.{}.svc.{DOMAIN}", endpoint["hostname"].as_str()?, namespace(slice)))
        })
        .collect()
}

/// `10.96.0.1` of `1.0.96.10.in-addr.arpa`.
fn address(asked: &str) -> Option<IpAddr> {
    let octets: Vec<u8> =
        asked.strip_suffix(".in-addr.arpa")?.split('.').map(|it| it.parse().ok()).collect::<Option<_>>()?;
    let [d, c, b, a] = octets.as_slice() else { return None };
    Some(Ipv4Addr::new(*a, *b, *c, *d).into())
}
