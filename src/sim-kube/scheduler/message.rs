//! The words of FailedScheduling (`FitError` of `pkg/scheduler/framework`).

use std::collections::BTreeMap;

use super::Refusal;

/// Why no node took a pod: each reason with the number of nodes that gave it. Preemption is not modelled yet; where it could not help
/// anyway, the words are the real ones, and where it could (a node is merely full) they are those for pods without lower-priority
/// neighbours.
pub(super) fn unschedulable(refusals: &[Refusal], nodes: usize) -> String {
    if nodes == 0 {
        return "no nodes available to schedule pods".to_owned();
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for reason in refusals.iter().flat_map(|refusal| &refusal.reasons) {
        *counts.entry(reason).or_insert(0) += 1;
    }
    let mut reasons: Vec<String> = counts.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    reasons.sort();
    let victimless = refusals.iter().filter(|refusal| refusal.is_curable).count();
    let helpless = refusals.len() - victimless;
    let mut words = Vec::new();
    if victimless > 0 {
        words.push(format!("{victimless} No preemption victims found for incoming pod"));
    }
    if helpless > 0 {
        words.push(format!("{helpless} Preemption is not helpful for scheduling"));
    }
    words.sort();
    format!(
        "0/{nodes} nodes are available: {}. no new claims to deallocate, preemption: 0/{nodes} nodes are available: {}.",
        reasons.join(", "),
        words.join(", ")
    )
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
        let refusals = [Refusal::incurable("node(s) had untolerated taint(s)"), full.clone(), full];
        assert_eq!(
            unschedulable(&refusals, 3),
            "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu, 2 Insufficient memory. no new claims to \
             deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
        );
    }
}
