//! Plugin `ResourceQuota`: what a namespace may hold in all (`apiserver/pkg/admission/plugin/resourcequota/controller.go`).

mod scope;
mod usage;

use std::collections::{BTreeMap, BTreeSet};

use breakfix_sim::Key;
use serde_json::Value;

use super::{Amounts, Attempt, refuse};
use crate::{
    Cluster, Kind, Status,
    api::verbs::{Actor, Part},
    kind::RESOURCE_QUOTA,
    object::{entries, members, name, set, text},
};

pub use scope::counts;
pub use usage::{is_over, of as usage_of};

/// What has to be given by every container as soon as a quota bounds it.
const REQUIRED: [&str; 6] = ["cpu", "limits.cpu", "limits.memory", "memory", "requests.cpu", "requests.memory"];

/// What an admitted object is to be put down for: the usage of each quota afterwards.
#[derive(Clone, Debug, Default)]
pub struct Charge(Vec<(Key, Amounts)>);

/// Whether the quotas of an object's namespace have room for it.
///
/// # Errors
/// 403 that names the quota and what is missing.
pub fn check(cluster: &Cluster, attempt: Attempt<'_>, object: &Value) -> Result<Charge, Status> {
    let mut charge = Charge::default();
    if !attempt.is_whole() || !attempt.kind.namespaced || !(attempt.is_create() || usage::may_grow(attempt.kind)) {
        return Ok(charge);
    }
    let mut quotas =
        cluster.store.list(RESOURCE_QUOTA.collection, Some(text(object, "/metadata/namespace"))).peekable();
    if quotas.peek().is_none() {
        return Ok(charge);
    }
    let mut wanted = usage_of(attempt.kind, object);
    if let Some(old) = attempt.old {
        wanted.subtract(&usage_of(attempt.kind, old));
    }
    for (key, quota) in quotas {
        let hard = Amounts::read(quota.pointer("/status/hard"));
        let used = Amounts::read(quota.pointer("/status/used"));
        let bounded: BTreeSet<&str> = hard.names().filter(|name| usage::is_of(attempt.kind, name)).collect();
        if bounded.is_empty() || !counts(quota, attempt.kind, object) {
            continue;
        }
        if attempt.kind.collection == "pods" {
            gives_all(object, &bounded)
                .map_err(|why| refuse(attempt, object, &format!("failed quota: {}: {why}", name(quota))))?;
        }
        let unknown: Vec<&str> = bounded.iter().filter(|name| used.get(name).is_none()).copied().collect();
        if !unknown.is_empty() {
            let why = format!("status unknown for quota: {}, resources: {}", name(quota), unknown.join(","));
            return Err(refuse(attempt, object, &why));
        }
        let asked = Amounts(wanted.0.iter().filter(|(name, _)| bounded.contains(name.as_str())).map(owned).collect());
        if asked.is_zero() {
            continue;
        }
        let mut after = used.clone();
        after.add(&asked);
        let exceeded: BTreeSet<&str> = asked
            .names()
            .filter(|name| after.get(name).partial_cmp(&hard.get(name)).is_some_and(std::cmp::Ordering::is_gt))
            .collect();
        if !exceeded.is_empty() {
            let only = |amounts: &Amounts| {
                Amounts(amounts.0.iter().filter(|(name, _)| exceeded.contains(name.as_str())).map(owned).collect())
                    .shown()
            };
            let why = format!(
                "exceeded quota: {}, requested: {}, used: {}, limited: {}",
                name(quota),
                only(&asked),
                only(&used),
                only(&hard)
            );
            return Err(refuse(attempt, object, &why));
        }
        charge.0.push((key.clone(), after));
    }
    Ok(charge)
}

fn owned<A: Clone, B: Clone>((key, value): (&A, &B)) -> (A, B) {
    (key.clone(), value.clone())
}

/// Every container gives what is bounded (`quota/v1/evaluator/core/pods.go`, `Constraints`).
fn gives_all(pod: &Value, bounded: &BTreeSet<&str>) -> Result<(), String> {
    // A pod that says it as a whole need not say it for each container (`podEvaluator.Constraints`, since 1.34).
    if ["requests", "limits"].into_iter().any(|side| members(pod, &format!("/spec/resources/{side}")).next().is_some())
    {
        return Ok(());
    }
    let mut missing: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for container in entries(pod, "/spec/containers").iter().chain(entries(pod, "/spec/initContainers")) {
        for required in REQUIRED.into_iter().filter(|required| bounded.contains(required)) {
            let (side, resource) = match required.split_once('.') {
                Some((side, resource)) => (side, resource),
                None => ("requests", required),
            };
            if container.pointer(&format!("/resources/{side}/{resource}")).is_none() {
                missing.entry(required).or_default().insert(text(container, "/name"));
            }
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let list: Vec<_> = missing
        .into_iter()
        .map(|(required, names)| format!("{required} for: {}", names.into_iter().collect::<Vec<_>>().join(",")))
        .collect();
    Err(format!("must specify {}", list.join("; ")))
}

/// Puts an object down that has got in.
pub fn charge(cluster: &mut Cluster, charge: Charge) {
    let by = Actor { user: "system:apiserver".to_owned(), manager: "kube-apiserver".to_owned() };
    for (key, used) in charge.0 {
        let edit = |quota: &mut Value| set(quota, "/status/used", used.object());
        // Whoever has removed the quota meanwhile does not want it counted.
        let _ = cluster.update(&RESOURCE_QUOTA, &key.namespace, &key.name, Part::Status, &by, edit);
    }
}

/// What a quota's status is to say: its bounds, and what there is (`pkg/controller/resourcequota`).
pub fn status(cluster: &Cluster, quota: &Value) -> Value {
    let hard = Amounts::read(quota.pointer("/spec/hard"));
    let namespace = text(quota, "/metadata/namespace");
    let mut used = Amounts::default();
    for bound in hard.names() {
        used.put(bound, crate::api::quantity::Quantity::of_units(0));
    }
    let kinds =
        crate::kind::KINDS.iter().filter(|kind| kind.namespaced && hard.names().any(|name| usage::is_of(kind, name)));
    let mut seen = BTreeSet::new();
    let kinds: Vec<&'static Kind> = kinds.copied().filter(|kind| seen.insert(kind.collection)).collect();
    for kind in kinds {
        for object in cluster.list(kind, Some(namespace)).filter(|object| counts(quota, kind, object)) {
            used.add(&usage_of(kind, object));
        }
    }
    used.0.retain(|name, _| hard.get(name).is_some());
    serde_json::json!({"hard": hard.object(), "used": used.object()})
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_container_that_says_nothing_is_named() {
        let pod = json!({"spec": {"containers": [
            {"name": "web"}, {"name": "side", "resources": {"requests": {"cpu": "1"}, "limits": {"memory": "1Gi"}}}]}});
        let bounded = BTreeSet::from(["limits.memory", "pods", "requests.cpu"]);
        assert_eq!(
            gives_all(&pod, &bounded),
            Err("must specify limits.memory for: web; requests.cpu for: web".to_owned())
        );
        assert_eq!(
            gives_all(&pod, &BTreeSet::from(["limits.cpu"])),
            Err("must specify limits.cpu for: side,web".to_owned())
        );
        assert_eq!(gives_all(&pod, &BTreeSet::from(["pods"])), Ok(()));
        let mut whole = pod.clone();
        whole["spec"]["resources"] = json!({"limits": {"cpu": "1"}});
        assert_eq!(gives_all(&whole, &bounded), Ok(()));
    }
}
