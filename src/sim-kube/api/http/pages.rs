//! Pages that are no objects: discovery, version, health, schemas.

use serde_json::{Value, json};

use super::{discovery, media, reply, route::Page};
use crate::{
    Cluster, Status,
    access::API_AUDIENCE,
    api::{
        handle::{ApiRequest, Content, Reply},
        openapi,
    },
    custom,
};

/// The version that is simulated. What stands after `+` says that it is a simulation.
pub const VERSION: &str = "v1.36.2+breakfix.sim";

/// Answers a GET of a page.
pub fn answer(cluster: &Cluster, request: &ApiRequest, page: &Page) -> Reply {
    if request.method != "GET" && request.method != "HEAD" {
        return reply::refusal(request, &Status::method_not_allowed());
    }
    let json = |body: Value| reply::json(request, 200, "application/json", body);
    match page {
        Page::Group(group) | Page::GroupVersion(group, _) if crate::metrics::is_absent(cluster, group) => {
            reply::not_found()
        }
        Page::Root => json(json!({"paths": paths(cluster)})),
        Page::Version => json(version()),
        Page::Health(path) => health(request, path),
        Page::Api | Page::Apis => {
            let core = *page == Page::Api;
            match media::aggregated_discovery(request) {
                Some(version) => {
                    let content =
                        format!("application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList");
                    reply::json(request, 200, &content, discovery::aggregated(cluster, core, version))
                }
                None if core => json(json!({
                    "kind": "APIVersions",
                    "versions": ["v1"],
                    "serverAddressByClientCIDRs": [],
                })),
                None => json(discovery::groups(cluster)),
            }
        }
        Page::Group(group) => json(discovery::group(cluster, group, true)),
        Page::GroupVersion(group, version) => json(discovery::resources(cluster, group, version)),
        Page::OpenApiIndex => {
            let mut answer = json(openapi::index(cluster));
            // A real server says text/plain here.
            "text/plain; charset=utf-8".clone_into(&mut answer.content_type);
            answer
        }
        Page::OpenApi(name) => schemas(cluster, request, name),
        Page::OpenApiV2 => old_schemas(request),
        Page::Issuer => cached(request, "application/json", issuer()),
        Page::KeySet => cached(request, "application/jwk-set+json", cluster.access.key_set().unwrap_or_default()),
    }
}

/// A page that may be kept for an hour.
fn cached(request: &ApiRequest, content: &str, body: Value) -> Reply {
    let mut answer = reply::json(request, 200, content, body);
    answer.headers.push(("cache-control", "public, max-age=3600".to_owned()));
    answer
}

/// OpenID Connect discovery, as `pkg/serviceaccount/openidmetadata.go` writes it.
fn issuer() -> Value {
    json!({
        "issuer": API_AUDIENCE,
        "jwks_uri": "https://172.31.0.2:6443/openid/v1/jwks",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    })
}

/// A group's schemas. Asked for by its hash it never changes, and clients keep it.
fn schemas(cluster: &Cluster, request: &ApiRequest, name: &str) -> Reply {
    let Some((text, hash)) = openapi::document(cluster, name) else { return reply::not_found() };
    let mut headers = vec![("etag", format!("\"{hash}\""))];
    if request.param("hash") == Some(&*hash) {
        headers.push(("cache-control", "public, max-age=31536000, immutable".to_owned()));
        headers.push(("vary", "Accept".to_owned()));
    }
    let content_type = "application/json".to_owned();
    Reply { status: 200, content_type, headers, body: Content::Bytes(text.into_owned().into_bytes()) }
}

/// OpenAPI v2, without a single definition. `kubectl` asks for it where v3 knows nothing of a kind, and goes on to say that there is no
/// such kind.
fn old_schemas(request: &ApiRequest) -> Reply {
    const PROTOBUF: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
    if request.header("accept").contains("proto-openapi") {
        // swagger: "2.0"; info: {title: "Kubernetes", version: "v1.36"}
        let body = b"\x0a\x032.0\x12\x13\x0a\x0aKubernetes\x12\x05v1.36".to_vec();
        return Reply {
            status: 200,
            content_type: PROTOBUF.to_owned(),
            headers: Vec::new(),
            body: Content::Bytes(body),
        };
    }
    let info = json!({"title": "Kubernetes", "version": VERSION});
    let body = json!({"swagger": "2.0", "info": info, "paths": {}, "definitions": {}});
    reply::json(request, 200, "application/json", body)
}

fn version() -> Value {
    json!({
        "major": "1",
        "minor": "36",
        "emulationMajor": "1",
        "emulationMinor": "36",
        "minCompatibilityMajor": "1",
        "minCompatibilityMinor": "35",
        "gitVersion": VERSION,
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "2026-07-10T00:00:00Z",
        "goVersion": "",
        "compiler": "rustc",
        "platform": "linux/amd64",
    })
}

fn paths(cluster: &Cluster) -> Vec<String> {
    let mut paths: Vec<String> = [
        "/.well-known/openid-configuration",
        "/api",
        "/api/v1",
        "/apis",
        "/healthz",
        "/livez",
        "/openapi/v3",
        "/readyz",
        "/version",
    ]
    .into_iter()
    .map(str::to_owned)
    .collect();
    for (group, version) in custom::groups(cluster).into_iter().filter(|(group, _)| !group.is_empty()) {
        paths.extend([format!("/apis/{group}"), format!("/apis/{group}/{version}")]);
    }
    paths.sort();
    paths.dedup();
    paths
}

/// Nothing in here can be ill on its own: what answers is alive.
fn health(request: &ApiRequest, path: &str) -> Reply {
    let which = path.split('/').next().unwrap_or(path);
    if path != which && !["ping", "etcd"].iter().any(|check| path == format!("{which}/{check}")) {
        return reply::not_found();
    }
    if request.query.iter().any(|(key, _)| key == "verbose") {
        return reply::text(200, &format!("[+]ping ok\n[+]etcd ok\n{which} check passed\n"));
    }
    reply::text(200, "ok")
}
