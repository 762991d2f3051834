//! Host ports: two pods of one node cannot both have them.

use serde_json::Value;

use super::{Plugin, Refusal, View};
use crate::object::{entries, name, text, truth};

pub struct NodePorts;

impl Plugin for NodePorts {
    fn filter(&self, view: &View, pod: &Value, node: &Value) -> Option<Refusal> {
        let taken = view.on(name(node)).any(|other| ports_clash(pod, other));
        taken.then(|| Refusal::curable("node(s) didn't have free ports for the requested pod ports"))
    }
}

/// Whether two pods of one node want the same port of it.
pub fn ports_clash(one: &Value, other: &Value) -> bool {
    let others = host_ports(other);
    host_ports(one).iter().any(|port| others.iter().any(|other| clash(port, other)))
}

/// (address, protocol, port) of each.
fn host_ports(pod: &Value) -> Vec<(String, String, i64)> {
    let host_network = truth(pod, "/spec/hostNetwork");
    entries(pod, "/spec/containers")
        .iter()
        .flat_map(|container| entries(container, "/ports"))
        .filter_map(|port| {
            let number =
                port["hostPort"].as_i64().or_else(|| port["containerPort"].as_i64().filter(|_| host_network))?;
            let or = |pointer: &str, default: &str| match text(port, pointer) {
                "" => default.to_owned(),
                given => given.to_owned(),
            };
            (number > 0).then(|| (or("/hostIP", "0.0.0.0"), or("/protocol", "TCP"), number))
        })
        .collect()
}

fn clash(left: &(String, String, i64), right: &(String, String, i64)) -> bool {
    let everywhere = left.0 == "0.0.0.0" || right.0 == "0.0.0.0";
    left.1 == right.1 && left.2 == right.2 && (everywhere || left.0 == right.0)
}
