//! The checks of level `baseline` (`pod-security-admission/policy/check_*.go`).

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    checks::Violation,
    spec::{Pod, containers, of, plural, quoted, quoted_set, setters, uses},
};
use crate::object::{entries, members, number, text, truth};

const APP_ARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";
const SECCOMP_POD: &str = "seccomp.security.alpha.kubernetes.io/pod";
const SECCOMP_CONTAINER: &str = "container.seccomp.security.alpha.kubernetes.io/";
const CAPABILITIES: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];
/// Kernel parameters that reach no further than the pod, with the version that knew them first.
const SYSCTLS: [(&str, u32); 12] = [
    ("kernel.shm_rmid_forced", 0),
    ("net.ipv4.ip_local_port_range", 0),
    ("net.ipv4.tcp_syncookies", 0),
    ("net.ipv4.ping_group_range", 0),
    ("net.ipv4.ip_unprivileged_port_start", 0),
    ("net.ipv4.ip_local_reserved_ports", 27),
    ("net.ipv4.tcp_keepalive_time", 29),
    ("net.ipv4.tcp_fin_timeout", 29),
    ("net.ipv4.tcp_keepalive_intvl", 29),
    ("net.ipv4.tcp_keepalive_probes", 29),
    ("net.ipv4.tcp_rmem", 32),
    ("net.ipv4.tcp_wmem", 32),
];
const SE_LINUX: [&str; 4] = ["", "container_t", "container_init_t", "container_kvm_t"];
const SE_LINUX_1_31: [&str; 5] = ["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"];

fn found(reason: &'static str, detail: String) -> Option<Violation> {
    Some(Violation { reason, detail })
}

/// A `type` in a security context's member that is none of the good ones: who sets it, and what it is.
pub(super) fn bad_types<'a>(pod: Pod<'a>, member: &str, good: &[&str]) -> (bool, Vec<&'a str>, BTreeSet<String>) {
    let mut values = BTreeSet::new();
    let mut is_bad = |value: Option<&Value>| {
        let Some(value) = value else { return false };
        let kind = text(value, "/type");
        let bad = !good.contains(&kind);
        if bad {
            values.insert(kind.to_owned());
        }
        bad
    };
    let pod_is_bad = is_bad(pod.own(member));
    let mut names = Vec::new();
    for container in pod.containers() {
        if is_bad(of(container, member)) {
            names.push(text(container, "/name"));
        }
    }
    (pod_is_bad, names, values)
}

pub fn app_armor(pod: Pod<'_>) -> Option<Violation> {
    let (pod_is_bad, names, values) = bad_types(pod, "appArmorProfile", &["RuntimeDefault", "Localhost"]);
    let mut list: Vec<String> = values.into_iter().collect();
    let mut annotations: Vec<_> = members(pod.metadata, "/annotations")
        .filter(|(key, _)| key.starts_with(APP_ARMOR))
        .filter_map(|(key, value)| Some((key, value.as_str()?)))
        .filter(|(_, value)| !value.is_empty() && *value != "runtime/default" && !value.starts_with("localhost/"))
        .map(|(key, value)| format!("{key}={value:?}"))
        .collect();
    annotations.sort();
    let mut who: Vec<_> = setters(pod_is_bad, &names).into_iter().collect();
    if !annotations.is_empty() {
        who.push(plural("annotation", annotations.len()));
    }
    if who.is_empty() {
        return None;
    }
    list.append(&mut annotations);
    let reason = if list.len() == 1 { "forbidden AppArmor profile" } else { "forbidden AppArmor profiles" };
    let list: Vec<&str> = list.iter().map(String::as_str).collect();
    found(reason, format!("{} must not set AppArmor profile type to {}", who.join(" and "), quoted(&list)))
}

pub fn capabilities(pod: Pod<'_>) -> Option<Violation> {
    let mut added = BTreeSet::new();
    let mut names = Vec::new();
    for container in pod.containers() {
        let bad: Vec<_> = entries(container, "/securityContext/capabilities/add")
            .iter()
            .filter_map(Value::as_str)
            .filter(|capability| !CAPABILITIES.contains(capability))
            .collect();
        if !bad.is_empty() {
            names.push(text(container, "/name"));
            added.extend(bad.into_iter().map(str::to_owned));
        }
    }
    if names.is_empty() {
        return None;
    }
    let list = quoted_set(&added);
    found(
        "non-default capabilities",
        format!("{} must not include {list} in securityContext.capabilities.add", containers(&names)),
    )
}

pub fn host_namespaces(pod: Pod<'_>) -> Option<Violation> {
    let shared: Vec<_> = ["hostNetwork", "hostPID", "hostIPC"]
        .into_iter()
        .filter(|name| truth(pod.spec, &format!("/{name}")))
        .map(|name| format!("{name}=true"))
        .collect();
    if shared.is_empty() { None } else { found("host namespaces", shared.join(", ")) }
}

pub fn host_paths(pod: Pod<'_>) -> Option<Violation> {
    let volumes = entries(pod.spec, "/volumes").iter();
    let names: Vec<_> =
        volumes.filter(|volume| volume["hostPath"].is_object()).map(|volume| text(volume, "/name")).collect();
    if names.is_empty() {
        return None;
    }
    found("hostPath volumes", format!("{} {}", plural("volume", names.len()), quoted(&names)))
}

pub fn host_ports(pod: Pod<'_>) -> Option<Violation> {
    let ports_of = |container: &Value| -> Vec<String> {
        let ports = entries(container, "/ports").iter().filter_map(|port| number(port, "/hostPort"));
        ports.filter(|port| *port != 0).map(|port| port.to_string()).collect()
    };
    let names = pod.containers_where(|container| !ports_of(container).is_empty());
    if names.is_empty() {
        return None;
    }
    let ports: BTreeSet<String> = pod.containers().flat_map(ports_of).collect();
    let list: Vec<_> = ports.iter().map(String::as_str).collect();
    let what = plural("hostPort", ports.len());
    found("hostPort", format!("{} {} {what} {}", containers(&names), uses(names.len()), list.join(", ")))
}

pub fn probe_hosts(pod: Pod<'_>) -> Option<Violation> {
    let places = ["livenessProbe", "readinessProbe", "startupProbe", "lifecycle/postStart", "lifecycle/preStop"];
    let hosts_of = |container: &Value| -> Vec<String> {
        let of = |place: &str, how: &str| text(container, &format!("/{place}/{how}/host")).to_owned();
        let all = places.iter().flat_map(|place| [of(place, "httpGet"), of(place, "tcpSocket")]);
        all.filter(|host| !host.is_empty()).collect()
    };
    let mut names = pod.containers_where(|container| !hosts_of(container).is_empty());
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        return None;
    }
    let hosts: BTreeSet<String> = pod.containers().flat_map(hosts_of).collect();
    let what = plural("probe or lifecycle host", hosts.len());
    found(
        "probe or lifecycle host",
        format!("{} {} {what} {}", containers(&names), uses(names.len()), quoted_set(&hosts)),
    )
}

pub fn privileged(pod: Pod<'_>) -> Option<Violation> {
    let names = pod.containers_where(|container| of(container, "privileged") == Some(&Value::Bool(true)));
    if names.is_empty() {
        return None;
    }
    found("privileged", format!("{} must not set securityContext.privileged=true", containers(&names)))
}

pub fn proc_mount(pod: Pod<'_>) -> Option<Violation> {
    let bad = |container: &Value| {
        of(container, "procMount").and_then(Value::as_str).filter(|kind| *kind != "Default").map(str::to_owned)
    };
    let names = pod.containers_where(|container| bad(container).is_some());
    if names.is_empty() {
        return None;
    }
    let kinds: BTreeSet<String> = pod.containers().filter_map(bad).collect();
    found(
        "procMount",
        format!("{} must not set securityContext.procMount to {}", containers(&names), quoted_set(&kinds)),
    )
}

pub fn proc_mount_1_35(pod: Pod<'_>) -> Option<Violation> {
    if pod.has_own_users() { None } else { proc_mount(pod) }
}

pub fn se_linux(pod: Pod<'_>) -> Option<Violation> {
    se_linux_of(pod, &SE_LINUX)
}

pub fn se_linux_1_31(pod: Pod<'_>) -> Option<Violation> {
    se_linux_of(pod, &SE_LINUX_1_31)
}

fn se_linux_of(pod: Pod<'_>, allowed: &[&str]) -> Option<Violation> {
    let (mut types, mut user, mut role) = (BTreeSet::new(), false, false);
    let mut is_bad = |options: Option<&Value>| {
        let Some(options) = options else { return false };
        let kind = text(options, "/type");
        let (own_user, own_role) = (!text(options, "/user").is_empty(), !text(options, "/role").is_empty());
        user |= own_user;
        role |= own_role;
        let bad_type = !allowed.contains(&kind);
        if bad_type {
            types.insert(kind.to_owned());
        }
        bad_type || own_user || own_role
    };
    let pod_is_bad = is_bad(pod.own("seLinuxOptions"));
    let mut names = Vec::new();
    for container in pod.containers() {
        if is_bad(of(container, "seLinuxOptions")) {
            names.push(text(container, "/name"));
        }
    }
    let who = setters(pod_is_bad, &names)?;
    let mut what = Vec::new();
    if !types.is_empty() {
        what.push(format!("{} {}", plural("type", types.len()), quoted_set(&types)));
    }
    if user {
        what.push("user may not be set".to_owned());
    }
    if role {
        what.push("role may not be set".to_owned());
    }
    found("seLinuxOptions", format!("{who} set forbidden securityContext.seLinuxOptions: {}", what.join("; ")))
}

/// Before there were fields for it, annotations said it.
pub fn seccomp_annotations(pod: Pod<'_>) -> Option<Violation> {
    let names = pod.containers().map(|container| format!("{SECCOMP_CONTAINER}{}", text(container, "/name")));
    let keys = std::iter::once(SECCOMP_POD.to_owned()).chain(names);
    let bad: BTreeSet<String> = keys
        .filter_map(|key| {
            let value = pod.metadata.pointer("/annotations")?.get(&key)?.as_str()?;
            let good = matches!(value, "runtime/default" | "docker/default") || value.starts_with("localhost/");
            (!good).then(|| format!("{key}={value:?}"))
        })
        .collect();
    if bad.is_empty() {
        return None;
    }
    let list: Vec<_> = bad.iter().map(String::as_str).collect();
    found("seccompProfile", format!("forbidden {} {}", plural("annotation", list.len()), list.join(", ")))
}

pub fn seccomp(pod: Pod<'_>) -> Option<Violation> {
    let (pod_is_bad, names, values) = bad_types(pod, "seccompProfile", &["RuntimeDefault", "Localhost"]);
    let who = setters(pod_is_bad, &names)?;
    let list = quoted_set(&values);
    found("seccompProfile", format!("{who} must not set securityContext.seccompProfile.type to {list}"))
}

pub fn sysctls(pod: Pod<'_>, minor: u32) -> Option<Violation> {
    let is_known = |name: &str| SYSCTLS.iter().any(|(known, since)| *known == name && *since <= minor);
    let set = entries(pod.spec, "/securityContext/sysctls").iter().map(|sysctl| text(sysctl, "/name"));
    let bad: Vec<_> = set.filter(|name| !is_known(name)).collect();
    if bad.is_empty() { None } else { found("forbidden sysctls", bad.join(", ")) }
}

pub fn host_process(pod: Pod<'_>) -> Option<Violation> {
    let set = |options: Option<&Value>| options.is_some_and(|options| truth(options, "/hostProcess"));
    let names = pod.containers_where(|container| set(of(container, "windowsOptions")));
    let who = setters(set(pod.own("windowsOptions")), &names)?;
    found("hostProcess", format!("{who} must not set securityContext.windowsOptions.hostProcess=true"))
}
