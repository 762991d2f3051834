//! Every check with the versions at which it changed, and which of them a demand runs (`pod-security-admission/policy`).

use super::{
    baseline,
    policy::{Demand, Level, Version},
    restricted,
    spec::Pod,
};

/// The version of the policy that `latest` stands for: this server's.
const SERVER: u32 = 36;

/// What a check has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// In as few words as possible: `privileged`, `host namespaces`.
    pub reason: &'static str,
    /// Who breaks it and how; may be empty.
    pub detail: String,
}

/// A check as of a version.
struct Check {
    id: &'static str,
    level: Level,
    /// The first minor version that has it in this form.
    since: u32,
    /// A check of the level below that need not be run beside this one.
    instead_of: &'static str,
    run: fn(Pod<'_>) -> Option<Violation>,
}

const fn row(level: Level, id: &'static str, since: u32, run: fn(Pod<'_>) -> Option<Violation>) -> Check {
    Check { id, level, since, instead_of: "", run }
}

const fn instead(id: &'static str, since: u32, of: &'static str, run: fn(Pod<'_>) -> Option<Violation>) -> Check {
    Check { instead_of: of, ..row(Level::Restricted, id, since, run) }
}

/// By level, then by name, as their findings are listed.
const CHECKS: &[Check] = &[
    row(Level::Baseline, "appArmorProfile", 0, baseline::app_armor),
    row(Level::Baseline, "capabilities_baseline", 0, baseline::capabilities),
    row(Level::Baseline, "hostNamespaces", 0, baseline::host_namespaces),
    row(Level::Baseline, "hostPathVolumes", 0, baseline::host_paths),
    row(Level::Baseline, "hostPorts", 0, baseline::host_ports),
    row(Level::Baseline, "hostProbesAndHostLifecycle", 34, baseline::probe_hosts),
    row(Level::Baseline, "privileged", 0, baseline::privileged),
    row(Level::Baseline, "procMount", 0, baseline::proc_mount),
    row(Level::Baseline, "procMount", 35, baseline::proc_mount_1_35),
    row(Level::Baseline, "seLinuxOptions", 0, baseline::se_linux),
    row(Level::Baseline, "seLinuxOptions", 31, baseline::se_linux_1_31),
    row(Level::Baseline, "seccompProfile_baseline", 0, baseline::seccomp_annotations),
    row(Level::Baseline, "seccompProfile_baseline", 19, baseline::seccomp),
    row(Level::Baseline, "sysctls", 0, |pod| baseline::sysctls(pod, 0)),
    row(Level::Baseline, "sysctls", 27, |pod| baseline::sysctls(pod, 27)),
    row(Level::Baseline, "sysctls", 29, |pod| baseline::sysctls(pod, 29)),
    row(Level::Baseline, "sysctls", 32, |pod| baseline::sysctls(pod, 32)),
    row(Level::Baseline, "windowsHostProcess", 0, baseline::host_process),
    row(Level::Restricted, "allowPrivilegeEscalation", 8, restricted::escalation),
    row(Level::Restricted, "allowPrivilegeEscalation", 25, |pod| unless_windows(pod, restricted::escalation)),
    instead("capabilities_restricted", 22, "capabilities_baseline", restricted::capabilities),
    instead("capabilities_restricted", 25, "capabilities_baseline", |pod| {
        unless_windows(pod, restricted::capabilities)
    }),
    instead("procMount_restricted", 35, "procMount", baseline::proc_mount),
    instead("restrictedVolumes", 0, "hostPathVolumes", restricted::volumes),
    row(Level::Restricted, "runAsNonRoot", 0, restricted::non_root),
    row(Level::Restricted, "runAsNonRoot", 35, |pod| unless_own_users(pod, restricted::non_root)),
    row(Level::Restricted, "runAsUser", 23, restricted::run_as_user),
    row(Level::Restricted, "runAsUser", 35, |pod| unless_own_users(pod, restricted::run_as_user)),
    instead("seccompProfile_restricted", 19, "seccompProfile_baseline", restricted::seccomp),
    instead("seccompProfile_restricted", 25, "seccompProfile_baseline", |pod| unless_windows(pod, restricted::seccomp)),
];

fn unless_windows(pod: Pod<'_>, check: fn(Pod<'_>) -> Option<Violation>) -> Option<Violation> {
    if pod.is_windows() { None } else { check(pod) }
}

fn unless_own_users(pod: Pod<'_>, check: fn(Pod<'_>) -> Option<Violation>) -> Option<Violation> {
    if pod.has_own_users() { None } else { check(pod) }
}

/// Everything that a pod breaks of a demand.
pub fn evaluate(demand: Demand, pod: Pod<'_>) -> Vec<Violation> {
    if demand.level == Level::Privileged {
        return Vec::new();
    }
    let minor = match demand.version {
        Version::Minor(minor) => minor.min(SERVER),
        Version::Latest => SERVER,
    };
    let current = |check: &&Check| {
        let newer = |other: &Check| other.id == check.id && other.since > check.since && other.since <= minor;
        check.level <= demand.level && check.since <= minor && !CHECKS.iter().any(newer)
    };
    let chosen: Vec<&Check> = CHECKS.iter().filter(current).collect();
    let is_replaced = |check: &Check| chosen.iter().any(|other| other.instead_of == check.id);
    chosen.iter().filter(|check| !is_replaced(check)).filter_map(|check| (check.run)(pod)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn broken(level: Level, version: Version, spec: Value) -> Vec<String> {
        let metadata = json!({});
        let found = evaluate(Demand { level, version }, Pod { metadata: &metadata, spec: &spec });
        found.into_iter().map(|violation| format!("{} ({})", violation.reason, violation.detail)).collect()
    }

    #[test]
    fn a_plain_container_breaks_four_rules_of_the_strictest_policy() {
        let spec = json!({"containers": [{"name": "web", "image": "x"}]});
        assert_eq!(
            broken(Level::Restricted, Version::Latest, spec.clone()),
            [
                "allowPrivilegeEscalation != false (container \"web\" must set securityContext.allowPrivilegeEscalation=false)",
                "unrestricted capabilities (container \"web\" must set securityContext.capabilities.drop=[\"ALL\"])",
                "runAsNonRoot != true (pod or container \"web\" must set securityContext.runAsNonRoot=true)",
                "seccompProfile (pod or container \"web\" must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \
                 \"Localhost\")",
            ]
        );
        assert!(broken(Level::Baseline, Version::Latest, spec.clone()).is_empty());
        assert_eq!(broken(Level::Restricted, Version::Minor(18), spec.clone()).len(), 2, "older policies ask for less");
        assert_eq!(broken(Level::Restricted, Version::Minor(99), spec).len(), 4, "the future is not known yet");
    }

    #[test]
    fn a_careful_pod_breaks_nothing() {
        let spec = json!({
            "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [{"name": "web", "securityContext": {
                "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}}}],
            "volumes": [{"name": "a", "emptyDir": {}}, {"name": "b", "projected": {}}],
        });
        assert!(broken(Level::Restricted, Version::Latest, spec).is_empty());
    }

    #[test]
    fn what_reaches_for_the_node_breaks_the_baseline() {
        let spec = json!({
            "hostNetwork": true, "hostPID": true,
            "containers": [
                {"name": "a", "securityContext": {"privileged": true, "capabilities": {"add": ["NET_ADMIN", "CHOWN"]}}},
                {"name": "b", "ports": [{"hostPort": 80}, {"hostPort": 443}]},
            ],
            "volumes": [{"name": "root", "hostPath": {"path": "/"}}],
        });
        assert_eq!(
            broken(Level::Baseline, Version::Latest, spec.clone()),
            [
                "non-default capabilities (container \"a\" must not include \"NET_ADMIN\" in securityContext.capabilities.add)",
                "host namespaces (hostNetwork=true, hostPID=true)",
                "hostPath volumes (volume \"root\")",
                "hostPort (container \"b\" uses hostPorts 443, 80)",
                "privileged (container \"a\" must not set securityContext.privileged=true)",
            ]
        );
        let strict = broken(Level::Restricted, Version::Latest, spec);
        assert!(
            strict.iter().any(
                |line| line == "restricted volume types (volume \"root\" uses restricted volume type \"hostPath\")"
            )
        );
        assert!(!strict.iter().any(|line| line.starts_with("hostPath volumes")), "said once");
    }

    #[test]
    fn root_is_named_with_whoever_asks_for_it() {
        let spec = json!({
            "securityContext": {"runAsUser": 0, "runAsNonRoot": false},
            "containers": [{"name": "a", "securityContext": {"runAsUser": 0, "runAsNonRoot": false}}, {"name": "b"}],
        });
        let found = broken(Level::Restricted, Version::Latest, spec);
        assert!(
            found.contains(&"runAsUser=0 (pod and container \"a\" must not set runAsUser=0)".to_owned()),
            "{found:?}"
        );
        let wanted = "runAsNonRoot != true (pod and container \"a\" must not set securityContext.runAsNonRoot=false)";
        assert!(found.contains(&wanted.to_owned()), "{found:?}");
    }

    #[test]
    fn the_table_is_in_the_order_of_findings() {
        let keys: Vec<_> = CHECKS.iter().map(|check| (check.level, check.id, check.since)).collect();
        assert!(keys.is_sorted(), "{keys:?}");
    }
}
