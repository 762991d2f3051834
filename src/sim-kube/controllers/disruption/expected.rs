//! How many pods a budget expects, and how many of them must be healthy (`getExpectedPodCount`).

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;

use crate::{
    Cluster,
    controllers::amounts::scaled,
    kind,
    object::{controller, name, namespace, number, text, uid},
};

/// What a budget expects.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Expected {
    pub(super) pods: i64,
    pub(super) healthy: i64,
    /// Pods that nothing controls: nobody can say how many there should be.
    pub(super) unmanaged: Vec<String>,
}

/// # Errors
/// In the controller's words: a pod is controlled by something that does not scale, or that is gone.
pub(super) fn expected(cluster: &Cluster, budget: &Value, pods: &[Arc<Value>]) -> Result<Expected, String> {
    let there = i64::try_from(pods.len()).unwrap_or(0);
    let present = |field: &str| budget.pointer(&format!("/spec/{field}")).filter(|value| !value.is_null());
    if let Some(max) = present("maxUnavailable") {
        let (pods, unmanaged) = scale(cluster, pods)?;
        let healthy = (pods - scaled(Some(max), pods, true)).max(0);
        return Ok(Expected { pods, healthy, unmanaged });
    }
    match present("minAvailable") {
        Some(min @ Value::String(_)) => {
            let (pods, unmanaged) = scale(cluster, pods)?;
            Ok(Expected { pods, healthy: scaled(Some(min), pods, true), unmanaged })
        }
        Some(min) => Ok(Expected { pods: there, healthy: min.as_i64().unwrap_or(0), unmanaged: Vec::new() }),
        None => Ok(Expected { pods: there, healthy: 1, unmanaged: Vec::new() }),
    }
}

/// The sum of what the pods' controllers want, and the pods without one (`getExpectedScale`).
fn scale(cluster: &Cluster, pods: &[Arc<Value>]) -> Result<(i64, Vec<String>), String> {
    let mut wanted: BTreeMap<String, i64> = BTreeMap::new();
    let mut unmanaged = Vec::new();
    for pod in pods {
        let Some(reference) = controller(pod) else {
            unmanaged.push(name(pod).to_owned());
            continue;
        };
        let (uid, scale) = scale_of(cluster, pod, reference)?;
        wanted.insert(uid, scale);
    }
    Ok((wanted.values().sum(), unmanaged))
}

/// Who decides on a pod's number: its controller, or, for a ReplicaSet, the Deployment above it.
fn scale_of(cluster: &Cluster, pod: &Value, reference: &Value) -> Result<(String, i64), String> {
    let (version, kind_name) = (text(reference, "/apiVersion"), text(reference, "/kind"));
    let lost = || format!("found no controllers for pod {:?}", name(pod));
    let kind = kind::by_kind(version, kind_name).ok_or_else(lost)?;
    if !kind.subresources.contains(&"scale") {
        return Err(format!("{} does not implement the scale subresource", kind.resource()));
    }
    let owner = cluster.store.get(&kind.key(namespace(pod), text(reference, "/name")));
    let owner = owner.filter(|owner| uid(owner) == text(reference, "/uid")).ok_or_else(lost)?;
    let above = controller(owner).filter(|above| text(above, "/kind") == kind::DEPLOYMENT.kind);
    let above = above.and_then(|above| cluster.store.get(&kind::DEPLOYMENT.key(namespace(pod), text(above, "/name"))));
    let decides = above.unwrap_or(owner);
    Ok((uid(decides).to_owned(), number(decides, "/spec/replicas").unwrap_or(1)))
}

pub(super) fn words_for_unmanaged(budget: &Value) -> String {
    let labels = crate::object::members(budget, "/spec/selector/matchLabels");
    let labels: Vec<String> = labels.map(|(key, value)| format!("{key}:{}", value.as_str().unwrap_or(""))).collect();
    format!(
        "Pods selected by this PodDisruptionBudget (selector: &LabelSelector{{MatchLabels:map[string]string{{{}}},MatchExpressions:[]LabelSelectorRequirement{{}},}}) \
         were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined \
         behavior. To account for these pods please set \".spec.minAvailable\" field of the PDB to an integer value.",
        labels.into_iter().map(|label| label.replace(':', ": ") + ",").collect::<String>()
    )
}
