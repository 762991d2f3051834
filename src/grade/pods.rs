//! Pods: which of them are Ready, which are ours, and to which workload they belong.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::object;

/// The label that the probe's pods and containers carry.
pub const ROLE_LABEL: &str = "breakfix.dev/role";
/// Its value on a probe.
pub const PROBE_ROLE: &str = "probe";
/// The readiness gate that keeps a probe pod out of every Service: nobody ever sets it.
pub const NEVER_AN_ENDPOINT: &str = "breakfix.dev/never-an-endpoint";

/// Condition Ready, and not on its way out: the kubelet keeps a deleted pod Ready until its containers end.
pub(crate) fn is_ready(pod: &Value) -> bool {
    !object::is_going(pod)
        && object::condition(pod, "Ready").and_then(|it| object::text(it, &["status"])) == Some("True")
}

/// A probe pod of ours. The label alone would let any pod hide behind it, so the gate must be there too: such a pod never is Ready.
pub(crate) fn is_our_probe(pod: &Value) -> bool {
    object::label(pod, ROLE_LABEL) == Some(PROBE_ROLE)
        && object::list(pod, &["spec", "readinessGates"])
            .iter()
            .any(|gate| object::text(gate, &["conditionType"]) == Some(NEVER_AN_ENDPOINT))
}

/// No process of it runs any more.
pub(crate) fn is_finished(pod: &Value) -> bool {
    matches!(object::text(pod, &["status", "phase"]), Some("Succeeded" | "Failed"))
}

/// Every address of the pod, one a family.
pub(crate) fn addresses(pod: &Value) -> Vec<&str> {
    let many = object::list(pod, &["status", "podIPs"]).iter().filter_map(|it| object::text(it, &["ip"]));
    many.chain(object::text(pod, &["status", "podIP"])).collect()
}

/// The kinds between a workload and its pods.
pub(crate) fn between(owner_kind: &str) -> &'static [&'static str] {
    match owner_kind {
        "Deployment" => &["ReplicaSet"],
        "CronJob" => &["Job"],
        _ => &[],
    }
}

/// Who controls whom, by uid.
#[derive(Debug, Default)]
pub(crate) struct Chains<'a> {
    controllers: BTreeMap<&'a str, &'a str>,
}

impl<'a> Chains<'a> {
    pub(crate) fn of(objects: impl IntoIterator<Item = &'a Value>) -> Self {
        let step =
            |object: &'a Value| Some((object::uid(object)?, object::text(object::controller(object)?, &["uid"])?));
        Self { controllers: objects.into_iter().filter_map(step).collect() }
    }

    /// Whether the object is `owner`, or is controlled by it through any number of steps.
    pub(crate) fn leads_to(&self, object: &'a Value, owner_uid: &str) -> bool {
        let Some(mut uid) = object::uid(object) else { return false };
        if uid == owner_uid {
            return true;
        }
        let mut above = object::controller(object).and_then(|it| object::text(it, &["uid"]));
        // References are data and may form a ring; no real chain is longer than the number of its links.
        for _ in 0..=self.controllers.len() {
            match above {
                Some(next) if next == owner_uid => return true,
                Some(next) if next != uid => uid = next,
                _ => return false,
            }
            above = self.controllers.get(uid).copied();
        }
        false
    }
}
