//! Load balancers from outside: a request to a balancer's name, on any port of ours, goes in at its listener as it would come from the
//! internet.

use std::{collections::BTreeMap, time::Duration};

use breakfix_sim::serve::world::Act;
use breakfix_workload as workload;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Host;
use crate::{
    Call, Cloud, input,
    network::Exchange,
    services::{elbv2, iam},
    wire::{Request, Response},
};

/// A request to a balancer, as it is written down.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Visit {
    pub dns_name: String,
    /// The listener's.
    pub port: u16,
    pub request: workload::Request,
}

impl Act<Cloud> for Visit {
    type Outcome = Exchange;

    fn act(&self, cloud: &mut Cloud) -> Exchange {
        elbv2::answer(cloud, &self.dns_name, self.port, &self.request)
    }
}

/// The balancer that a request's `Host` names, and its listener's port: a DNS name of a balancer, with the port that is asked for
/// (`shop-1.eu-central-1.elb.amazonaws.com:8080`); our own port stands for 80.
pub fn named(host_header: &str, ours: &[u16]) -> Option<(String, u16)> {
    let (name, port) = match host_header.rsplit_once(':') {
        Some((name, port)) => (name, port.parse().ok()?),
        None => (host_header, 80),
    };
    let port = if ours.contains(&port) { 80 } else { port };
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name.ends_with(".elb.amazonaws.com").then_some((name, port))
}

/// The DNS names of all balancers that have an address.
pub fn names(cloud: &mut Cloud) -> Vec<String> {
    let call = Call {
        service: "elasticloadbalancing".to_owned(),
        operation: "DescribeLoadBalancers".to_owned(),
        input: Value::Object(serde_json::Map::new()),
        caller: iam::operator(&cloud.config),
    };
    let answer = cloud.call(&call).unwrap_or_default();
    let balancers = input::list(&answer, "LoadBalancers").iter();
    balancers.filter_map(|balancer| input::text(balancer, "DNSName").map(str::to_ascii_lowercase)).collect()
}

/// Sends a request on; the answer, and how long a client waits for it.
pub fn visit(host: &Host, dns_name: String, port: u16, request: &Request) -> (Response, Duration) {
    let visit = Visit { dns_name, port, request: inner(request) };
    match host.act(visit) {
        Ok(Exchange { result: Ok(answer), took }) => (outer(answer), host.wait_for(took)),
        Ok(Exchange { result: Err(error), took }) => {
            // A client of the real thing would see its connection fail; one of ours is connected to us already.
            let text = format!("breakfix: no connection to the load balancer: {error}\n");
            (said(503, &text), host.wait_for(took))
        }
        Err(refused) => (said(500, &format!("breakfix: {refused}\n")), Duration::ZERO),
    }
}

fn inner(request: &Request) -> workload::Request {
    let query = if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
    let headers: BTreeMap<String, String> = request.headers.iter().cloned().collect();
    workload::Request {
        method: request.method.clone(),
        target: format!("{}{query}", request.path),
        headers,
        body: request.body.clone(),
    }
}

fn outer(answer: workload::Response) -> Response {
    // Lengths and encodings of the way are the way's affair.
    let ours = |name: &str| matches!(name, "content-length" | "connection" | "transfer-encoding");
    let headers = answer.headers.into_iter().filter(|(name, _)| !ours(&name.to_ascii_lowercase())).collect();
    Response { status: answer.status, headers, body: answer.body }
}

/// A text of ours.
pub fn said(status: u16, text: &str) -> Response {
    let headers = vec![("content-type".to_owned(), "text/plain; charset=utf-8".to_owned())];
    Response { status, headers, body: text.as_bytes().to_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_balancer_is_known_by_its_name_and_listener() {
        let name = "shop-1.eu-central-1.elb.amazonaws.com";
        assert_eq!(named(name, &[9000]), Some((name.to_owned(), 80)));
        assert_eq!(named(&format!("{name}:9000"), &[9000]), Some((name.to_owned(), 80)));
        assert_eq!(named(&format!("{}:8080", name.to_uppercase()), &[9000]), Some((name.to_owned(), 8080)));
        assert_eq!(named("127.0.0.1:9000", &[9000]), None);
        assert_eq!(named("ecs.eu-central-1.amazonaws.com", &[]), None);
    }
}
