//! Points: 100 in all, each objective worth some.

use super::{Lint, Rule};

pub(super) const RULE: Rule = Rule {
    name: "points",
    why: "a score is out of 100 in every lab, or scores could not be compared",
    whole: false,
    check,
};

fn check(lint: &mut Lint<'_>) {
    let objectives = &lint.lab.lab.objectives;
    if objectives.is_empty() {
        lint.error(&["objectives"], "the lab has no objective", "write what must become true");
        return;
    }
    let sum: u64 = objectives.iter().map(|objective| u64::from(objective.points)).sum();
    if sum != 100 {
        let message = format!("the points of all objectives add up to {sum}");
        lint.error(&["objectives"], message, "make them add up to 100");
    }
    for (index, _) in objectives.iter().enumerate().filter(|(_, objective)| objective.points == 0) {
        let help = "give it points, or make it a safeguard";
        lint.error(&["objectives", &index.to_string(), "points"], "the objective is worth nothing", help);
    }
}
