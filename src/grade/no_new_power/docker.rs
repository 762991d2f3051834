//! Rights of a container: those that lead out of it.

use std::collections::BTreeSet;

use breakfix_lab::lab::Exception;
use serde_json::Value;

use super::Power;
use crate::{object, unchanged::without};

pub(super) const KINDS: [&str; 2] = ["Container", "Volume"];

pub(super) fn scan(objects: &[(&'static str, &Value)], except: &[Exception]) -> BTreeSet<Power> {
    let mut powers = BTreeSet::new();
    for (kind, object) in objects {
        let name = object::name(object);
        if object::is_excepted(except, kind, name) {
            continue;
        }
        let object = without(object, kind, except);
        let found = if *kind == "Volume" { of_volume(&object) } else { of(&object) };
        powers.extend(found.into_iter().map(|what| Power { kind: (*kind).to_owned(), name: name.to_owned(), what }));
    }
    powers
}

/// A volume that is a path of the host under another name (driver `local`, `type=none,o=bind`).
fn of_volume(volume: &Value) -> Vec<String> {
    let option = |key: &str| object::text(volume, &["Options", key]).unwrap_or("");
    let is_bound = option("o").split(',').any(|it| it == "bind" || it == "rbind");
    is_bound.then(|| format!("is the host's path {}", option("device"))).into_iter().collect()
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
        } else if option.starts_with("seccomp") && !option.ends_with("builtin") {
            powers.push("runs under a seccomp profile of its own".to_owned());
        }
    }
    // `systempaths=unconfined` is written as two empty lists.
    for paths in ["MaskedPaths", "ReadonlyPaths"] {
        if object::at(container, &["HostConfig", paths]).and_then(Value::as_array).is_some_and(Vec::is_empty) {
            powers.push(format!("runs without a rail: no {paths}"));
        }
    }
    for rule in object::list(container, &["HostConfig", "DeviceCgroupRules"]).iter().filter_map(Value::as_str) {
        powers.push(format!("may use devices: {rule}"));
    }
    if !object::list(container, &["HostConfig", "DeviceRequests"]).is_empty() {
        powers.push("was given devices on request".to_owned());
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
