//! Services and their endpoints.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{AGE, Layout, NAME, age, column, labels, name, or_none, wide};
use crate::object::{entries, number, text};

pub static SERVICE: Layout = Layout {
    columns: &[
        NAME,
        column("Type", "How the service can be reached."),
        column("Cluster-IP", "The service's address within the cluster."),
        column("External-IP", "The service's addresses outside the cluster."),
        column("Port(s)", "The ports that the service listens on."),
        AGE,
        wide("Selector", "The labels of the pods that the service sends traffic to."),
    ],
    cells: service,
};

pub static ENDPOINTS: Layout = Layout {
    columns: &[NAME, column("Endpoints", "The addresses and ports that are ready."), AGE],
    cells: |object, now| vec![name(object), json!(endpoints(object)), age(object, now)],
};

pub static ENDPOINT_SLICE: Layout = Layout {
    columns: &[
        NAME,
        column("AddressType", "The family of the slice's addresses."),
        column("Ports", "The ports of every endpoint of the slice."),
        column("Endpoints", "The addresses of the slice."),
        AGE,
    ],
    cells: endpoint_slice,
};

fn service(object: &Value, now: Timestamp) -> Vec<Value> {
    vec![
        name(object),
        json!(text(object, "/spec/type")),
        or_none(text(object, "/spec/clusterIP")),
        json!(external(object)),
        or_none(&ports(object)),
        age(object, now),
        labels(object.pointer("/spec/selector")),
    ]
}

fn external(object: &Value) -> String {
    let given: Vec<_> = entries(object, "/spec/externalIPs").iter().filter_map(Value::as_str).collect();
    match text(object, "/spec/type") {
        "ExternalName" => text(object, "/spec/externalName").to_owned(),
        "LoadBalancer" => {
            let mut addresses: Vec<_> = entries(object, "/status/loadBalancer/ingress")
                .iter()
                .map(|ingress| match text(ingress, "/ip") {
                    "" => text(ingress, "/hostname"),
                    address => address,
                })
                .collect();
            addresses.extend(given);
            if addresses.is_empty() { "<pending>".to_owned() } else { addresses.join(",") }
        }
        _ if given.is_empty() => "<none>".to_owned(),
        _ => given.join(","),
    }
}

fn ports(object: &Value) -> String {
    let show = |port: &Value| {
        let mut shown = number(port, "/port").unwrap_or(0).to_string();
        if let Some(node) = number(port, "/nodePort").filter(|node| *node > 0) {
            let _ = write!(shown, ":{node}");
        }
        format!("{shown}/{}", text(port, "/protocol"))
    };
    entries(object, "/spec/ports").iter().map(show).collect::<Vec<_>>().join(",")
}

/// The first three, and how many more.
fn cut(list: &[String]) -> String {
    if list.is_empty() {
        return "<none>".to_owned();
    }
    let first: Vec<_> = list.iter().take(3).map(String::as_str).collect();
    let rest = list.len() - first.len();
    if rest > 0 { format!("{} + {rest} more...", first.join(",")) } else { first.join(",") }
}

fn endpoints(object: &Value) -> String {
    let mut list = Vec::new();
    for subset in entries(object, "/subsets") {
        let addresses = entries(subset, "/addresses");
        let ports = entries(subset, "/ports");
        if ports.is_empty() {
            list.extend(addresses.iter().map(|address| text(address, "/ip").to_owned()));
        }
        for port in ports {
            let number = number(port, "/port").unwrap_or(0);
            list.extend(addresses.iter().map(|address| format!("{}:{number}", text(address, "/ip"))));
        }
    }
    cut(&list)
}

fn endpoint_slice(object: &Value, now: Timestamp) -> Vec<Value> {
    let ports = entries(object, "/ports");
    let ports = if ports.is_empty() {
        "<unset>".to_owned()
    } else {
        let list: Vec<_> = ports
            .iter()
            .map(|port| match (number(port, "/port"), text(port, "/name")) {
                (Some(number), _) => number.to_string(),
                (None, "") => "*".to_owned(),
                (None, name) => name.to_owned(),
            })
            .collect();
        cut(&list)
    };
    let addresses: Vec<_> = entries(object, "/endpoints")
        .iter()
        .flat_map(|endpoint| entries(endpoint, "/addresses"))
        .filter_map(|address| address.as_str().map(str::to_owned))
        .collect();
    let addresses = if addresses.is_empty() { "<unset>".to_owned() } else { cut(&addresses) };
    vec![name(object), json!(text(object, "/addressType")), json!(ports), json!(addresses), age(object, now)]
}
