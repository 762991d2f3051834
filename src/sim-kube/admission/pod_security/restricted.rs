//! The checks of level `restricted` (`pod-security-admission/policy/check_*.go`).

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    baseline::bad_types,
    checks::Violation,
    spec::{Pod, containers, of, plural, quoted, quoted_set, setters, uses},
};
use crate::object::{entries, text};

const VOLUMES: [&str; 9] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

fn found(reason: &'static str, detail: String) -> Option<Violation> {
    Some(Violation { reason, detail })
}

pub fn escalation(pod: Pod<'_>) -> Option<Violation> {
    let names =
        pod.containers_where(|container| of(container, "allowPrivilegeEscalation") != Some(&Value::Bool(false)));
    if names.is_empty() {
        return None;
    }
    found(
        "allowPrivilegeEscalation != false",
        format!("{} must set securityContext.allowPrivilegeEscalation=false", containers(&names)),
    )
}

pub fn capabilities(pod: Pod<'_>) -> Option<Violation> {
    let drops_all = |container: &Value| {
        entries(container, "/securityContext/capabilities/drop").iter().any(|capability| capability == "ALL")
    };
    let added = |container: &Value| -> Vec<String> {
        let added = entries(container, "/securityContext/capabilities/add").iter().filter_map(Value::as_str);
        added.filter(|capability| *capability != "NET_BIND_SERVICE").map(str::to_owned).collect()
    };
    let missing = pod.containers_where(|container| !drops_all(container));
    let adding = pod.containers_where(|container| !added(container).is_empty());
    let mut details = Vec::new();
    if !missing.is_empty() {
        details.push(format!("{} must set securityContext.capabilities.drop=[\"ALL\"]", containers(&missing)));
    }
    if !adding.is_empty() {
        let all: BTreeSet<String> = pod.containers().flat_map(added).collect();
        let list = quoted_set(&all);
        details.push(format!("{} must not include {list} in securityContext.capabilities.add", containers(&adding)));
    }
    if details.is_empty() { None } else { found("unrestricted capabilities", details.join("; ")) }
}

pub fn volumes(pod: Pod<'_>) -> Option<Violation> {
    let (mut names, mut kinds) = (Vec::new(), BTreeSet::new());
    for volume in entries(pod.spec, "/volumes") {
        let source = volume.as_object().into_iter().flatten().find(|(key, value)| *key != "name" && !value.is_null());
        let source = source.map_or("unknown", |(key, _)| key.as_str());
        if !VOLUMES.contains(&source) {
            names.push(text(volume, "/name"));
            kinds.insert(source.to_owned());
        }
    }
    if names.is_empty() {
        return None;
    }
    let (volumes, what) = (plural("volume", names.len()), plural("restricted volume type", kinds.len()));
    found(
        "restricted volume types",
        format!("{volumes} {} {} {what} {}", quoted(&names), uses(names.len()), quoted_set(&kinds)),
    )
}

pub fn non_root(pod: Pod<'_>) -> Option<Violation> {
    const REASON: &str = "runAsNonRoot != true";
    let no = Some(&Value::Bool(false));
    let own = pod.own("runAsNonRoot");
    let explicit = pod.containers_where(|container| of(container, "runAsNonRoot") == no);
    if let Some(who) = setters(own == no, &explicit) {
        return found(REASON, format!("{who} must not set securityContext.runAsNonRoot=false"));
    }
    let implicit = pod.containers_where(|container| of(container, "runAsNonRoot").is_none());
    if implicit.is_empty() || own == Some(&Value::Bool(true)) {
        return None;
    }
    found(REASON, format!("pod or {} must set securityContext.runAsNonRoot=true", containers(&implicit)))
}

pub fn run_as_user(pod: Pod<'_>) -> Option<Violation> {
    let is_root = |user: Option<&Value>| user.and_then(Value::as_i64) == Some(0);
    let names = pod.containers_where(|container| is_root(of(container, "runAsUser")));
    let who = setters(is_root(pod.own("runAsUser")), &names)?;
    found("runAsUser=0", format!("{who} must not set runAsUser=0"))
}

pub fn seccomp(pod: Pod<'_>) -> Option<Violation> {
    const REASON: &str = "seccompProfile";
    let (pod_is_bad, names, values) = bad_types(pod, "seccompProfile", &["RuntimeDefault", "Localhost"]);
    if let Some(who) = setters(pod_is_bad, &names) {
        let list = quoted_set(&values);
        return found(REASON, format!("{who} must not set securityContext.seccompProfile.type to {list}"));
    }
    let implicit = pod.containers_where(|container| of(container, "seccompProfile").is_none());
    if implicit.is_empty() || pod.own("seccompProfile").is_some() {
        return None;
    }
    let who = containers(&implicit);
    found(
        REASON,
        format!("pod or {who} must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\""),
    )
}
