//! Cluster addresses and node ports of Services. What is taken is read from the Services themselves, so nothing has to be released.

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::defaults::{default, each};
use crate::{
    Cluster, Status,
    api::check::{At, Problems},
    kind::SERVICE,
    object::{entries, number, set, text, unset},
};

/// `--service-cluster-ip-range`: 10.96.0.0/16.
const NETWORK: u32 = 0x0a60_0000;
const SIZE: u64 = 1 << 16;
/// Addresses below this offset are left to those who ask for one (KEP-3070).
const STATIC_BAND: u64 = 256;
const NODE_PORTS: std::ops::RangeInclusive<i64> = 30_000..=32_767;
/// Node ports below this one are left to those who ask for one.
const DYNAMIC_NODE_PORTS: i64 = 30_086;

/// Gives a Service what it lacks: families, addresses, node ports.
pub(super) fn admit(cluster: &mut Cluster, service: &mut Value, old: Option<&Value>) -> Result<(), Status> {
    let name = text(service, "/metadata/name").to_owned();
    let mut problems = Problems::default();
    if text(service, "/spec/type") == "ExternalName" {
        for member in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"] {
            unset(service, &format!("/spec/{member}"));
        }
    } else {
        families(service);
        address(cluster, service, old, &mut problems);
        node_ports(cluster, service, &mut problems);
    }
    problems.into_result(&SERVICE, &name).map(|_| ())
}

fn families(service: &mut Value) {
    let selectorless = service.pointer("/spec/selector").and_then(Value::as_object).is_none_or(|map| map.is_empty());
    let headless =
        text(service, "/spec/clusterIP") == "None" || entries(service, "/spec/clusterIPs").contains(&json!("None"));
    if headless && selectorless {
        default(service, "/spec/ipFamilyPolicy", "RequireDualStack");
        default(service, "/spec/ipFamilies", json!(["IPv4", "IPv6"]));
    }
    default(service, "/spec/ipFamilyPolicy", "SingleStack");
    default(service, "/spec/ipFamilies", json!(["IPv4"]));
}

fn taken<'a>(cluster: &'a Cluster, own: &'a str) -> impl Iterator<Item = &'a Value> {
    cluster.list(&SERVICE, None).map(AsRef::as_ref).filter(move |other| text(other, "/metadata/uid") != own)
}

fn address(cluster: &mut Cluster, service: &mut Value, old: Option<&Value>, problems: &mut Problems) {
    let asked = entries(service, "/spec/clusterIPs").first().and_then(Value::as_str);
    let asked = asked.or_else(|| service.pointer("/spec/clusterIP").and_then(Value::as_str)).unwrap_or("").to_owned();
    if asked == "None" || old.is_some_and(|old| text(old, "/spec/clusterIP") == asked && !asked.is_empty()) {
        set(service, "/spec/clusterIP", json!(asked));
        set(service, "/spec/clusterIPs", json!([asked]));
        return;
    }
    let own = text(service, "/metadata/uid").to_owned();
    let used: Vec<String> = taken(cluster, &own).map(|other| text(other, "/spec/clusterIP").to_owned()).collect();
    let given = if asked.is_empty() {
        free_address(cluster, &used)
    } else {
        // A change of address is refused elsewhere, in other words.
        if old.is_some_and(|old| !text(old, "/spec/clusterIP").is_empty()) {
            return;
        }
        refuse_address(&asked, &used, problems);
        asked
    };
    set(service, "/spec/clusterIP", json!(given));
    set(service, "/spec/clusterIPs", json!([given]));
}

fn free_address(cluster: &mut Cluster, used: &[String]) -> String {
    loop {
        let offset = STATIC_BAND + cluster.chance.below(SIZE - STATIC_BAND - 1);
        let address = Ipv4Addr::from(NETWORK + u32::try_from(offset).unwrap_or(0)).to_string();
        if !used.contains(&address) || used.len() as u64 >= SIZE - STATIC_BAND - 1 {
            return address;
        }
    }
}

fn refuse_address(asked: &str, used: &[String], problems: &mut Problems) {
    let at = At::new("spec").child("clusterIPs");
    let Ok(address) = asked.parse::<Ipv4Addr>() else {
        let detail = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
        problems.invalid(&at.index(0), asked, detail);
        return;
    };
    let inside = u64::from(u32::from(address).wrapping_sub(NETWORK)) < SIZE;
    if !inside {
        let detail = format!(
            "failed to allocate IP {asked}: the provided IP ({asked}) is not in the valid range. The range of valid IPs is 10.96.0.0/16"
        );
        problems.invalid(&at, json!([asked]), detail);
    } else if used.iter().any(|other| other == asked) {
        let detail = format!("failed to allocate IP {asked}: provided IP is already allocated");
        problems.invalid(&at, json!([asked]), detail);
    }
}

fn node_ports(cluster: &mut Cluster, service: &mut Value, problems: &mut Problems) {
    let kind = text(service, "/spec/type");
    let wanted = kind == "NodePort"
        || (kind == "LoadBalancer" && crate::object::truth(service, "/spec/allocateLoadBalancerNodePorts"));
    if !wanted {
        return;
    }
    let own = text(service, "/metadata/uid").to_owned();
    let mut used: Vec<i64> = taken(cluster, &own)
        .flat_map(|other| entries(other, "/spec/ports"))
        .filter_map(|port| number(port, "/nodePort"))
        .collect();
    let at = At::new("spec").child("ports");
    let ports = entries(service, "/spec/ports").to_vec();
    let mut given = Vec::new();
    for (index, port) in ports.into_iter().enumerate() {
        let mut port = port;
        let asked = number(&port, "/nodePort").unwrap_or(0);
        let at = at.index(index).child("nodePort");
        let chosen = if asked == 0 { free_port(cluster, &used) } else { asked };
        if asked != 0 && !NODE_PORTS.contains(&asked) {
            let detail = "provided port is not in the valid range. The range of valid ports is 30000-32767";
            problems.invalid(&at, asked, detail);
        } else if asked != 0 && used.contains(&asked) {
            problems.invalid(&at, asked, "provided port is already allocated");
        }
        used.push(chosen);
        set(&mut port, "/nodePort", json!(chosen));
        given.push(port);
    }
    set(service, "/spec/ports", Value::Array(given));
}

fn free_port(cluster: &mut Cluster, used: &[i64]) -> i64 {
    let count = NODE_PORTS.end() - DYNAMIC_NODE_PORTS + 1;
    for _ in 0..count * 8 {
        let port = DYNAMIC_NODE_PORTS + i64::try_from(cluster.chance.below(count.unsigned_abs())).unwrap_or(0);
        if !used.contains(&port) {
            return port;
        }
    }
    NODE_PORTS.clone().find(|port| !used.contains(port)).unwrap_or(*NODE_PORTS.end())
}

/// What an update leaves out of an allocated Service stays as it was.
pub(super) fn keep(new: &mut Value, old: &Value) {
    if text(new, "/spec/type") == "ExternalName" || text(old, "/spec/type") == "ExternalName" {
        return;
    }
    let before = text(old, "/spec/clusterIP");
    let after = text(new, "/spec/clusterIP").to_owned();
    if after.is_empty() {
        set(new, "/spec/clusterIP", json!(before));
    }
    let lists_same = new.pointer("/spec/clusterIPs") == old.pointer("/spec/clusterIPs");
    if entries(new, "/spec/clusterIPs").is_empty() || (lists_same && !after.is_empty() && after != before) {
        let address = text(new, "/spec/clusterIP").to_owned();
        set(new, "/spec/clusterIPs", json!([address]));
    }
    let old_ports = entries(old, "/spec/ports").to_vec();
    let exposed = |service: &Value| matches!(text(service, "/spec/type"), "NodePort" | "LoadBalancer");
    if exposed(old) && !exposed(new) {
        drop_exposure(new, old);
    }
    if exposed(new) && exposed(old) {
        for port in each(new, "/spec/ports") {
            let same =
                |other: &&Value| other.get("port") == port.get("port") && other.get("protocol") == port.get("protocol");
            let kept = old_ports.iter().find(same).and_then(|other| other.get("nodePort")).cloned();
            if number(port, "/nodePort").unwrap_or(0) == 0
                && let Some(kept) = kept
            {
                set(port, "/nodePort", kept);
            }
        }
    }
}

/// A service that is no longer reachable from outside loses what it was given for it, but not what the writer now asks for.
fn drop_exposure(new: &mut Value, old: &Value) {
    let given: Vec<Option<i64>> = entries(old, "/spec/ports").iter().map(|port| number(port, "/nodePort")).collect();
    for port in each(new, "/spec/ports") {
        if given.contains(&number(port, "/nodePort")) {
            unset(port, "/nodePort");
        }
    }
    for member in ["externalTrafficPolicy", "allocateLoadBalancerNodePorts", "healthCheckNodePort"] {
        let pointer = format!("/spec/{member}");
        if new.pointer(&pointer) == old.pointer(&pointer) {
            unset(new, &pointer);
        }
    }
}
