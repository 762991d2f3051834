//! Webhooks (`apiserver/pkg/admission/plugin/webhook`): who is called, and what a call that fails says.
//!
//! No program of the simulator answers reviews: a call always fails, for one of the reasons for which it fails on a real server.

use serde_json::{Value, json};

use super::{conditions, matching, review::Review};
use crate::{
    Cluster, Kind, Status,
    kind::{ENDPOINT_SLICE, MUTATING_WEBHOOK_CONFIGURATION, SERVICE, VALIDATING_WEBHOOK_CONFIGURATION},
    object::{entries, number, text},
};

/// Calls the webhooks that may change the object.
///
/// # Errors
/// A refusal in the API's words.
pub fn mutate(cluster: &Cluster, review: &Review<'_>) -> Result<(), Status> {
    call_all(cluster, &MUTATING_WEBHOOK_CONFIGURATION, review)
}

/// Calls the webhooks that may refuse it.
///
/// # Errors
/// A refusal in the API's words.
pub fn validate(cluster: &Cluster, review: &Review<'_>) -> Result<(), Status> {
    call_all(cluster, &VALIDATING_WEBHOOK_CONFIGURATION, review)
}

fn call_all(cluster: &Cluster, kind: &'static Kind, review: &Review<'_>) -> Result<(), Status> {
    if matching::is_exempt(review) {
        return Ok(());
    }
    for configuration in cluster.list(kind, None) {
        for webhook in entries(configuration, "/webhooks") {
            if !matching::fits(cluster, webhook, "/rules", "", review) {
                continue;
            }
            let name = text(webhook, "/name");
            let why = match conditions::hold(cluster, webhook, review) {
                Ok(false) => continue,
                Ok(true) => format!("failed to call webhook: {}", post(cluster, webhook)),
                Err(trouble) => trouble,
            };
            if text(webhook, "/failurePolicy") != "Ignore" {
                return Err(failed(&format!("failed calling webhook {name:?}: {why}")));
            }
        }
    }
    Ok(())
}

fn failed(message: &str) -> Status {
    Status { details: json!({"causes": [{"message": message}]}), ..Status::internal(message) }
}

/// Why a call fails, as Go's HTTP client says it.
fn post(cluster: &Cluster, webhook: &Value) -> String {
    let seconds = number(webhook, "/timeoutSeconds").unwrap_or(10);
    let config = webhook.get("clientConfig").unwrap_or(&Value::Null);
    let (url, why) = match config.get("service").filter(|service| !service.is_null()) {
        Some(service) => {
            let (name, namespace) = (text(service, "/name"), text(service, "/namespace"));
            let port = number(service, "/port").unwrap_or(443);
            let url = format!("https://{name}.{namespace}.svc:{port}{}", text(service, "/path"));
            (url, of_service(cluster, namespace, name, port))
        }
        None => {
            let url = text(config, "/url");
            (url.to_owned(), of_url(url))
        }
    };
    let and = if url.contains('?') { '&' } else { '?' };
    format!("Post \"{url}{and}timeout={seconds}s\": {why}")
}

/// Why a Service does not answer a review (`apiserver/pkg/util/proxy`, `ResolveCluster`).
fn of_service(cluster: &Cluster, namespace: &str, name: &str, port: i64) -> String {
    let Ok(service) = cluster.get(&SERVICE, namespace, name) else { return format!("service {name:?} not found") };
    let address = text(&service, "/spec/clusterIP");
    if text(&service, "/spec/type") == "ExternalName" {
        return no_host(text(&service, "/spec/externalName"));
    }
    if address == "None" {
        return "cannot route to service with ClusterIP \"None\"".to_owned();
    }
    if !entries(&service, "/spec/ports").iter().any(|given| number(given, "/port") == Some(port)) {
        return format!("no service port {port} found for service {name:?}");
    }
    let is_answered = cluster.list(&ENDPOINT_SLICE, Some(namespace)).any(|slice| {
        let own = slice.pointer("/metadata/labels").and_then(|labels| labels.get("kubernetes.io/service-name"));
        own.is_some_and(|own| own == name)
            && entries(slice, "/endpoints")
                .iter()
                .any(|endpoint| endpoint.pointer("/conditions/ready").and_then(Value::as_bool) != Some(false))
    });
    if is_answered {
        // The programs of this cluster speak plain HTTP, and wait for the end of what they take for a request's head.
        return "context deadline exceeded".to_owned();
    }
    refused(address, port)
}

/// Why an address outside does not answer: the cluster has no way out.
fn of_url(url: &str) -> String {
    let rest = url.trim_start_matches("https://");
    let host = rest.split(['/', '?']).next().unwrap_or(rest);
    let (host, port) = match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, port.parse().unwrap_or(443)),
        _ => (host, 443),
    };
    let address = host.trim_start_matches('[').trim_end_matches(']');
    match address.parse::<std::net::IpAddr>() {
        Ok(ip) if ip.is_loopback() => refused(host, port),
        Ok(_) => "context deadline exceeded".to_owned(),
        Err(_) if host == "localhost" => refused("127.0.0.1", port),
        Err(_) => no_host(host),
    }
}

fn refused(address: &str, port: i64) -> String {
    format!("dial tcp {address}:{port}: connect: connection refused")
}

fn no_host(host: &str) -> String {
    format!("dial tcp: lookup {host}: no such host")
}
