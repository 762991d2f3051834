//! Network policies, ingresses and their classes, disruption budgets.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{AGE, Layout, NAME, age, column, integer, name, or_none, workload::selector};
use crate::object::{entries, number, text};

/// How many hosts or addresses are shown before the rest is only counted.
const SHOWN: usize = 3;

pub static POLICY: Layout = Layout {
    columns: &[NAME, column("Pod-Selector", "The pods that the policy is for."), AGE],
    cells: |object, now| {
        let pods = object.pointer("/spec/podSelector").unwrap_or(&Value::Null);
        vec![name(object), selector(pods), age(object, now)]
    },
};

pub static INGRESS: Layout = Layout {
    columns: &[
        NAME,
        column("Class", "The name of the IngressClass resource that should be used for additional configuration"),
        column("Hosts", "Hosts that incoming requests are matched against before the ingress rule"),
        column("Address", "Address is a list containing ingress points for the load-balancer"),
        column("Ports", "Ports of TLS configurations that open"),
        AGE,
    ],
    cells: ingress,
};

pub static INGRESS_CLASS: Layout = Layout {
    columns: &[
        NAME,
        column("Controller", "Controller that is responsible for handling this class"),
        column("Parameters", "A reference to a resource with additional parameters"),
        AGE,
    ],
    cells: ingress_class,
};

pub static DISRUPTION_BUDGET: Layout = Layout {
    columns: &[
        NAME,
        column("Min Available", "The minimum number of pods that must be available."),
        column("Max Unavailable", "The maximum number of pods that may be unavailable."),
        integer("Allowed Disruptions", "Calculated number of pods that may be disrupted at this time."),
        AGE,
    ],
    cells: disruption_budget,
};

fn ingress(object: &Value, now: Timestamp) -> Vec<Value> {
    let mut hosts: Vec<&str> = Vec::new();
    let mut more = false;
    let mut count = 0;
    for host in entries(object, "/spec/rules").iter().map(|rule| text(rule, "/host")).filter(|host| !host.is_empty()) {
        count += 1;
        if hosts.len() == SHOWN {
            more = true;
        } else {
            hosts.push(host);
        }
    }
    let hosts = match (hosts.is_empty(), more) {
        (true, _) => "*".to_owned(),
        (false, true) => format!("{} + {} more...", hosts.join(","), count - SHOWN),
        (false, false) => hosts.join(","),
    };
    let addresses: Vec<&str> = entries(object, "/status/loadBalancer/ingress")
        .iter()
        .map(|point| match text(point, "/ip") {
            "" => text(point, "/hostname"),
            ip => ip,
        })
        .filter(|address| !address.is_empty())
        .collect();
    let ports = if entries(object, "/spec/tls").is_empty() { "80" } else { "80, 443" };
    vec![
        name(object),
        or_none(text(object, "/spec/ingressClassName")),
        json!(hosts),
        json!(addresses.join(",")),
        json!(ports),
        age(object, now),
    ]
}

fn ingress_class(object: &Value, now: Timestamp) -> Vec<Value> {
    let parameters = match object.pointer("/spec/parameters") {
        Some(given) if !given.is_null() => {
            let kind = text(given, "/kind");
            match text(given, "/apiGroup") {
                "" => format!("{kind}/{}", text(given, "/name")),
                group => format!("{kind}.{group}/{}", text(given, "/name")),
            }
        }
        _ => "<none>".to_owned(),
    };
    vec![name(object), json!(text(object, "/spec/controller")), json!(parameters), age(object, now)]
}

fn disruption_budget(object: &Value, now: Timestamp) -> Vec<Value> {
    let limit = |member: &str| match object.pointer(&format!("/spec/{member}")) {
        Some(Value::Number(number)) => json!(number.to_string()),
        Some(Value::String(share)) => json!(share),
        _ => json!("N/A"),
    };
    vec![
        name(object),
        limit("minAvailable"),
        limit("maxUnavailable"),
        json!(number(object, "/status/disruptionsAllowed").unwrap_or(0)),
        age(object, now),
    ]
}
