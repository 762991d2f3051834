//! What a pod's spec says of its containers.

use std::time::Duration;

use serde_json::Value;

use crate::{
    api::quantity::Quantity,
    object::{entries, number, text},
};

/// What kind of container it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Runs to its end before the others start.
    Init,
    /// An init container that goes on running: `restartPolicy: Always`.
    Sidecar,
    Main,
    Ephemeral,
}

/// Every container with its role, in the order in which they start.
pub fn containers(pod: &Value) -> impl Iterator<Item = (Role, &Value)> {
    let init = entries(pod, "/spec/initContainers").iter().map(|container| {
        let role = if text(container, "/restartPolicy") == "Always" { Role::Sidecar } else { Role::Init };
        (role, container)
    });
    let main = entries(pod, "/spec/containers").iter().map(|container| (Role::Main, container));
    let ephemeral = entries(pod, "/spec/ephemeralContainers").iter().map(|container| (Role::Ephemeral, container));
    init.chain(main).chain(ephemeral)
}

/// A container by name.
pub fn container<'a>(pod: &'a Value, name: &str) -> Option<&'a Value> {
    containers(pod).find(|(_, container)| text(container, "/name") == name).map(|(_, container)| container)
}

pub fn role(pod: &Value, name: &str) -> Option<Role> {
    containers(pod).find(|(_, container)| text(container, "/name") == name).map(|(role, _)| role)
}

/// Where events about a container point: `spec.containers{web}`.
pub fn field_path(pod: &Value, name: &str) -> String {
    let list = match role(pod, name) {
        Some(Role::Init | Role::Sidecar) => "initContainers",
        Some(Role::Ephemeral) => "ephemeralContainers",
        _ => "containers",
    };
    format!("spec.{list}{{{name}}}")
}

/// The restart policy that a container gives itself, which counts before the pod's (`ContainerRestartRules`).
fn own_policy<'a>(pod: &'a Value, name: &str) -> Option<&'a str> {
    container(pod, name).map(|container| text(container, "/restartPolicy")).filter(|policy| !policy.is_empty())
}

/// The restart policy that counts for a container: the pod's, or its own.
pub fn restart_policy<'a>(pod: &'a Value, name: &str) -> &'a str {
    match role(pod, name) {
        Some(Role::Sidecar) => "Always",
        Some(Role::Ephemeral) => "Never",
        _ if own_policy(pod, name).is_some() => own_policy(pod, name).unwrap_or("Always"),
        _ => match text(pod, "/spec/restartPolicy") {
            "" => "Always",
            policy => policy,
        },
    }
}

/// Whether a container that ended with this code is started again.
pub fn is_restarted(pod: &Value, name: &str, code: i32) -> bool {
    match restart_policy(pod, name) {
        "Always" => role(pod, name) != Some(Role::Init) || code != 0,
        "OnFailure" => code != 0,
        _ => false,
    }
}

/// The memory limit in bytes: the container's, or the pod's.
pub fn memory_limit(pod: &Value, name: &str) -> Option<u64> {
    let read = |value: &Value| value.pointer("/resources/limits/memory").map(amount).and_then(|limit| limit.ok());
    container(pod, name).and_then(read).or_else(|| pod.get("spec").and_then(read)).filter(|limit| *limit > 0)
}

/// The share of a processor that the container may use, in thousandths.
pub fn cpu_limit(pod: &Value, name: &str) -> Option<u64> {
    let limit = container(pod, name)?.pointer("/resources/limits/cpu")?;
    let limit = limit.as_str().map(str::to_owned).unwrap_or_else(|| limit.to_string());
    u64::try_from(Quantity::parse(&limit).ok()?.milli()).ok().filter(|limit| *limit > 0)
}

fn amount(value: &Value) -> Result<u64, ()> {
    let text = value.as_str().map(str::to_owned).unwrap_or_else(|| value.to_string());
    Quantity::parse(&text).map_err(drop).and_then(|amount| u64::try_from(amount.units()).map_err(drop))
}

/// The time a pod has to stop.
pub fn grace(pod: &Value) -> Duration {
    let seconds = number(pod, "/metadata/deletionGracePeriodSeconds")
        .or_else(|| number(pod, "/spec/terminationGracePeriodSeconds"))
        .unwrap_or(30);
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}
