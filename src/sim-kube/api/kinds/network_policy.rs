//! Network policies (`pkg/apis/networking/v1/defaults.go`, `ValidateNetworkPolicy`).

use std::net::IpAddr;

use serde_json::{Value, json};

use super::{
    PLAIN, Rules,
    defaults::{default, each},
};
use crate::{
    api::check::{At, Problems, label, name},
    object::{entries, number, set, text},
};

pub static RULES: Rules = Rules { defaults, validate, ..PLAIN };

const PROTOCOLS: [&str; 3] = ["TCP", "UDP", "SCTP"];
/// A direction, and what the other side is called there.
const SIDES: [(&str, &str); 2] = [("ingress", "from"), ("egress", "to")];

fn defaults(object: &mut Value) {
    if entries(object, "/spec/policyTypes").is_empty() {
        let mut types = vec!["Ingress"];
        if !entries(object, "/spec/egress").is_empty() {
            types.push("Egress");
        }
        set(object, "/spec/policyTypes", json!(types));
    }
    for (side, _) in SIDES {
        for rule in each(object, &format!("/spec/{side}")) {
            for port in each(rule, "/ports") {
                default(port, "/protocol", "TCP");
            }
        }
    }
}

fn validate(object: &Value, problems: &mut Problems) {
    let at = At::new("spec");
    label::selector(object.pointer("/spec/podSelector"), &at.child("podSelector"), problems);
    for (side, other) in SIDES {
        for (index, rule) in entries(object, &format!("/spec/{side}")).iter().enumerate() {
            let at = at.child(side).index(index);
            for (index, port) in entries(rule, "/ports").iter().enumerate() {
                validate_port(port, &at.child("ports").index(index), problems);
            }
            for (index, peer) in entries(rule, &format!("/{other}")).iter().enumerate() {
                validate_peer(peer, &at.child(other).index(index), problems);
            }
        }
    }
    let types = entries(object, "/spec/policyTypes");
    let at = at.child("policyTypes");
    if types.len() > SIDES.len() {
        problems.invalid(&at, json!(types), "may not specify more than two policyTypes");
        return;
    }
    for (index, given) in types.iter().filter_map(Value::as_str).enumerate() {
        if !["Ingress", "Egress"].contains(&given) {
            problems.not_supported(&at.index(index), given, &["Egress", "Ingress"]);
        }
    }
}

fn validate_port(port: &Value, at: &At, problems: &mut Problems) {
    let protocol = text(port, "/protocol");
    if !PROTOCOLS.contains(&protocol) {
        problems.not_supported(&at.child("protocol"), protocol, &PROTOCOLS);
    }
    let end = number(port, "/endPort");
    match port.get("port") {
        Some(Value::Number(given)) => {
            let given = given.as_i64().unwrap_or(0);
            problems.port(&at.child("port"), given);
            if let Some(end) = end {
                if end < given {
                    problems.invalid(&at.child("endPort"), end, "must be greater than or equal to `port`");
                }
                problems.port(&at.child("endPort"), end);
            }
        }
        Some(Value::String(given)) => {
            if let Some(end) = end {
                problems.invalid(&at.child("endPort"), end, "may not be specified when `port` is non-numeric");
            }
            for problem in name::port_name(given) {
                problems.invalid(&at.child("port"), given.as_str(), problem);
            }
        }
        _ => {
            if let Some(end) = end {
                problems.invalid(&at.child("endPort"), end, "may not be specified when `port` is not specified");
            }
        }
    }
}

fn validate_peer(peer: &Value, at: &At, problems: &mut Problems) {
    let given = |member: &str| peer.get(member).filter(|value| !value.is_null());
    let mut count = 0;
    for member in ["podSelector", "namespaceSelector"] {
        if let Some(selector) = given(member) {
            count += 1;
            label::selector(Some(selector), &at.child(member), problems);
        }
    }
    if let Some(block) = given("ipBlock") {
        count += 1;
        ip_block(block, &at.child("ipBlock"), problems);
    }
    if count == 0 {
        problems.required(at, "must specify a peer");
    } else if count > 1 && given("ipBlock").is_some() {
        problems.forbidden(at, "may not specify both ipBlock and another peer");
    }
}

fn ip_block(block: &Value, at: &At, problems: &mut Problems) {
    const WORDS: &str = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
    let cidr = text(block, "/cidr");
    if cidr.is_empty() {
        problems.required(&at.child("cidr"), "");
        return;
    }
    let whole = parse(cidr);
    if whole.is_none() {
        problems.invalid(&at.child("cidr"), cidr, WORDS);
    }
    for (index, except) in entries(block, "/except").iter().filter_map(Value::as_str).enumerate() {
        let at = at.child("except").index(index);
        match (parse(except), whole) {
            (None, _) => problems.invalid(&at, except, WORDS),
            (Some(part), Some(whole)) if !is_within(part, whole) => {
                problems.invalid(&at, except, "must be a strict subset of `cidr`");
            }
            _ => {}
        }
    }
}

fn parse(cidr: &str) -> Option<(IpAddr, u32)> {
    let (address, bits) = cidr.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits: u32 = bits.parse().ok()?;
    (bits <= most).then_some((address, bits))
}

/// Whether a block lies within another and is smaller.
fn is_within(part: (IpAddr, u32), whole: (IpAddr, u32)) -> bool {
    let bits = |address: IpAddr| match address {
        IpAddr::V4(address) => (u128::from(u32::from(address)) << 96, 32),
        IpAddr::V6(address) => (u128::from(address), 128),
    };
    let ((inner, width), (outer, other)) = (bits(part.0), bits(whole.0));
    let mask = if whole.1 == 0 { 0 } else { u128::MAX.checked_shl(128 - whole.1).unwrap_or(0) };
    width == other && part.1 > whole.1 && inner & mask == outer & mask
}
