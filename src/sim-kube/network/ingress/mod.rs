//! An ingress controller's program: it answers for Ingress objects as ingress-nginx does. There is one where its image runs in a pod, and
//! none otherwise; a cluster of kind starts without.
//!
//! Facts: the page "Ingress" of the documentation (paths, hosts, classes), ingress-nginx's `controller.go` and its template (404 from the
//! default backend, 503 without endpoints, 502 and 504 for one that fails, 308 to HTTPS where a host has TLS).

mod rules;

use std::{net::SocketAddr, time::Duration};

use breakfix_workload::{CallError, Request, Response};
use serde_json::Value;

use super::{Caller, Source, exchange, service};
use crate::{
    Cluster, kind,
    object::{entries, number, text},
};

/// Which classes are this controller's.
pub(crate) const CONTROLLER: &str = "k8s.io/ingress-nginx";
/// `proxy_connect_timeout` and `proxy_read_timeout`.
const CONNECT: Duration = Duration::from_secs(5);
const READ: Duration = Duration::from_secs(60);
const OLD_CLASS: &str = "/metadata/annotations/kubernetes.io~1ingress.class";

/// Answers a request that has reached the controller's pod. The second value is the time it took.
pub(super) fn answer(
    cluster: &mut Cluster,
    caller: &Caller,
    pod: &str,
    request: &Request,
) -> (Result<Response, CallError>, Duration) {
    let host = request.header("host").unwrap_or("").split(':').next().unwrap_or("").to_ascii_lowercase();
    let ingresses: Vec<&Value> = cluster
        .store
        .list(kind::INGRESS.collection, None)
        .map(|(_, ingress)| ingress.as_ref())
        .filter(|ingress| is_ours(cluster, ingress))
        .collect();
    if rules::has_tls(&ingresses, &host) {
        let mut moved = page(308, "Permanent Redirect");
        moved.headers.insert("location".to_owned(), format!("https://{host}{}", request.target));
        return (Ok(moved), Duration::ZERO);
    }
    let Some(found) = rules::find(&ingresses, &host, request.path()) else {
        return (Ok(page(404, "Not Found")), Duration::ZERO);
    };
    let addresses = addresses(cluster, found.namespace, found.backend);
    if addresses.is_empty() {
        return (Ok(page(503, "Service Temporarily Unavailable")), Duration::ZERO);
    }
    let drawn = usize::try_from(cluster.chance.below(addresses.len() as u64)).unwrap_or(0);
    let Some(to) = addresses.get(drawn).copied() else { return (Ok(page(502, "Bad Gateway")), Duration::ZERO) };
    let own = Caller { source: Source::Pod(pod.to_owned()), lead: caller.lead, depth: caller.depth + 1 };
    let (reached, spent) = super::connect(cluster, &own, to, CONNECT);
    let (outcome, took) = match reached {
        Ok(()) => exchange(cluster, &own, to, &handed_on(request), READ),
        Err(error) => (Err(error), Duration::ZERO),
    };
    let answer = outcome.unwrap_or_else(|error| match error {
        CallError::TimedOut => page(504, "Gateway Time-out"),
        _ => page(502, "Bad Gateway"),
    });
    (Ok(answer), spent + took)
}

/// nginx's own page.
fn page(status: u16, words: &str) -> Response {
    let title = format!("{status} {words}");
    let body = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n<hr><center>nginx</center>\r\n\
         </body>\r\n</html>\r\n"
    );
    let mut response = Response::text(status, body);
    response.headers.insert("content-type".to_owned(), "text/html".to_owned());
    response
}

fn handed_on(request: &Request) -> Request {
    let mut request = request.clone();
    let host = request.header("host").unwrap_or("").to_owned();
    for (name, value) in [("x-forwarded-host", host.as_str()), ("x-forwarded-proto", "http"), ("x-scheme", "http")] {
        request.headers.insert(name.to_owned(), value.to_owned());
    }
    request
}

/// By class, or by the older annotation; without either nobody's.
pub(crate) fn is_ours(cluster: &Cluster, ingress: &Value) -> bool {
    let named = text(ingress, "/spec/ingressClassName");
    if named.is_empty() {
        return text(ingress, OLD_CLASS) == "nginx";
    }
    let class = cluster.store.get(&kind::INGRESS_CLASS.key("", named));
    class.is_some_and(|class| text(class, "/spec/controller") == CONTROLLER)
}

/// Ready endpoints of a backend's Service.
fn addresses(cluster: &Cluster, space: &str, backend: &Value) -> Vec<SocketAddr> {
    let name = text(backend, "/service/name");
    let Some(service) = cluster.store.get(&kind::SERVICE.key(space, name)) else { return Vec::new() };
    let (wanted, by_name) = (number(backend, "/service/port/number"), text(backend, "/service/port/name"));
    let port = entries(service, "/spec/ports").iter().find(|port| match wanted {
        Some(wanted) => number(port, "/port") == Some(wanted),
        None => !by_name.is_empty() && text(port, "/name") == by_name,
    });
    port.map(|port| service::ready(cluster, service, port)).unwrap_or_default()
}
