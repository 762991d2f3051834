//! Services.

use serde_json::{Value, json};

use super::{
    PLAIN, Rules,
    defaults::{default, each},
    service_address,
};
use crate::{
    api::check::{At, Problems, label, name, name::NameRule},
    object::{entries, number, set, text, unset},
};

pub static RULES: Rules = Rules {
    // RFC 1123 since the relaxed validation (KEP-5311) is on by default, in 1.36.
    name: NameRule::Label,
    defaults,
    create: |object| set(object, "/status", json!({"loadBalancer": {}})),
    admit: service_address::admit,
    update: service_address::keep,
    validate,
    validate_update,
    ..PLAIN
};

const TYPES: [&str; 4] = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
/// How long a client keeps to one pod, in seconds.
const AFFINITY_SECONDS: i64 = 10_800;

fn defaults(object: &mut Value) {
    default(object, "/spec/sessionAffinity", "None");
    default(object, "/spec/type", "ClusterIP");
    if text(object, "/spec/sessionAffinity") == "None" {
        unset(object, "/spec/sessionAffinityConfig");
    } else {
        default(object, "/spec/sessionAffinityConfig/clientIP/timeoutSeconds", AFFINITY_SECONDS);
    }
    for port in each(object, "/spec/ports") {
        default(port, "/protocol", "TCP");
        let number = port.get("port").cloned().unwrap_or_default();
        if matches!(port.get("targetPort"), None | Some(Value::Null))
            || port["targetPort"] == 0
            || port["targetPort"] == ""
        {
            set(port, "/targetPort", number);
        }
    }
    let kind = text(object, "/spec/type").to_owned();
    if kind == "NodePort" || kind == "LoadBalancer" {
        default(object, "/spec/externalTrafficPolicy", "Cluster");
    }
    if kind == "LoadBalancer" {
        default(object, "/spec/allocateLoadBalancerNodePorts", true);
    }
    if kind != "ExternalName" {
        default(object, "/spec/internalTrafficPolicy", "Cluster");
    }
}

fn validate(object: &Value, problems: &mut Problems) {
    let at = At::new("spec");
    let kind = text(object, "/spec/type");
    let headless = text(object, "/spec/clusterIP") == "None";
    let ports = entries(object, "/spec/ports");
    if ports.is_empty() && !headless && kind != "ExternalName" {
        problems.required(&at.child("ports"), "");
    }
    if kind == "ExternalName" {
        let host = text(object, "/spec/externalName");
        if host.is_empty() {
            problems.required(&at.child("externalName"), "");
        } else {
            for problem in name::subdomain(host.strip_suffix('.').unwrap_or(host)) {
                problems.invalid(&at.child("externalName"), host, problem);
            }
        }
    }
    let mut names: Vec<&str> = Vec::new();
    for (index, port) in ports.iter().enumerate() {
        let here = at.child("ports").index(index);
        let own = text(port, "/name");
        if own.is_empty() {
            if ports.len() > 1 {
                problems.required(&here.child("name"), "");
            }
        } else {
            for problem in name::label(own) {
                problems.invalid(&here.child("name"), own, problem);
            }
            if names.contains(&own) {
                problems.duplicate(&here.child("name"), own);
            }
            names.push(own);
        }
        self::port(port, &here, problems);
    }
    exposed(object, kind, headless, &at, problems);
    label::labels(object.pointer("/spec/selector"), &at.child("selector"), problems);
    let affinity = text(object, "/spec/sessionAffinity");
    if !["ClientIP", "None"].contains(&affinity) {
        problems.not_supported(&at.child("sessionAffinity"), affinity, &["ClientIP", "None"]);
    }
    if !TYPES.contains(&kind) {
        problems.not_supported(&at.child("type"), kind, &TYPES);
    }
    duplicates(ports, &at.child("ports"), problems);
    for (member, allowed) in
        [("internalTrafficPolicy", ["Cluster", "Local"]), ("externalTrafficPolicy", ["Cluster", "Local"])]
    {
        super::pod_spec::one_of(object.get("spec").unwrap_or(&Value::Null), member, &allowed, &at, problems);
    }
}

/// What only services can have that are reachable from outside.
fn exposed(object: &Value, kind: &str, headless: bool, at: &At, problems: &mut Problems) {
    let outside = kind == "NodePort" || kind == "LoadBalancer";
    if outside && headless {
        let at = at.child("clusterIPs").index(0);
        problems.invalid(&at, "None", format!("may not be set to 'None' for {kind} services"));
    }
    if outside {
        return;
    }
    for (index, port) in entries(object, "/spec/ports").iter().enumerate() {
        if number(port, "/nodePort").unwrap_or(0) != 0 {
            let at = at.child("ports").index(index).child("nodePort");
            problems.forbidden(&at, format!("may not be used when `type` is '{kind}'"));
        }
    }
    let policy = text(object, "/spec/externalTrafficPolicy");
    if !policy.is_empty() {
        let detail = "may only be set for externally-accessible services";
        problems.invalid(&at.child("externalTrafficPolicy"), policy, detail);
    }
}

fn port(port: &Value, at: &At, problems: &mut Problems) {
    problems.port(&at.child("port"), number(port, "/port").unwrap_or(0));
    let protocol = text(port, "/protocol");
    if !["SCTP", "TCP", "UDP"].contains(&protocol) {
        problems.not_supported(&at.child("protocol"), protocol, &["SCTP", "TCP", "UDP"]);
    }
    match port.get("targetPort") {
        Some(Value::String(name)) => {
            for problem in name::port_name(name) {
                problems.invalid(&at.child("targetPort"), name.as_str(), problem);
            }
        }
        Some(Value::Number(number)) => problems.port(&at.child("targetPort"), number.as_i64().unwrap_or(0)),
        _ => {}
    }
}

fn duplicates(ports: &[Value], at: &At, problems: &mut Problems) {
    for (index, port) in ports.iter().enumerate() {
        let same =
            |other: &Value| other.get("port") == port.get("port") && other.get("protocol") == port.get("protocol");
        if ports.iter().take(index).any(same) {
            let shown = json!({
                "Name": "",
                "Protocol": port.get("protocol"),
                "AppProtocol": null,
                "Port": port.get("port"),
                "TargetPort": 0,
                "NodePort": 0,
            });
            problems.duplicate(&at.index(index), shown);
        }
    }
}

fn validate_update(new: &Value, old: &Value, problems: &mut Problems) {
    if text(new, "/spec/type") == "ExternalName" || text(old, "/spec/type") == "ExternalName" {
        return;
    }
    let before = old.pointer("/spec/clusterIPs");
    let after = new.pointer("/spec/clusterIPs");
    if before.is_some() && before != after {
        problems.invalid(
            &At::new("spec").child("clusterIPs").index(0),
            after.cloned().unwrap_or_default(),
            "may not change once set",
        );
    }
}
