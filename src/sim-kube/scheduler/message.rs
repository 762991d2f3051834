//! The words of FailedScheduling (`FitError` of `pkg/scheduler/framework`).

use std::collections::BTreeMap;

use super::Refusal;

/// Why no node took a pod: each reason with the number of nodes that gave it, and what came of making room; nothing is said of that where
/// room is being made.
pub(super) fn unschedulable(refusals: &[(String, Refusal)], nodes: usize, preemption: Option<&str>) -> String {
    if nodes == 0 {
        return "no nodes available to schedule pods".to_owned();
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for reason in refusals.iter().flat_map(|(_, refusal)| &refusal.reasons) {
        *counts.entry(reason).or_insert(0) += 1;
    }
    let mut reasons: Vec<String> = counts.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    reasons.sort();
    let rest = preemption.map(|words| format!(" no new claims to deallocate, preemption: {words}")).unwrap_or_default();
    format!("0/{nodes} nodes are available: {}.{rest}", reasons.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recorded: unschedulable-cpu of a 1.36 cluster with two workers.
    #[test]
    fn the_words_are_the_real_ones() {
        let full = Refusal {
            reasons: vec!["Insufficient cpu".to_owned(), "Insufficient memory".to_owned()],
            is_curable: false,
        };
        let taint = Refusal::incurable("node(s) had untolerated taint(s)");
        let refusals = [("a".to_owned(), taint), ("b".to_owned(), full.clone()), ("c".to_owned(), full)];
        let words = "0/3 nodes are available: 3 Preemption is not helpful for scheduling.";
        assert_eq!(
            unschedulable(&refusals, 3, Some(words)),
            "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu, 2 Insufficient memory. no new claims to \
             deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
        );
    }
}
