//! The metrics API (`metrics.k8s.io`): what nodes and pods use, worked out when it is asked for. It can be read and nothing else.

use serde_json::{Value, json};

use super::{
    collection,
    media::{Accepted, View},
    reply,
    route::Target,
};
use crate::{
    Cluster, Kind, Status,
    api::{
        handle::{ApiRequest, ApiResponse},
        select::Selectors,
        table,
    },
    kind, metrics,
    object::text,
};

/// Answers a request for readings.
pub(super) fn answer(
    cluster: &Cluster,
    request: &ApiRequest,
    target: &Target,
    kind: &'static Kind,
    accepted: Accepted,
) -> Result<ApiResponse, Status> {
    if request.method != "GET" || request.flag("watch") {
        return Err(Status::method_not_allowed());
    }
    let readings = metrics::read(cluster, kind, target.namespace.as_deref());
    let Some(name) = &target.name else {
        let param = |key| request.param(key).unwrap_or("");
        let selectors = Selectors::parse(kind, param("labelSelector"), param("fieldSelector"))?;
        let items: Vec<Value> = readings.into_iter().filter(|reading| selectors.matches(reading)).collect();
        let body = match accepted.view {
            View::Table(version) => {
                collection::as_table(cluster, kind, version, collection::include(request)?, json!({}), &items)
            }
            View::Whole => {
                json!({"kind": format!("{}List", kind.kind), "apiVersion": kind.api_version(), "metadata": {}, "items": items})
            }
            View::Metadata(version) => {
                let items: Vec<_> = items.iter().map(|item| table::metadata_only(item, version)).collect();
                json!({"kind": "PartialObjectMetadataList", "apiVersion": version, "metadata": {}, "items": items})
            }
        };
        return Ok(ApiResponse::Reply(reply::value(request, accepted.form, 200, body)));
    };
    let found = readings.into_iter().find(|reading| text(reading, "/metadata/name") == name);
    let reading = found.ok_or_else(|| missing(cluster, kind, target.namespace.as_deref().unwrap_or(""), name))?;
    let body = match accepted.view {
        View::Whole => reading,
        View::Metadata(version) => table::metadata_only(&reading, version),
        View::Table(version) => {
            let include = collection::include(request)?;
            collection::as_table(cluster, kind, version, include, json!({}), std::slice::from_ref(&reading))
        }
    };
    Ok(ApiResponse::Reply(reply::value(request, accepted.form, 200, body)))
}

/// No such node or pod, or nothing known of it yet (`metrics-server/pkg/api`).
fn missing(cluster: &Cluster, kind: &Kind, namespace: &str, name: &str) -> Status {
    let (of, readings) = match kind.namespaced {
        true => (&kind::POD, "podmetrics"),
        false => (&kind::NODE, "nodemetrics"),
    };
    let full = if namespace.is_empty() { name.to_owned() } else { format!("{namespace}/{name}") };
    if cluster.get(of, namespace, name).is_err() {
        return Status::not_found(of, &full);
    }
    let details = json!({"name": full, "group": kind.group, "kind": readings});
    Status { details, ..Status::new(404, "NotFound", format!("{readings}.{} {full:?} not found", kind.group)) }
}
