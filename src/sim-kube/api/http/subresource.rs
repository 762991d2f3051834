//! Parts of objects: status, scale, finalize, binding, eviction, token, log, exec, attach, port-forward.

use serde_json::{Value, json};

use super::{body, reply, resource::Call};
use crate::{
    Cluster, Kind, Status,
    access::{self, Attributes},
    api::{
        handle::ApiResponse,
        select::label::{self, written},
        stream::{AttachSpec, ExecSpec, StreamSpec},
        verbs::DeleteOptions,
        write::{Touch, Unknown},
    },
    kind::POD,
    object::{entries, number, set, text},
};

/// Answers a request for a part of an object.
pub(super) fn answer(
    cluster: &mut Cluster,
    call: &Call<'_>,
    name: &str,
    subresource: &str,
) -> Result<ApiResponse, Status> {
    let namespaced = !call.kind.namespaced || call.namespace.is_some();
    match (subresource, call.request.method.as_str()) {
        _ if !namespaced => Err(Status::no_such_resource()),
        ("proxy", _) => super::proxy::answer(call, name),
        ("status", "GET") => {
            let object = cluster.get(call.kind, call.namespace(), name)?;
            call.object(cluster, 200, &object, &[])
        }
        ("status", "PUT") => call.replace(cluster, name, Touch::Status),
        ("status", "PATCH") => call.patch(cluster, name, Touch::Status),
        ("finalize", "PUT") => call.replace(cluster, name, Touch::Finalize),
        ("ephemeralcontainers" | "resize" | "approval", "GET") => {
            let object = cluster.get(call.kind, call.namespace(), name)?;
            call.object(cluster, 200, &object, &[])
        }
        ("ephemeralcontainers", "PUT") => call.replace(cluster, name, Touch::EphemeralContainers),
        ("ephemeralcontainers", "PATCH") => call.patch(cluster, name, Touch::EphemeralContainers),
        ("resize", "PUT") => call.replace(cluster, name, Touch::Resize),
        ("resize", "PATCH") => call.patch(cluster, name, Touch::Resize),
        ("approval", "PUT") => call.replace(cluster, name, Touch::Approval),
        ("approval", "PATCH") => call.patch(cluster, name, Touch::Approval),
        ("token", "POST") => super::token::answer(cluster, call, name),
        ("scale", "GET") => {
            let object = cluster.get(call.kind, call.namespace(), name)?;
            reply_with(call, 200, scale_of(call.kind, &object))
        }
        ("scale", "PUT") => {
            let body = body::read(call.request, "Scale", "io.k8s.api.autoscaling.v1.Scale")?;
            scale(cluster, call, name, |scale| {
                *scale = body;
                Ok(())
            })
        }
        ("scale", "PATCH") => {
            let patch = call.patch_of("io.k8s.api.autoscaling.v1.Scale")?;
            scale(cluster, call, name, |scale| patch.apply(scale))
        }
        ("binding", "POST") => bind(cluster, call, name),
        ("eviction", "POST") => evict(cluster, call, name),
        ("log", "GET") => super::log::answer(cluster, call, name),
        ("exec" | "attach" | "portforward", "GET") => {
            may_create(cluster, call, name, subresource)?;
            stream(cluster, call, name, subresource)
        }
        ("exec" | "attach" | "portforward", "POST") => stream(cluster, call, name, subresource),
        _ => Err(Status::method_not_allowed()),
    }
}

/// A WebSocket begins with a GET; whoever may only get a pod's parts may not run anything in it all the same
/// (`AuthorizePodWebsocketUpgradeCreatePermission`, on since 1.35).
fn may_create(cluster: &mut Cluster, call: &Call<'_>, name: &str, subresource: &str) -> Result<(), Status> {
    let asked = Attributes {
        subresource: subresource.to_owned(),
        ..Attributes::resource("create", call.kind.group, call.kind.plural, call.namespace(), name)
    };
    let user = &call.request.user;
    let decision = access::authorize(cluster, user, &asked);
    if decision.is_allowed { Ok(()) } else { Err(access::forbidden(user, &asked, &decision.reason)) }
}

fn reply_with(call: &Call<'_>, status: u16, body: Value) -> Result<ApiResponse, Status> {
    Ok(ApiResponse::Reply(reply::value(call.request, call.accepted.form, status, body)))
}

/// Where the wanted number is.
fn spec_path(kind: &Kind) -> &str {
    kind.custom.and_then(|custom| custom.scale.as_ref()).map_or("/spec/replicas", |paths| &paths.spec)
}

/// The scale of a workload, or of a custom object.
fn scale_of(kind: &Kind, object: &Value) -> Value {
    let paths = kind.custom.and_then(|custom| custom.scale.as_ref());
    let mut metadata = json!({});
    for member in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        metadata[member] = object.pointer(&format!("/metadata/{member}")).cloned().unwrap_or_default();
    }
    let mut scale = json!({
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": metadata,
        "spec": {},
        "status": {"replicas": number(object, paths.map_or("/status/replicas", |paths| &paths.status)).unwrap_or(0)},
    });
    if let Some(replicas) = number(object, spec_path(kind)).filter(|replicas| *replicas != 0) {
        scale["spec"]["replicas"] = json!(replicas);
    }
    if let Some(paths) = paths {
        let selector = paths.selector.as_ref().map_or("", |path| text(object, path));
        if !selector.is_empty() {
            scale["status"]["selector"] = json!(selector);
        }
        return scale;
    }
    scale["status"]["selector"] = json!(written(&label::of(kind, object)));
    scale
}

fn scale(
    cluster: &mut Cluster,
    call: &Call<'_>,
    name: &str,
    edit: impl FnOnce(&mut Value) -> Result<(), Status>,
) -> Result<ApiResponse, Status> {
    let by = call.request.actor();
    let options = call.options(&by, Unknown::Ignore)?;
    let written = cluster.update_with(call.kind, call.namespace(), name, Touch::Scale, &options, |object| {
        let mut scale = scale_of(call.kind, object);
        edit(&mut scale)?;
        let replicas = match scale.pointer("/spec/replicas") {
            None | Some(Value::Null) => 0,
            Some(value) => value.as_i64().ok_or_else(|| {
                Status::bad_request(
                    "Scale in version \"v1\" cannot be handled as a Scale: json: cannot unmarshal string into Go struct field \
                     ScaleSpec.spec.replicas of type int32",
                )
            })?,
        };
        if replicas < 0 {
            let mut problems = crate::api::check::Problems::default();
            problems.not_negative(&crate::api::check::At::new("spec").child("replicas"), Some(replicas));
            return Err(crate::api::check::problem::invalid("autoscaling", "Scale", name, &problems.list));
        }
        let version = text(&scale, "/metadata/resourceVersion").to_owned();
        if !version.is_empty() {
            set(object, "/metadata/resourceVersion", Value::from(version));
        }
        set(object, spec_path(call.kind), json!(replicas));
        Ok(())
    })?;
    reply_with(call, 200, scale_of(call.kind, &written.object))
}

fn success(code: u16) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": code})
}

fn bind(cluster: &mut Cluster, call: &Call<'_>, name: &str) -> Result<ApiResponse, Status> {
    let binding = body::read(call.request, "Binding", "io.k8s.api.core.v1.Binding")?;
    let by = call.request.actor();
    let options = call.options(&by, Unknown::Warn)?;
    let node = text(&binding, "/target/name");
    if node.is_empty() {
        let mut problems = crate::api::check::Problems::default();
        problems.required(&crate::api::check::At::new("target").child("name"), "");
        return Err(crate::api::check::problem::invalid("", "Binding", name, &problems.list));
    }
    cluster.bind_with(call.namespace(), name, node, Some(text(&binding, "/metadata/uid")), &options)?;
    reply_with(call, 201, success(201))
}

/// An eviction is a deletion that disruption budgets may refuse.
fn evict(cluster: &mut Cluster, call: &Call<'_>, name: &str) -> Result<ApiResponse, Status> {
    let eviction = body::read(call.request, "Eviction", "io.k8s.api.policy.v1.Eviction")?;
    let own = text(&eviction, "/metadata/name");
    if !own.is_empty() && own != name {
        return Err(Status::bad_request("name in URL does not match name in Eviction object"));
    }
    let given = eviction.get("deleteOptions").cloned().unwrap_or_default();
    let some = |pointer: &str| Some(text(&given, pointer).to_owned()).filter(|value| !value.is_empty());
    let how = DeleteOptions {
        grace_seconds: number(&given, "/gracePeriodSeconds"),
        propagation: some("/propagationPolicy"),
        uid: some("/preconditions/uid"),
        resource_version: some("/preconditions/resourceVersion"),
        dry_run: call.dry_run()? || !entries(&given, "/dryRun").is_empty(),
    };
    let by = call.request.actor();
    let options = call.options(&by, Unknown::Warn)?;
    cluster.evict_with(call.namespace(), name, &how, &options)?;
    reply_with(call, 201, success(201))
}

fn stream(cluster: &Cluster, call: &Call<'_>, name: &str, subresource: &str) -> Result<ApiResponse, Status> {
    let pod = cluster.get(&POD, call.namespace(), name)?;
    let request = call.request;
    let (namespace, pod_name) = (call.namespace().to_owned(), name.to_owned());
    if subresource == "portforward" {
        let ports = request.query.iter().filter(|(key, _)| key == "ports");
        let ports = ports.flat_map(|(_, value)| value.split(',')).filter_map(|port| port.parse().ok()).collect();
        return Ok(ApiResponse::Stream(StreamSpec::PortForward { namespace, pod: pod_name, ports }));
    }
    let container = container(&pod, request.param("container").unwrap_or(""), name)?;
    if text(&pod, "/spec/nodeName").is_empty() {
        return Err(Status::bad_request(format!("pod {name} does not have a host assigned")));
    }
    let (stdin, stdout, stderr, tty) =
        (request.flag("stdin"), request.flag("stdout"), request.flag("stderr"), request.flag("tty"));
    if subresource == "attach" {
        let attach = AttachSpec { namespace, pod: pod_name, container, stdin, stdout, stderr, tty };
        return Ok(ApiResponse::Stream(StreamSpec::Attach(attach)));
    }
    if matches!(text(&pod, "/status/phase"), "Succeeded" | "Failed") {
        return Err(Status::bad_request(format!(
            "cannot exec into a container in a completed pod; current phase is {}",
            text(&pod, "/status/phase")
        )));
    }
    let command: Vec<String> =
        request.query.iter().filter(|(key, _)| key == "command").map(|(_, value)| value.clone()).collect();
    if command.is_empty() {
        return Err(Status::bad_request("you must specify at least 1 command for the container"));
    }
    let exec = ExecSpec { namespace, pod: pod_name, container, command, stdin, stdout, stderr, tty };
    Ok(ApiResponse::Stream(StreamSpec::Exec(exec)))
}

/// The container that is meant: the one named, or the only one.
pub(super) fn container(pod: &Value, asked: &str, name: &str) -> Result<String, Status> {
    let names = |list: &str| entries(pod, list).iter().map(|container| text(container, "/name")).collect::<Vec<_>>();
    let (main, init) = (names("/spec/containers"), names("/spec/initContainers"));
    if asked.is_empty() {
        return match main.as_slice() {
            // The only main container is meant, whatever stands beside it (pkg/registry/core/pod/strategy.go, validateContainer).
            [one] => Ok((*one).to_owned()),
            many => {
                let mut message =
                    format!("a container name must be specified for pod {name}, choose one of: [{}]", many.join(" "));
                if !init.is_empty() {
                    message.push_str(&format!(" or one of the init containers: [{}]", init.join(" ")));
                }
                Err(Status::bad_request(message))
            }
        };
    }
    let ephemeral = names("/spec/ephemeralContainers");
    if main.iter().chain(&init).chain(&ephemeral).any(|known| *known == asked) {
        Ok(asked.to_owned())
    } else {
        Err(Status::bad_request(format!("container {asked} is not valid for pod {name}")))
    }
}
