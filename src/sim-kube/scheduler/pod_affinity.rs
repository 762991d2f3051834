//! Pod affinity and anti-affinity: pods that want to be near others or away from them (`interpodaffinity`).

use serde_json::Value;

use super::{Plugin, Refusal, View};
use crate::{
    controllers::selector,
    object::{entries, name, namespace, text},
};

pub struct PodAffinity;

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

impl Plugin for PodAffinity {
    fn filter(&self, view: &View, pod: &Value, node: &Value) -> Option<Refusal> {
        if !terms(pod, "podAffinity").iter().all(|term| has_company(view, pod, term, node)) {
            return Some(Refusal::incurable("node(s) didn't match pod affinity rules"));
        }
        if terms(pod, "podAntiAffinity").iter().any(|term| near(view, pod, term, node).next().is_some()) {
            return Some(Refusal::curable("node(s) didn't match pod anti-affinity rules"));
        }
        let repelled = view.placed.iter().any(|other| {
            terms(other, "podAntiAffinity")
                .iter()
                .any(|term| selects(view, other, term, pod) && same_domain(view, other, term, node))
        });
        repelled.then(|| Refusal::curable("node(s) didn't satisfy existing pods anti-affinity rules"))
    }

    /// Weight 2: the weights of fulfilled preferences, between the worst node's and the best's.
    fn score(&self, view: &View, pod: &Value, node: &Value) -> i64 {
        let sum =
            |node: &Value| preference(view, pod, "podAffinity", node) - preference(view, pod, "podAntiAffinity", node);
        let sums: Vec<i64> = view.nodes.iter().map(|node| sum(node)).collect();
        match (sums.iter().min(), sums.iter().max()) {
            (Some(worst), Some(best)) if best > worst => 200 * (sum(node) - worst) / (best - worst),
            _ => 0,
        }
    }
}

fn terms<'a>(pod: &'a Value, kind: &str) -> &'a [Value] {
    pod.pointer(&format!("/spec/affinity/{kind}")).map_or(&[], |affinity| entries(affinity, &format!("/{REQUIRED}")))
}

fn preference(view: &View, pod: &Value, kind: &str, node: &Value) -> i64 {
    let preferred = pod.pointer(&format!("/spec/affinity/{kind}/{PREFERRED}")).and_then(Value::as_array);
    preferred
        .into_iter()
        .flatten()
        .map(|preferred| {
            let matches = near(view, pod, &preferred["podAffinityTerm"], node).count();
            preferred["weight"].as_i64().unwrap_or(0) * i64::try_from(matches).unwrap_or(0)
        })
        .sum()
}

/// Whether somebody whom the term selects is in the node's domain. The first of a group that selects itself may go anywhere.
fn has_company(view: &View, pod: &Value, term: &Value, node: &Value) -> bool {
    if domain(node, term).is_none() {
        return false;
    }
    if near(view, pod, term, node).next().is_some() {
        return true;
    }
    let anywhere = view.placed.iter().any(|other| selects(view, pod, term, other));
    !anywhere && selects(view, pod, term, pod)
}

/// The pods that the term selects in the node's domain.
fn near<'a>(view: &'a View, pod: &'a Value, term: &'a Value, node: &'a Value) -> impl Iterator<Item = &'a Value> {
    view.placed
        .iter()
        .map(AsRef::as_ref)
        .filter(move |other| selects(view, pod, term, other) && same_domain(view, other, term, node))
}

/// Whether a term of `owner` selects another pod: by labels and by namespace, its own where none is named.
fn selects(view: &View, owner: &Value, term: &Value, other: &Value) -> bool {
    let named = entries(term, "/namespaces");
    let by_label = term.get("namespaceSelector");
    let right_namespace = match (named.is_empty(), by_label) {
        (true, None) => namespace(owner) == namespace(other),
        _ => {
            named.iter().any(|space| space == namespace(other))
                || view.namespace(namespace(other)).is_some_and(|space| selector::selects(by_label, space))
        }
    };
    right_namespace && selector::selects(term.get("labelSelector"), other) && same_keys(owner, term, other)
}

/// `matchLabelKeys` and `mismatchLabelKeys`: labels that must be as the owner's, or must not.
fn same_keys(owner: &Value, term: &Value, other: &Value) -> bool {
    let label = |pod: &Value, key: &Value| pod["metadata"]["labels"].get(key.as_str().unwrap_or("")).cloned();
    entries(term, "/matchLabelKeys")
        .iter()
        .all(|key| label(owner, key).is_none() || label(owner, key) == label(other, key))
        && entries(term, "/mismatchLabelKeys")
            .iter()
            .all(|key| label(owner, key).is_none() || label(owner, key) != label(other, key))
}

fn domain<'a>(node: &'a Value, term: &Value) -> Option<&'a Value> {
    node["metadata"]["labels"].get(text(term, "/topologyKey"))
}

fn same_domain(view: &View, placed: &Value, term: &Value, node: &Value) -> bool {
    let its = view.nodes.iter().find(|candidate| name(candidate) == text(placed, "/spec/nodeName"));
    let its = its.and_then(|its| domain(its, term));
    its.is_some() && its == domain(node, term)
}
