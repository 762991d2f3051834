//! Rights of a container: those that lead out of it.

use std::collections::BTreeSet;

use breakfix_lab::lab::Exception;
use serde_json::Value;

use super::Power;
use crate::{object, unchanged::without};

pub(super) const KINDS: [&str; 1] = ["Container"];

pub(super) fn scan(objects: &[(&'static str, &Value)], except: &[Exception]) -> BTreeSet<Power> {
    let mut powers = BTreeSet::new();
    for (kind, container) in objects {
        let name = object::name(container);
        if object::is_excepted(except, kind, name) {
            continue;
        }
        let container = without(container, kind, except);
        let found =
            of(&container).into_iter().map(|what| Power { kind: (*kind).to_owned(), name: name.to_owned(), what });
        powers.extend(found);
    }
    powers
}

/// What an engine under cgroup v1 gives to every container that asks for nothing (`--default-cgroupns-mode`).
pub(super) const HOST_CGROUPS: &str = "shares a namespace: CgroupnsMode is host";

fn of(container: &Value) -> Vec<String> {
    let mut powers = Vec::new();
    if object::flag(container, &["HostConfig", "Privileged"]) {
        powers.push("is privileged".to_owned());
    }
    for capability in object::list(container, &["HostConfig", "CapAdd"]).iter().filter_map(Value::as_str) {
        powers.push(format!("has the added capability {}", capability.trim_start_matches("CAP_")));
    }
    for mode in ["NetworkMode", "PidMode", "IpcMode", "UTSMode", "UsernsMode", "CgroupnsMode"] {
        let shared = object::text(container, &["HostConfig", mode]).unwrap_or("");
        if shared == "host" || shared.starts_with("container:") {
            powers.push(format!("shares a namespace: {mode} is {shared}"));
        }
    }
    for option in object::list(container, &["HostConfig", "SecurityOpt"]).iter().filter_map(Value::as_str) {
        if option.ends_with("unconfined") || option == "label=disable" || option == "label:disable" {
            powers.push(format!("runs without a rail: {option}"));
        }
    }
    for device in object::list(container, &["HostConfig", "Devices"]).iter() {
        powers.push(format!("has the device {}", object::text(device, &["PathOnHost"]).unwrap_or("")));
    }
    powers.extend(host_paths(container).into_iter().map(|path| match path.ends_with("docker.sock") {
        true => format!("holds the engine's socket {path}"),
        false => format!("has the host's path {path}"),
    }));
    powers
}

/// Paths of the host that the container sees, whether it has been started (`Mounts`) or not (`HostConfig`).
fn host_paths(container: &Value) -> BTreeSet<&str> {
    let mounted = object::list(container, &["Mounts"]).iter().filter(|it| object::text(it, &["Type"]) == Some("bind"));
    let asked = object::list(container, &["HostConfig", "Mounts"])
        .iter()
        .filter(|it| object::text(it, &["Type"]) == Some("bind"));
    let bound = object::list(container, &["HostConfig", "Binds"]).iter().filter_map(Value::as_str);
    mounted
        .chain(asked)
        .filter_map(|it| object::text(it, &["Source"]))
        .chain(bound.filter_map(|bind| bind.split(':').next()).filter(|source| source.starts_with('/')))
        .collect()
}
