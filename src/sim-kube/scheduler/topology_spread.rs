//! Topology spread constraints: no domain may have too many more pods than the emptiest (`podtopologyspread`).

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Plugin, Refusal, View, node_affinity::NodeAffinity, taints::TaintToleration};
use crate::{
    controllers::selector,
    object::{entries, is_deleting, name, namespace, number, text},
};

pub struct TopologySpread;

impl Plugin for TopologySpread {
    fn filter(&self, view: &View, pod: &Value, node: &Value) -> Option<Refusal> {
        let all: Vec<&Value> = constraints(pod, "DoNotSchedule").collect();
        for constraint in &all {
            let Some(own) = domain(node, constraint) else {
                let reason = "node(s) didn't match pod topology spread constraints (missing required label)";
                return Some(Refusal::incurable(reason));
            };
            let counts = counts(view, pod, constraint, &all);
            let domains_min = number(constraint, "/minDomains").unwrap_or(1);
            let enough = i64::try_from(counts.len()).unwrap_or(i64::MAX) >= domains_min;
            let least = if enough { counts.values().min().copied().unwrap_or(0) } else { 0 };
            let here = counts.get(own).copied().unwrap_or(0);
            let itself = i64::from(selector::selects(constraint.get("labelSelector"), pod));
            if here + itself - least > number(constraint, "/maxSkew").unwrap_or(1) {
                return Some(Refusal::curable("node(s) didn't match pod topology spread constraints"));
            }
        }
        None
    }

    /// Weight 2: domains with fewer pods, where the constraint is a wish.
    fn score(&self, view: &View, pod: &Value, node: &Value) -> i64 {
        let mut score = 0;
        for constraint in constraints(pod, "ScheduleAnyway") {
            let counts = counts(view, pod, constraint, &[constraint]);
            let most = counts.values().max().copied().unwrap_or(0);
            let here = domain(node, constraint).and_then(|own| counts.get(own)).copied();
            if let Some(here) = here.filter(|_| most > 0) {
                score += 200 * (most - here) / most;
            }
        }
        score
    }
}

fn constraints<'a>(pod: &'a Value, wanted: &'a str) -> impl Iterator<Item = &'a Value> {
    entries(pod, "/spec/topologySpreadConstraints")
        .iter()
        .filter(move |constraint| text(constraint, "/whenUnsatisfiable") == wanted)
}

fn domain<'a>(node: &'a Value, constraint: &Value) -> Option<&'a str> {
    node["metadata"]["labels"].get(text(constraint, "/topologyKey"))?.as_str()
}

/// Pods that the constraint selects, by domain. Only nodes that have every constraint's label count, and of those the ones that the
/// constraint's policies include: nodes the pod's affinity allows by default, tainted ones too.
fn counts(view: &View, pod: &Value, constraint: &Value, all: &[&Value]) -> BTreeMap<String, i64> {
    let honours = |field: &str, default: &str| match text(constraint, field) {
        "" => default == "Honor",
        policy => policy == "Honor",
    };
    let affinity = honours("/nodeAffinityPolicy", "Honor");
    let taints = honours("/nodeTaintsPolicy", "Ignore");
    let mut counts = BTreeMap::new();
    for node in &view.nodes {
        let excluded = all.iter().any(|constraint| domain(node, constraint).is_none())
            || (affinity && NodeAffinity.filter(view, pod, node).is_some())
            || (taints && TaintToleration.filter(view, pod, node).is_some());
        let Some(own) = domain(node, constraint).filter(|_| !excluded) else { continue };
        let matching = view
            .on(name(node))
            .filter(|other| {
                namespace(other) == namespace(pod)
                    && !is_deleting(other)
                    && selector::selects(constraint.get("labelSelector"), other)
                    && same_keys(pod, constraint, other)
            })
            .count();
        *counts.entry(own.to_owned()).or_insert(0) += i64::try_from(matching).unwrap_or(0);
    }
    counts
}

fn same_keys(pod: &Value, constraint: &Value, other: &Value) -> bool {
    let label = |pod: &Value, key: &Value| pod["metadata"]["labels"].get(key.as_str().unwrap_or("")).cloned();
    entries(constraint, "/matchLabelKeys")
        .iter()
        .all(|key| label(pod, key).is_none() || label(pod, key) == label(other, key))
}
