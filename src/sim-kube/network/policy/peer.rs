//! The peers of a rule: `from` and `to`.

use std::net::IpAddr;

use serde_json::Value;

use super::End;
use crate::{
    api::select::label::matches_selector,
    object::{entries, text},
};

/// Whether the other end is one of these peers; no peers at all mean everybody.
pub(super) fn fits(peers: &[Value], other: &End<'_>, policy_namespace: &str) -> bool {
    peers.is_empty() || peers.iter().any(|peer| is(peer, other, policy_namespace))
}

fn is(peer: &Value, other: &End<'_>, policy_namespace: &str) -> bool {
    if let Some(block) = peer.get("ipBlock") {
        // An address is an address, a pod's too: the API leaves it open, the plugin does not ask whose it is.
        let excepted = entries(block, "/except").iter().filter_map(Value::as_str).any(|cidr| holds(cidr, other.ip));
        return holds(text(block, "/cidr"), other.ip) && !excepted;
    }
    // Who is no pod fits no selector.
    let Some(pod) = other.pod else { return false };
    let (pods, namespaces) = (peer.get("podSelector"), peer.get("namespaceSelector"));
    let fits_pods = pods.is_none_or(|pods| matches_selector(pods, pod.object.pointer("/metadata/labels")));
    let fits_namespace = match namespaces {
        // Both selectors in one peer must fit; a pod selector alone means the policy's own namespace.
        Some(namespaces) => matches_selector(namespaces, pod.namespace_labels),
        None => pod.namespace == policy_namespace,
    };
    fits_pods && fits_namespace && (pods.is_some() || namespaces.is_some())
}

/// Whether a block like `10.0.0.0/8` holds an address. One that cannot be read holds none: the API refuses such.
pub(crate) fn holds(cidr: &str, ip: IpAddr) -> bool {
    let Some((network, bits)) = cidr.split_once('/') else { return false };
    let (Ok(network), Ok(bits)) = (network.parse::<IpAddr>(), bits.parse::<u32>()) else { return false };
    match (network, ip) {
        (IpAddr::V4(network), IpAddr::V4(ip)) if bits <= 32 => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            u32::from(network) & mask == u32::from(ip) & mask
        }
        (IpAddr::V6(network), IpAddr::V6(ip)) if bits <= 128 => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            u128::from(network) & mask == u128::from(ip) & mask
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_holds_its_addresses() {
        for (cidr, ip, wanted) in [
            ("10.0.0.0/8", "10.244.1.2", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("0.0.0.0/0", "1.2.3.4", true),
            ("10.244.1.2/32", "10.244.1.2", true),
            ("10.244.1.2/32", "10.244.1.3", false),
            // Host bits of a network do not count.
            ("10.244.1.9/24", "10.244.1.2", true),
            ("::/0", "10.244.1.2", false),
            ("fd00::/8", "fd12::1", true),
            ("nonsense", "10.0.0.1", false),
            ("10.0.0.0/99", "10.0.0.1", false),
        ] {
            assert_eq!(holds(cidr, ip.parse().unwrap()), wanted, "{ip} in {cidr}");
        }
    }
}
