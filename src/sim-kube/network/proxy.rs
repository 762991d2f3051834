//! The API server as a go-between: `pods/proxy`, `services/proxy`, `nodes/proxy`. It looks up an address by itself (no kube-proxy on the
//! way) and calls it from the control plane's node, as `ResourceLocation` of these registries and apimachinery's proxy handler do.

use std::{net::SocketAddr, time::Duration};

use breakfix_workload::{CallError, Request, Response};
use serde_json::{Value, json};

use super::{Caller, Source, connect, exchange};
use crate::{
    Cluster, Status,
    api::stream::{Proxied, ProxySpec},
    kind,
    object::{entries, number, text},
};

/// How long a connection is tried (the transport's dial timeout).
const DIAL: Duration = Duration::from_secs(30);
/// As long as anybody would wait for an answer.
const PATIENCE: Duration = Duration::from_secs(3600);

/// Carries out a proxied request. The second value is the time it took.
pub fn proxied(cluster: &mut Cluster, spec: &ProxySpec) -> (Result<Response, Status>, Duration) {
    let to = match spec.to {
        Proxied::Pod => pod(cluster, spec),
        Proxied::Service => service(cluster, spec),
        Proxied::Node => return (node(cluster, spec), Duration::ZERO),
    };
    match to {
        Ok(to) => call(cluster, to, spec),
        Err(status) => (Err(status), Duration::ZERO),
    }
}

fn call(cluster: &mut Cluster, to: Target, spec: &ProxySpec) -> (Result<Response, Status>, Duration) {
    let Some(node) = control_plane(cluster) else {
        return (Err(unreachable("no node to call from")), Duration::ZERO);
    };
    let Target { address, is_tls } = to;
    let caller = Caller::new(Source::Node(node));
    let (reached, spent) = connect(cluster, &caller, address, DIAL);
    if let Err(error) = reached {
        let why = match error {
            CallError::Refused => "connect: connection refused",
            CallError::TimedOut => "i/o timeout",
            _ => "connect: no route to host",
        };
        return (Err(unreachable(&format!("dial tcp {address}: {why}"))), spent);
    }
    if is_tls {
        // Nothing behind a proxied port speaks TLS here.
        return (Err(unreachable("http: server gave HTTP response to HTTPS client")), spent);
    }
    let request = Request {
        method: spec.method.clone(),
        target: spec.target.clone(),
        headers: spec.headers.clone(),
        body: spec.body.clone(),
    };
    let (outcome, took) = exchange(cluster, &caller, address, &request, PATIENCE);
    let answer = outcome.map_err(|error| match error {
        CallError::TimedOut => Status::new(504, "Timeout", "context deadline exceeded"),
        CallError::Refused => unreachable(&format!("dial tcp {address}: connect: connection refused")),
        _ => unreachable("EOF"),
    });
    (answer, spent + took)
}

fn unreachable(why: &str) -> Status {
    unavailable(format!("error trying to reach service: {why}"))
}

fn unavailable(message: String) -> Status {
    Status::new(503, "ServiceUnavailable", message)
}

/// Where the API server runs.
pub(crate) fn control_plane(cluster: &Cluster) -> Option<String> {
    let label = "/metadata/labels/node-role.kubernetes.io~1control-plane";
    let mut nodes = cluster.store.list(kind::NODE.collection, None);
    nodes.find(|(_, node)| node.pointer(label).is_some()).map(|(key, _)| key.name.to_string())
}

struct Target {
    address: SocketAddr,
    is_tls: bool,
}

/// `name`, `name:port`, `scheme:name:port` (`SplitSchemeNamePort`); the resource's word for a refusal.
fn split<'a>(id: &'a str, what: &str) -> Result<(bool, &'a str, &'a str), Status> {
    let parts: Vec<&str> = id.split(':').collect();
    let (scheme, name, port) = match parts.as_slice() {
        [name] => ("", *name, ""),
        [name, port] => ("", *name, *port),
        [scheme @ ("http" | "https"), name, port] => (*scheme, *name, *port),
        _ => ("", "", ""),
    };
    if name.is_empty() {
        return Err(Status::bad_request(format!("invalid {what} request {id:?}")));
    }
    Ok((scheme == "https", name, port))
}

fn pod(cluster: &Cluster, spec: &ProxySpec) -> Result<Target, Status> {
    let (is_tls, name, port) = split(&spec.name, "pod")?;
    let pod = cluster.get(&kind::POD, &spec.namespace, name)?;
    let port = match port {
        // Without a port the first one that a container names, or the scheme's own.
        "" => entries(&pod, "/spec/containers")
            .iter()
            .find_map(|container| number(entries(container, "/ports").first()?, "/containerPort"))
            .unwrap_or(if is_tls { 443 } else { 80 }),
        port => port.parse().map_err(|_| Status::bad_request(format!("invalid pod request {:?}", spec.name)))?,
    };
    let ip = text(&pod, "/status/podIP").parse().map_err(|_| Status::bad_request("address not allowed"))?;
    let port = u16::try_from(port).map_err(|_| Status::bad_request("address not allowed"))?;
    Ok(Target { address: SocketAddr::new(ip, port), is_tls })
}

fn service(cluster: &mut Cluster, spec: &ProxySpec) -> Result<Target, Status> {
    let (is_tls, name, wanted) = split(&spec.name, "service")?;
    let service = cluster.get(&kind::SERVICE, &spec.namespace, name)?;
    let port_name = match wanted.parse::<i64>() {
        Ok(wanted) => {
            let ports = entries(&service, "/spec/ports");
            let port = ports.iter().find(|port| number(port, "/port") == Some(wanted));
            let port =
                port.ok_or_else(|| unavailable(format!("no service port {wanted} found for service {name:?}")))?;
            text(port, "/name").to_owned()
        }
        Err(_) => wanted.to_owned(),
    };
    let found = endpoints(cluster, &spec.namespace, name, &port_name);
    let drawn = usize::try_from(cluster.chance.below(found.len().max(1) as u64)).unwrap_or(0);
    let address = found.get(drawn).copied();
    let address = address.ok_or_else(|| unavailable(format!("no endpoints available for service {name:?}")))?;
    Ok(Target { address, is_tls })
}

/// Ready addresses of a service's port. Only those of pods that still have them: the API server calls nobody on a stranger's word.
fn endpoints(cluster: &Cluster, namespace: &str, service: &str, port: &str) -> Vec<SocketAddr> {
    let mut found = Vec::new();
    for (_, slice) in cluster.store.list(kind::ENDPOINT_SLICE.collection, Some(namespace)) {
        if text(slice, "/metadata/labels/kubernetes.io~1service-name") != service {
            continue;
        }
        let target = entries(slice, "/ports").iter().find(|it| text(it, "/name") == port);
        let Some(target) = target.and_then(|it| u16::try_from(number(it, "/port")?).ok()) else { continue };
        for endpoint in entries(slice, "/endpoints") {
            if endpoint.pointer("/conditions/ready").and_then(Value::as_bool) == Some(false) {
                continue;
            }
            let pod = cluster.store.get(&kind::POD.key(namespace, text(endpoint, "/targetRef/name")));
            for ip in entries(endpoint, "/addresses").iter().filter_map(Value::as_str) {
                let is_its = pod.is_some_and(|pod| text(pod, "/status/podIP") == ip);
                if let (true, Ok(ip)) = (is_its, ip.parse()) {
                    found.push(SocketAddr::new(ip, target));
                }
            }
        }
    }
    found
}

/// What kubelet itself answers: that it is well, and its pods. Its other pages are not modelled.
fn node(cluster: &Cluster, spec: &ProxySpec) -> Result<Response, Status> {
    let (_, name, _) = split(&spec.name, "node")?;
    cluster.get(&kind::NODE, "", name)?;
    let path = spec.target.split('?').next().unwrap_or("/").trim_end_matches('/');
    Ok(match path {
        "/healthz" => Response::text(200, "ok"),
        "/pods" => {
            let pods = cluster.store.list(kind::POD.collection, None).map(|(_, pod)| pod);
            let items: Vec<&Value> =
                pods.filter(|pod| text(pod, "/spec/nodeName") == name).map(std::convert::AsRef::as_ref).collect();
            let body = json!({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items});
            let mut response = Response::text(200, body.to_string());
            response.headers.insert("content-type".to_owned(), "application/json".to_owned());
            response
        }
        _ => Response::text(404, "404 page not found\n"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `SplitSchemeNamePort` of apimachinery's util/net.
    #[test]
    fn names_carry_schemes_and_ports() {
        for (id, wanted) in [
            ("web", Ok((false, "web", ""))),
            ("web:80", Ok((false, "web", "80"))),
            ("https:web:api", Ok((true, "web", "api"))),
            ("http:web:", Ok((false, "web", ""))),
            ("ftp:web:1", Err("invalid service request \"ftp:web:1\"")),
            (":80", Err("invalid service request \":80\"")),
            ("a:b:c:d", Err("invalid service request \"a:b:c:d\"")),
        ] {
            let found = split(id, "service").map_err(|status| status.message);
            assert_eq!(found, wanted.map_err(str::to_owned), "{id}");
        }
    }
}
