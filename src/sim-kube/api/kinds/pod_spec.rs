//! A pod's spec, in a pod or in a template (`pkg/apis/core/v1/defaults.go`, `ValidatePodSpec`).

use serde_json::{Value, json};

use super::{
    container,
    defaults::{default, each},
    volume,
};
use crate::{
    api::check::{At, Problems, label, name},
    object::{entries, number, text},
};

/// The lists of containers, with what they hold.
pub(super) const CONTAINERS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

/// Fills in a pod's spec.
pub(super) fn defaults(spec: &mut Value) {
    default(spec, "/dnsPolicy", "ClusterFirst");
    default(spec, "/restartPolicy", "Always");
    default(spec, "/schedulerName", "default-scheduler");
    default(spec, "/terminationGracePeriodSeconds", 30);
    // A negative grace is taken for the shortest one (`SetDefaults_PodSpec` and the registry's strategy: "-1" was once possible).
    if number(spec, "/terminationGracePeriodSeconds").is_some_and(|grace| grace < 0) {
        crate::object::set(spec, "/terminationGracePeriodSeconds", Value::from(1));
    }
    default(spec, "/securityContext", json!({}));
    let host_network = crate::object::truth(spec, "/hostNetwork");
    for list in CONTAINERS {
        for container in each(spec, &format!("/{list}")) {
            container::defaults(container);
            if host_network {
                for port in each(container, "/ports") {
                    let number = port.get("containerPort").cloned().unwrap_or_default();
                    default(port, "/hostPort", number);
                }
            }
        }
    }
    for volume in each(spec, "/volumes") {
        volume::defaults(volume);
    }
    let account = text(spec, "/serviceAccountName").to_owned();
    let old_name = text(spec, "/serviceAccount").to_owned();
    if account.is_empty() && !old_name.is_empty() {
        crate::object::set(spec, "/serviceAccountName", Value::from(old_name));
    } else if !account.is_empty() {
        crate::object::set(spec, "/serviceAccount", Value::from(account));
    }
}

/// Checks a pod's spec.
pub(super) fn validate(spec: &Value, at: &At, problems: &mut Problems) {
    let volumes = volume::validate(spec, &at.child("volumes"), problems);
    let mut names = Vec::new();
    container::validate_all(spec, "containers", &volumes, &mut names, at, problems);
    container::validate_all(spec, "initContainers", &volumes, &mut names, at, problems);
    container::validate_all(spec, "ephemeralContainers", &volumes, &mut names, at, problems);
    one_of(spec, "restartPolicy", &["Always", "Never", "OnFailure"], at, problems);
    one_of(spec, "dnsPolicy", &["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"], at, problems);
    label::labels(spec.get("nodeSelector"), &at.child("nodeSelector"), problems);
    for (member, rule) in
        [("serviceAccountName", name::subdomain as fn(&str) -> Vec<String>), ("nodeName", name::subdomain)]
    {
        let value = text(spec, &format!("/{member}"));
        if !value.is_empty() {
            for problem in rule(value) {
                problems.invalid(&at.child(member), value, problem);
            }
        }
    }
    for member in ["hostname", "subdomain"] {
        let value = text(spec, &format!("/{member}"));
        if !value.is_empty() {
            for problem in name::label(value) {
                problems.invalid(&at.child(member), value, problem);
            }
        }
    }
    if let Some(deadline) = number(spec, "/activeDeadlineSeconds").filter(|deadline| *deadline < 1) {
        let detail = "must be between 1 and 2147483647, inclusive";
        problems.invalid(&at.child("activeDeadlineSeconds"), deadline, detail);
    }
    if text(spec, "/dnsPolicy") == "None" && spec.get("dnsConfig").is_none_or(Value::is_null) {
        problems.required(&at.child("dnsConfig"), "must provide `dnsConfig` when `dnsPolicy` is None");
    }
    users(spec, at, problems);
    tolerations(spec, &at.child("tolerations"), problems);
    affinity(spec, &at.child("affinity"), problems);
    spread(spec, &at.child("topologySpreadConstraints"), problems);
}

/// Numbers of users and groups, and ports of a pod on its node's own network (`ValidatePodSecurityContext`, `ValidateSecurityContext`,
/// `checkHostPortConflicts`; words read off a 1.36 server).
fn users(spec: &Value, at: &At, problems: &mut Problems) {
    let mut numbers = |context: Option<&Value>, at: &At, members: &[&str]| {
        for member in members {
            let given = context.and_then(|it| number(it, &format!("/{member}")));
            if let Some(given) = given.filter(|given| !(0..=2_147_483_647).contains(given)) {
                problems.invalid(&at.child(member), given, "must be between 0 and 2147483647, inclusive");
            }
        }
    };
    let own = at.child("securityContext");
    numbers(spec.get("securityContext"), &own, &["fsGroup", "runAsUser", "runAsGroup"]);
    for list in CONTAINERS {
        for (index, container) in entries(spec, &format!("/{list}")).iter().enumerate() {
            let at = at.child(list).index(index);
            numbers(container.get("securityContext"), &at.child("securityContext"), &["runAsUser", "runAsGroup"]);
        }
    }
    if !crate::object::truth(spec, "/hostNetwork") {
        return;
    }
    for list in CONTAINERS {
        for (index, container) in entries(spec, &format!("/{list}")).iter().enumerate() {
            for (port, value) in entries(container, "/ports").iter().enumerate() {
                let (host, own) = (number(value, "/hostPort").unwrap_or(0), number(value, "/containerPort"));
                if own != Some(host) {
                    let at = at.child(list).index(index).child("ports").index(port).child("hostPort");
                    problems.invalid(&at, host, "must match `containerPort` when `hostNetwork` is true");
                }
            }
        }
    }
}

/// A text that must be one of these, if it is there.
pub(super) fn one_of(object: &Value, member: &str, allowed: &[&str], at: &At, problems: &mut Problems) {
    let value = text(object, &format!("/{member}"));
    if !value.is_empty() && !allowed.contains(&value) {
        problems.not_supported(&at.child(member), value, allowed);
    }
}

fn tolerations(spec: &Value, at: &At, problems: &mut Problems) {
    for (index, toleration) in entries(spec, "/tolerations").iter().enumerate() {
        let at = at.index(index);
        let (key, value) = (text(toleration, "/key"), text(toleration, "/value"));
        let (operator, effect) = (text(toleration, "/operator"), text(toleration, "/effect"));
        if key.is_empty() {
            if operator != "Exists" {
                problems.invalid(
                    &at.child("operator"),
                    operator,
                    "operator must be Exists when `key` is empty, which means \"match all values and all keys\"",
                );
            }
        } else {
            for problem in label::qualified_name(key) {
                problems.invalid(&at.child("key"), key, problem);
            }
        }
        if toleration.get("tolerationSeconds").is_some_and(|value| !value.is_null()) && effect != "NoExecute" {
            problems.invalid(&at.child("effect"), effect, "effect must be 'NoExecute' when `tolerationSeconds` is set");
        }
        match operator {
            "" | "Equal" => {
                for problem in label::label_value(value) {
                    problems.invalid(&at.child("operator"), value, problem);
                }
            }
            "Exists" if !value.is_empty() => {
                let detail = "value must be empty when `operator` is 'Exists'";
                problems.invalid(&at.child("operator"), toleration.clone(), detail);
            }
            "Exists" => {}
            other => problems.not_supported(&at.child("operator"), other, &["Equal", "Exists"]),
        }
        one_of(toleration, "effect", &["NoSchedule", "PreferNoSchedule", "NoExecute"], &at, problems);
    }
}

fn affinity(spec: &Value, at: &At, problems: &mut Problems) {
    let node = at.child("nodeAffinity");
    let required = "requiredDuringSchedulingIgnoredDuringExecution";
    if let Some(selector) = spec.pointer(&format!("/affinity/nodeAffinity/{required}")).filter(|value| !value.is_null())
    {
        let at = node.child(required).child("nodeSelectorTerms");
        let terms = entries(selector, "/nodeSelectorTerms");
        if terms.is_empty() {
            problems.required(&at, "must have at least one node selector term");
        }
        for (index, term) in terms.iter().enumerate() {
            node_term(term, &at.index(index), problems);
        }
    }
    for side in ["podAffinity", "podAntiAffinity"] {
        let at = at.child(side);
        for (index, term) in entries(spec, &format!("/affinity/{side}/{required}")).iter().enumerate() {
            pod_term(term, &at.child(required).index(index), problems);
        }
        let preferred = "preferredDuringSchedulingIgnoredDuringExecution";
        for (index, weighted) in entries(spec, &format!("/affinity/{side}/{preferred}")).iter().enumerate() {
            let at = at.child(preferred).index(index);
            let weight = number(weighted, "/weight").unwrap_or(0);
            if !(1..=100).contains(&weight) {
                problems.invalid(&at.child("weight"), weight, "must be in the range 1-100");
            }
            if let Some(term) = weighted.get("podAffinityTerm") {
                pod_term(term, &at.child("podAffinityTerm"), problems);
            }
        }
    }
}

fn node_term(term: &Value, at: &At, problems: &mut Problems) {
    for (index, expression) in entries(term, "/matchExpressions").iter().enumerate() {
        let at = at.child("matchExpressions").index(index);
        let values = entries(expression, "/values").len();
        match text(expression, "/operator") {
            "In" | "NotIn" if values == 0 => {
                problems.required(&at.child("values"), "must be specified when `operator` is 'In' or 'NotIn'");
            }
            "Exists" | "DoesNotExist" if values > 0 => {
                let detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
                problems.forbidden(&at.child("values"), detail);
            }
            "Gt" | "Lt" if values != 1 => {
                let detail = "must be specified single value when `operator` is 'Lt' or 'Gt'";
                problems.required(&at.child("values"), detail);
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt" => {}
            other => problems.invalid(&at.child("operator"), other, "not a valid selector operator"),
        }
        let key = text(expression, "/key");
        for problem in label::qualified_name(key) {
            problems.invalid(&at.child("key"), key, problem);
        }
    }
}

fn pod_term(term: &Value, at: &At, problems: &mut Problems) {
    label::selector(term.get("labelSelector"), &at.child("labelSelector"), problems);
    let key = text(term, "/topologyKey");
    if key.is_empty() {
        problems.required(&at.child("topologyKey"), "can not be empty");
        return;
    }
    for problem in label::qualified_name(key) {
        problems.invalid(&at.child("topologyKey"), key, problem);
    }
}

fn spread(spec: &Value, at: &At, problems: &mut Problems) {
    for (index, constraint) in entries(spec, "/topologySpreadConstraints").iter().enumerate() {
        let at = at.index(index);
        let skew = number(constraint, "/maxSkew").unwrap_or(0);
        if skew <= 0 {
            problems.invalid(&at.child("maxSkew"), skew, "must be greater than zero");
        }
        if text(constraint, "/topologyKey").is_empty() {
            problems.required(&at.child("topologyKey"), "can not be empty");
        }
        let unsatisfiable = text(constraint, "/whenUnsatisfiable");
        let allowed = ["DoNotSchedule", "ScheduleAnyway"];
        if !allowed.contains(&unsatisfiable) {
            problems.not_supported(&at.child("whenUnsatisfiable"), unsatisfiable, &allowed);
        }
        label::selector(constraint.get("labelSelector"), &at.child("labelSelector"), problems);
    }
}
