//! The ports of a rule.

use serde_json::Value;

use super::Attempt;
use crate::object::{entries, number, text};

/// Whether the destination's port is one of these; none at all mean every port of every protocol.
pub(super) fn fits(ports: &[Value], attempt: &Attempt<'_>) -> bool {
    ports.is_empty() || ports.iter().any(|port| is(port, attempt))
}

fn is(port: &Value, attempt: &Attempt<'_>) -> bool {
    if protocol_of(port) != attempt.protocol {
        return false;
    }
    let wanted = i64::from(attempt.port);
    match port.get("port") {
        None | Some(Value::Null) => true,
        Some(Value::String(name)) => is_named(name, attempt),
        Some(first) => {
            let Some(first) = first.as_i64() else { return false };
            (first..=number(port, "/endPort").unwrap_or(first)).contains(&wanted)
        }
    }
}

/// A name is looked up in the destination pod's containers, in both directions.
fn is_named(name: &str, attempt: &Attempt<'_>) -> bool {
    let Some(pod) = attempt.to.pod else { return false };
    let ports = entries(pod.object, "/spec/containers").iter().flat_map(|container| entries(container, "/ports"));
    ports.into_iter().any(|port| {
        text(port, "/name") == name
            && number(port, "/containerPort") == Some(i64::from(attempt.port))
            && protocol_of(port) == attempt.protocol
    })
}

fn protocol_of(port: &Value) -> &str {
    match text(port, "/protocol") {
        "" => "TCP",
        protocol => protocol,
    }
}
