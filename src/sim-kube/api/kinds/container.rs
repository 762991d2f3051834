//! Containers.

use serde_json::Value;

use super::{
    defaults::{default, each},
    pod_spec::one_of,
    probe, resources,
};
use crate::{
    api::check::{At, Problems, name},
    object::{entries, number, set, text},
};

/// Fills in a container.
pub(super) fn defaults(container: &mut Value) {
    default(container, "/terminationMessagePath", "/dev/termination-log");
    default(container, "/terminationMessagePolicy", "File");
    let policy = if is_latest(text(container, "/image")) { "Always" } else { "IfNotPresent" };
    default(container, "/imagePullPolicy", policy);
    for port in each(container, "/ports") {
        default(port, "/protocol", "TCP");
    }
    for variable in each(container, "/env") {
        if variable.pointer("/valueFrom/fieldRef").is_some_and(Value::is_object) {
            default(variable, "/valueFrom/fieldRef/apiVersion", "v1");
        }
    }
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(found) = container.get_mut(name).filter(|found| found.is_object()) {
            probe::defaults(found);
        }
    }
    for hook in ["postStart", "preStop"] {
        if let Some(found) = container.pointer_mut(&format!("/lifecycle/{hook}")).filter(|found| found.is_object()) {
            probe::handler_defaults(found);
        }
    }
}

/// Whether an image reference means the tag `latest`.
fn is_latest(image: &str) -> bool {
    let (name, digest) = image.split_once('@').map_or((image, false), |(name, _)| (name, true));
    let last = name.rsplit('/').next().unwrap_or(name);
    match last.split_once(':') {
        Some((_, tag)) => tag == "latest",
        None => !digest,
    }
}

/// Checks a list of containers; `names` are those met so far in the pod.
pub(super) fn validate_all(
    spec: &Value,
    list: &str,
    volumes: &[String],
    names: &mut Vec<String>,
    at: &At,
    problems: &mut Problems,
) {
    let at = at.child(list);
    let containers = entries(spec, &format!("/{list}"));
    if list == "containers" && containers.is_empty() {
        problems.required(&at, "");
    }
    let mut host_ports = Vec::new();
    for (index, container) in containers.iter().enumerate() {
        let at = at.index(index);
        validate(container, volumes, &mut host_ports, &at, problems);
        let own = text(container, "/name");
        if names.iter().any(|name| name == own) {
            problems.duplicate(&at.child("name"), own);
        }
        names.push(own.to_owned());
        let sidecar = text(container, "/restartPolicy") == "Always";
        if list == "containers" || sidecar {
            hooks(container, &at, problems);
        } else {
            for member in ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] {
                if container.get(member).is_some_and(|value| !value.is_null()) {
                    let detail = if list == "ephemeralContainers" {
                        "cannot be set for an Ephemeral Container"
                    } else {
                        "may not be set for init containers without restartPolicy=Always"
                    };
                    problems.forbidden(&at.child(member), detail);
                }
            }
        }
    }
}

fn validate(
    container: &Value,
    volumes: &[String],
    host_ports: &mut Vec<(i64, String)>,
    at: &At,
    problems: &mut Problems,
) {
    let own = text(container, "/name");
    if own.is_empty() {
        problems.required(&at.child("name"), "");
    } else {
        for problem in name::label(own) {
            problems.invalid(&at.child("name"), own, problem);
        }
    }
    let image = text(container, "/image");
    if image.is_empty() {
        problems.required(&at.child("image"), "");
    } else if image.trim() != image {
        problems.invalid(&at.child("image"), image, "must not have leading or trailing whitespace");
    }
    one_of(container, "terminationMessagePolicy", &["FallbackToLogsOnError", "File"], at, problems);
    ports(container, host_ports, &at.child("ports"), problems);
    env(container, &at.child("env"), problems);
    env_from(container, &at.child("envFrom"), problems);
    mounts(container, volumes, &at.child("volumeMounts"), problems);
    one_of(container, "imagePullPolicy", &["Always", "IfNotPresent", "Never"], at, problems);
    resources::validate(container.get("resources"), &at.child("resources"), problems);
}

fn hooks(container: &Value, at: &At, problems: &mut Problems) {
    for hook in ["postStart", "preStop"] {
        if let Some(found) = container.pointer(&format!("/lifecycle/{hook}")).filter(|found| !found.is_null()) {
            probe::validate_handler(found, &at.child("lifecycle").child(hook), problems);
        }
    }
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(found) = container.get(name).filter(|found| !found.is_null()) {
            probe::validate(found, name, &at.child(name), problems);
        }
    }
}

fn ports(container: &Value, host_ports: &mut Vec<(i64, String)>, at: &At, problems: &mut Problems) {
    let ports = entries(container, "/ports");
    for (index, port) in ports.iter().enumerate() {
        let here = at.index(index);
        let own = text(port, "/name");
        if !own.is_empty() {
            let found = name::port_name(own);
            let fine = found.is_empty();
            for problem in found {
                problems.invalid(&here.child("name"), own, problem);
            }
            let before = ports.get(..index).unwrap_or(&[]);
            if fine && before.iter().any(|other| text(other, "/name") == own) {
                problems.duplicate(&here.child("name"), own);
            }
        }
        match number(port, "/containerPort").unwrap_or(0) {
            0 => problems.required(&here.child("containerPort"), ""),
            number => problems.port(&here.child("containerPort"), number),
        }
        let protocol = text(port, "/protocol");
        if let Some(host) = number(port, "/hostPort").filter(|host| *host != 0) {
            problems.port(&here.child("hostPort"), host);
            if host_ports.iter().any(|(other, same)| *other == host && same == protocol) {
                problems.duplicate(&here.child("hostPort"), format!("{host}/{protocol}"));
            }
            host_ports.push((host, protocol.to_owned()));
        }
        one_of(port, "protocol", &["SCTP", "TCP", "UDP"], &here, problems);
        let same = |other: &Value| {
            other.get("containerPort") == port.get("containerPort") && other.get("protocol") == port.get("protocol")
        };
        if let Some(first) = ports.iter().take(index).position(same) {
            problems.warn(format!("{here}: duplicate port definition with {}", at.index(first)));
        }
    }
}

fn env(container: &Value, at: &At, problems: &mut Problems) {
    for (index, variable) in entries(container, "/env").iter().enumerate() {
        let at = at.index(index);
        let own = text(variable, "/name");
        if own.is_empty() {
            problems.required(&at.child("name"), "");
        } else {
            for problem in name::env_var(own) {
                problems.invalid(&at.child("name"), own, problem);
            }
        }
        if let Some(source) = variable.get("valueFrom").filter(|source| !source.is_null()) {
            env_source(source, text(variable, "/value"), &at.child("valueFrom"), problems);
        }
    }
}

fn env_source(source: &Value, value: &str, at: &At, problems: &mut Problems) {
    let given: Vec<_> =
        source.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()).map(|(key, _)| key).collect();
    if given.is_empty() {
        let detail =
            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`";
        problems.invalid(at, "", detail);
    } else if !value.is_empty() {
        problems.invalid(at, "", "may not be specified when `value` is not empty");
    } else if given.len() > 1 {
        problems.invalid(at, "", "may not have more than one field specified at a time");
    }
    for reference in ["configMapKeyRef", "secretKeyRef"] {
        if let Some(found) = source.get(reference).filter(|found| !found.is_null()) {
            let at = at.child(reference);
            if text(found, "/name").is_empty() {
                problems.required(&at.child("name"), "");
            }
            let key = text(found, "/key");
            if key.is_empty() {
                problems.required(&at.child("key"), "");
            } else {
                for problem in name::config_map_key(key) {
                    problems.invalid(&at.child("key"), key, problem);
                }
            }
        }
    }
    if let Some(found) = source.get("fieldRef").filter(|found| !found.is_null()) {
        field_ref(text(found, "/fieldPath"), &at.child("fieldRef").child("fieldPath"), problems);
    }
}

/// The fields that an environment variable may hold.
fn field_ref(path: &str, at: &At, problems: &mut Problems) {
    const FIELDS: [&str; 8] = [
        "metadata.name",
        "metadata.namespace",
        "metadata.uid",
        "spec.nodeName",
        "spec.serviceAccountName",
        "status.hostIP",
        "status.hostIPs",
        "status.podIP",
    ];
    let keyed = ["metadata.annotations['", "metadata.labels['"]
        .iter()
        .any(|start| path.starts_with(start) && path.ends_with("']"));
    if path.is_empty() {
        problems.required(at, "");
    } else if !keyed && !FIELDS.contains(&path) && path != "status.podIPs" {
        let mut all = FIELDS.to_vec();
        all.push("status.podIPs");
        problems.not_supported(at, path, &all);
    }
}

fn env_from(container: &Value, at: &At, problems: &mut Problems) {
    for (index, source) in entries(container, "/envFrom").iter().enumerate() {
        let at = at.index(index);
        let mut given = 0;
        for reference in ["configMapRef", "secretRef"] {
            if let Some(found) = source.get(reference).filter(|found| !found.is_null()) {
                given += 1;
                if text(found, "/name").is_empty() {
                    problems.required(&at.child(reference).child("name"), "");
                }
            }
        }
        match given {
            0 => problems.invalid(&at, "", "must specify one of: `configMapRef` or `secretRef`"),
            1 => {}
            _ => problems.invalid(&at, "", "may not have more than one field specified at a time"),
        }
    }
}

fn mounts(container: &Value, volumes: &[String], at: &At, problems: &mut Problems) {
    let mounts = entries(container, "/volumeMounts");
    for (index, mount) in mounts.iter().enumerate() {
        let at = at.index(index);
        let own = text(mount, "/name");
        if own.is_empty() {
            problems.required(&at.child("name"), "");
        } else if !volumes.iter().any(|volume| volume == own) {
            problems.not_found(&at.child("name"), own);
        }
        let path = text(mount, "/mountPath");
        if path.is_empty() {
            problems.required(&at.child("mountPath"), "");
        }
        if mounts.iter().take(index).any(|other| text(other, "/mountPath") == path) {
            problems.invalid(&at.child("mountPath"), path, "must be unique");
        }
        let sub = text(mount, "/subPath");
        if sub.starts_with('/') {
            problems.invalid(&at.child("subPath"), sub, "must be a relative path");
        }
        if sub.split('/').any(|part| part == "..") {
            problems.invalid(&at.child("subPath"), sub, "must not contain '..'");
        }
    }
}

/// A limit without a request is a request too: in pods, not in templates.
pub(super) fn requests_from_limits(container: &mut Value) {
    let limits = container.pointer("/resources/limits").and_then(Value::as_object).cloned().unwrap_or_default();
    for (resource, limit) in limits {
        let path = format!("/resources/requests/{}", resource.replace('~', "~0").replace('/', "~1"));
        if container.pointer(&path).is_some() {
            continue;
        }
        if container.pointer("/resources/requests").is_none_or(|requests| !requests.is_object()) {
            set(container, "/resources/requests", Value::Object(serde_json::Map::new()));
        }
        if let Some(requests) = container.pointer_mut("/resources/requests").and_then(Value::as_object_mut) {
            requests.insert(resource, limit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_latest;

    #[test]
    fn only_a_missing_or_latest_tag_is_always_pulled() {
        for image in ["b", "registry.example:5000/shop/b", "b:latest", "registry.example/b:latest"] {
            assert!(is_latest(image), "{image}");
        }
        for image in ["lab/box:1", "b@sha256:abc", "registry.example:5000/b:1.2"] {
            assert!(!is_latest(image), "{image}");
        }
    }
}
