//! Making room: pods of lower priority go where that lets a pod of higher priority in (`defaultpreemption`).
//!
//! Candidates are the nodes whose refusal was curable. On each, all pods of lower priority are thought away; if the pod then fits, they are
//! put back one after the other, the most important first, as long as it still does. What is left are that node's victims.

use std::{cmp::Reverse, collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};

use super::{PLUGINS, Refusal, View, actor};
use crate::{
    Cluster,
    api::verbs::{DeleteOptions, Part},
    controllers::{
        events::{self, Note},
        selector,
    },
    kind,
    object::{entries, is_deleting, name, namespace, number, set, text, uid},
};

/// What came of it.
pub(super) enum Found {
    /// Room is being made on a node, which the pod has been promised; the victims are going.
    Room,
    /// Why no room can be made, as the message of FailedScheduling has it.
    Nothing(String),
}

/// A node's victims.
struct Candidate {
    node: String,
    victims: Vec<Arc<Value>>,
    /// How many of them a disruption budget protects.
    violations: usize,
}

/// A pod's priority.
pub(super) fn priority(pod: &Value) -> i64 {
    number(pod, "/spec/priority").unwrap_or(0)
}

/// Looks for room, and makes it.
pub(super) fn preempt(cluster: &mut Cluster, view: &View, pod: &Value, refusals: &[(String, Refusal)]) -> Found {
    if text(pod, "/spec/preemptionPolicy") == "Never" {
        return Found::Nothing("not eligible due to preemptionPolicy=Never.".to_owned());
    }
    let nominated = text(pod, "/status/nominatedNodeName");
    let is_going = |other: &&Arc<Value>| is_deleting(other) && priority(other) < priority(pod);
    if !nominated.is_empty() && view.on(nominated).find(is_going).is_some() {
        return Found::Nothing("not eligible due to a terminating pod on the nominated node.".to_owned());
    }
    let budgets: Vec<Arc<Value>> = cluster
        .store
        .list(kind::POD_DISRUPTION_BUDGET.collection, None)
        .map(|(_, budget)| Arc::clone(budget))
        .collect();
    let mut candidates = Vec::new();
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let mut note = |reason: &str| *reasons.entry(reason.to_owned()).or_insert(0) += 1;
    for (node, refusal) in refusals {
        if !refusal.is_curable {
            note("Preemption is not helpful for scheduling");
            continue;
        }
        match candidate(view, pod, node, &budgets) {
            Ok(candidate) => candidates.push(candidate),
            Err(why) => why.iter().for_each(|reason| note(reason)),
        }
    }
    match candidates.into_iter().min_by_key(rank) {
        Some(best) => {
            carry_out(cluster, pod, &best);
            Found::Room
        }
        None => {
            let mut words: Vec<String> = reasons.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
            words.sort();
            let nodes = refusals.len();
            Found::Nothing(format!("0/{nodes} nodes are available: {}.", words.join(", ")))
        }
    }
}

/// The victims of one node, or why there are none that would help.
fn candidate(view: &View, pod: &Value, node: &str, budgets: &[Arc<Value>]) -> Result<Candidate, Vec<String>> {
    let lower: Vec<Arc<Value>> = view.on(node).filter(|other| priority(other) < priority(pod)).cloned().collect();
    if lower.is_empty() {
        return Err(vec!["No preemption victims found for incoming pod".to_owned()]);
    }
    let Some(object) = view.nodes.iter().find(|candidate| name(candidate) == node) else { return Err(Vec::new()) };
    let mut without = view.without(&lower);
    if let Some(refusal) = refusal(&without, pod, object) {
        return Err(refusal.reasons);
    }
    let mut ordered = lower;
    ordered.sort_by_key(|pod| (Reverse(priority(pod)), text(pod, "/status/startTime").to_owned()));
    let (protected, free) = split(ordered, budgets);
    let mut victims = Vec::new();
    let mut violations = 0;
    for (is_protected, other) in
        protected.into_iter().map(|other| (true, other)).chain(free.into_iter().map(|other| (false, other)))
    {
        without.placed.push(Arc::clone(&other));
        if refusal(&without, pod, object).is_some() {
            without.placed.pop();
            violations += usize::from(is_protected);
            victims.push(other);
        }
    }
    Ok(Candidate { node: node.to_owned(), victims, violations })
}

fn refusal(view: &View, pod: &Value, node: &Value) -> Option<Refusal> {
    PLUGINS.iter().find_map(|plugin| plugin.filter(view, pod, node))
}

/// The pods whose loss a budget does not allow, and the others.
fn split(pods: Vec<Arc<Value>>, budgets: &[Arc<Value>]) -> (Vec<Arc<Value>>, Vec<Arc<Value>>) {
    let mut left: BTreeMap<&str, i64> =
        budgets.iter().map(|budget| (uid(budget), number(budget, "/status/disruptionsAllowed").unwrap_or(0))).collect();
    pods.into_iter().partition(|pod| {
        let mut is_violated = false;
        for budget in budgets.iter().filter(|budget| namespace(budget) == namespace(pod)) {
            let wanted = budget.pointer("/spec/selector");
            let is_empty = wanted.and_then(Value::as_object).is_none_or(serde_json::Map::is_empty);
            let is_known = budget.pointer("/status/disruptedPods").is_some_and(|pods| pods.get(name(pod)).is_some());
            if is_empty || is_known || !selector::selects(wanted, pod) {
                continue;
            }
            let allowed = left.entry(uid(budget)).or_insert(0);
            *allowed -= 1;
            is_violated |= *allowed < 0;
        }
        is_violated
    })
}

/// The order in which nodes are preferred: the fewest broken budgets, the least important victims, the fewest, the youngest.
fn rank(candidate: &Candidate) -> (usize, i64, i64, usize, Reverse<String>) {
    let priorities = candidate.victims.iter().map(|pod| priority(pod));
    let highest = priorities.clone().max().unwrap_or(i64::MIN);
    // As in the real one, a priority counts from the lowest possible, so that more victims are always more.
    let sum = priorities.map(|priority| priority + i64::from(i32::MAX) + 1).sum();
    let oldest = candidate
        .victims
        .iter()
        .filter(|pod| priority(pod) == highest)
        .map(|pod| text(pod, "/status/startTime").to_owned())
        .min()
        .unwrap_or_default();
    (candidate.violations, highest, sum, candidate.victims.len(), Reverse(oldest))
}

/// The victims go; pods of lower priority that were promised the node are no longer.
fn carry_out(cluster: &mut Cluster, pod: &Value, best: &Candidate) {
    for victim in &best.victims {
        let now = cluster.today();
        let generation = victim["metadata"]["generation"].clone();
        let edit = |victim: &mut Value| {
            let mut conditions = entries(victim, "/status/conditions").to_vec();
            conditions.retain(|condition| text(condition, "/type") != "DisruptionTarget");
            let mut condition = json!({
                "type": "DisruptionTarget",
                "status": "True",
                "reason": "PreemptionByScheduler",
                "message": "default-scheduler: preempting to accommodate a higher priority pod",
                "lastProbeTime": null,
                "lastTransitionTime": now,
            });
            if !generation.is_null() {
                condition["observedGeneration"] = generation;
            }
            conditions.push(condition);
            set(victim, "/status/conditions", Value::Array(conditions));
        };
        let (space, own) = (namespace(victim), name(victim));
        if is_deleting(victim) || cluster.update(&kind::POD, space, own, Part::Status, &actor(), edit).is_err() {
            continue;
        }
        // A victim that is gone already is what was wanted.
        let _ = cluster.delete(&kind::POD, space, own, &DeleteOptions::default(), &actor());
        let message = format!("Preempted by pod {} on node {}", uid(pod), best.node);
        events::record(cluster, super::COMPONENT, victim, Note::normal("Preempted", &message));
    }
    let lower: Vec<Arc<Value>> = cluster
        .store
        .list(kind::POD.collection, None)
        .map(|(_, other)| other)
        .filter(|other| {
            text(other, "/status/nominatedNodeName") == best.node
                && text(other, "/spec/nodeName").is_empty()
                && priority(other) < priority(pod)
        })
        .cloned()
        .collect();
    for other in lower {
        nominate(cluster, &other, None);
    }
    nominate(cluster, pod, Some(&best.node));
}

/// Writes or takes back the promise of a node.
pub(super) fn nominate(cluster: &mut Cluster, pod: &Value, node: Option<&str>) {
    let edit = |pod: &mut Value| match node {
        Some(node) => set(pod, "/status/nominatedNodeName", json!(node)),
        None => drop(crate::object::unset(pod, "/status/nominatedNodeName")),
    };
    // A pod that is gone meanwhile needs no promise.
    let _ = cluster.update(&kind::POD, namespace(pod), name(pod), Part::Status, &actor(), edit);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn victim(priority: i64, start: &str) -> Arc<Value> {
        Arc::new(json!({"spec": {"priority": priority}, "status": {"startTime": start}}))
    }

    fn candidate(node: &str, victims: &[(i64, &str)], violations: usize) -> Candidate {
        let victims = victims.iter().map(|(priority, start)| victim(*priority, start)).collect();
        Candidate { node: node.to_owned(), victims, violations }
    }

    fn best(candidates: Vec<Candidate>) -> String {
        candidates.into_iter().min_by_key(rank).map(|best| best.node).unwrap_or_default()
    }

    /// The order of `pickOneNodeForPreemption`.
    #[test]
    fn the_node_that_hurts_least_is_taken() {
        let (old, new) = ("2026-11-21T10:00:00Z", "2026-11-21T11:00:00Z");
        assert_eq!(
            best(vec![candidate("budget", &[(0, old)], 1), candidate("none", &[(9, old), (9, old)], 0)]),
            "none"
        );
        assert_eq!(best(vec![candidate("high", &[(5, old)], 0), candidate("low", &[(4, old), (4, old)], 0)]), "low");
        assert_eq!(best(vec![candidate("two", &[(4, old), (0, old)], 0), candidate("one", &[(4, old)], 0)]), "one");
        assert_eq!(best(vec![candidate("old", &[(4, old)], 0), candidate("new", &[(4, new)], 0)]), "new");
    }
}
