//! Podman's answers in Docker's words, where the two say the same thing differently.
//!
//! Read off Podman 4.3.1 and 5.8.6 (`/containers/ID/json` by their Docker-compatible API), beside Docker Engine 28 for the same container.

use serde_json::{Map, Value};

/// The settings of every container that Podman makes, which nobody asked for: variables by their beginnings.
const OWN_VARIABLES: [&str; 4] = ["container=", "HOSTNAME=", "HOME=/", "TERM=xterm"];
/// What Podman calls the network that is `bridge` on Docker.
const DEFAULT_NETWORK: &str = "podman";

/// Puts the inspection of a container into Docker's words.
pub(super) fn translated(container: &mut Value) {
    let mode = text(container, "/HostConfig/NetworkMode").to_owned();
    if let Some(networks) = container.pointer_mut("/NetworkSettings/Networks").and_then(Value::as_object_mut) {
        // Whoever shares a namespace is on no network of its own.
        if mode.starts_with("container:") {
            networks.clear();
        }
        if let Some(default) = networks.remove(DEFAULT_NETWORK) {
            networks.insert("bridge".to_owned(), default);
        }
        // Docker says there which network was asked for first.
        if mode == "bridge" && !networks.is_empty() && !networks.contains_key("bridge") {
            let first = networks.keys().next().cloned().unwrap_or_default();
            put(container, "HostConfig", "NetworkMode", first.into());
        }
    }
    // Ports that are exposed and not published.
    if let Some(bindings) = container.pointer_mut("/HostConfig/PortBindings").and_then(Value::as_object_mut) {
        bindings.retain(|_, binding| !binding.is_null());
    }
    let entrypoint = container.pointer("/Config/Entrypoint");
    if entrypoint.is_some_and(|it| it.as_array().is_some_and(Vec::is_empty) || it.as_str() == Some("")) {
        put(container, "Config", "Entrypoint", Value::Null);
    }
    let host_name = text(container, "/Config/Hostname").to_owned();
    if let Some(env) = container.pointer_mut("/Config/Env").and_then(Value::as_array_mut) {
        let is_own = |line: &str| match line.strip_prefix("HOSTNAME=") {
            Some(name) => name == host_name,
            None => OWN_VARIABLES.iter().any(|own| match own.strip_suffix('=') {
                Some(_) => line.starts_with(own),
                None => line == *own || line == "HOME=/root",
            }),
        };
        env.retain(|line| !line.as_str().is_some_and(is_own));
    }
    if container.pointer("/Config/StopTimeout") == Some(&Value::from(0))
        && let Some(config) = container.get_mut("Config").and_then(Value::as_object_mut)
    {
        config.remove("StopTimeout");
    }
    if text(container, "/Config/StopSignal") == "15" {
        put(container, "Config", "StopSignal", "SIGTERM".into());
    }
    if container.pointer("/State/Health/Log") == Some(&Value::Null)
        && let Some(health) = container.pointer_mut("/State/Health").and_then(Value::as_object_mut)
    {
        health.insert("Log".to_owned(), Value::Array(Vec::new()));
    }
}

/// A create body as Podman has to be told it: without a limit of processes it takes one of its own, where Docker takes none.
pub(super) fn asked(body: &Value) -> Value {
    let mut body = body.clone();
    if body.pointer("/HostConfig/PidsLimit").is_none_or(Value::is_null) {
        put(&mut body, "HostConfig", "PidsLimit", 0.into());
    }
    body
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn put(value: &mut Value, part: &str, member: &str, new: Value) {
    if let Some(value) = value.as_object_mut() {
        let part = value.entry(part).or_insert_with(|| Value::Object(Map::new()));
        if let Some(part) = part.as_object_mut() {
            part.insert(member.to_owned(), new);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(mut container: Value) -> Value {
        translated(&mut container);
        container
    }

    #[test]
    fn networks_have_dockers_names() {
        let named =
            said(json!({"HostConfig": {"NetworkMode": "bridge"}, "NetworkSettings": {"Networks": {"shop": {}}}}));
        assert_eq!(named["HostConfig"]["NetworkMode"], "shop");
        let plain = said(
            json!({"HostConfig": {"NetworkMode": "bridge"}, "NetworkSettings": {"Networks": {"podman": {"IPAddress": "10.88.0.2"}}}}),
        );
        assert_eq!(plain["HostConfig"]["NetworkMode"], "bridge");
        assert_eq!(plain["NetworkSettings"]["Networks"], json!({"bridge": {"IPAddress": "10.88.0.2"}}));
        let sharer =
            said(json!({"HostConfig": {"NetworkMode": "container:x"}, "NetworkSettings": {"Networks": {"shop": {}}}}));
        assert_eq!(sharer["NetworkSettings"]["Networks"], json!({}));
        assert_eq!(sharer["HostConfig"]["NetworkMode"], "container:x");
    }

    #[test]
    fn what_nobody_asked_for_is_left_out() {
        let container = said(json!({
            "HostConfig": {"PortBindings": {"8080/tcp": null, "80/tcp": [{"HostPort": "1"}]}},
            "Config": {
                "Hostname": "0a1b", "Entrypoint": [], "StopTimeout": 0, "StopSignal": "15",
                "Env": ["PATH=/bin", "HOSTNAME=0a1b", "container=podman", "HOME=/", "TERM=xterm", "HOMEPAGE=x", "TITLE=web"],
            },
            "State": {"Health": {"Status": "starting", "Log": null}},
        }));
        assert_eq!(container["HostConfig"]["PortBindings"], json!({"80/tcp": [{"HostPort": "1"}]}));
        let config = json!({"Hostname": "0a1b", "Entrypoint": null, "StopSignal": "SIGTERM", "Env": ["PATH=/bin", "HOMEPAGE=x", "TITLE=web"]});
        assert_eq!(container["Config"], config);
        assert_eq!(container["State"]["Health"]["Log"], json!([]));
    }

    #[test]
    fn what_somebody_asked_for_stays() {
        let config = json!({"Hostname": "web", "StopTimeout": 5, "StopSignal": "SIGINT", "Env": ["HOSTNAME=other", "HOME=/srv"], "Entrypoint": ["/x"]});
        assert_eq!(said(json!({"Config": config.clone()})), json!({"Config": config}));
        assert_eq!(said(json!({})), json!({}));
    }

    #[test]
    fn no_limit_is_said() {
        assert_eq!(asked(&json!({"Image": "x"})), json!({"Image": "x", "HostConfig": {"PidsLimit": 0}}));
        let limited = json!({"HostConfig": {"PidsLimit": 40}});
        assert_eq!(asked(&limited), limited);
    }
}
