//! Hints: three or more, dearer and dearer, and never dearer than what they help to reach.

use super::{Lint, Rule};

pub(super) const RULE: Rule = Rule {
    name: "hints",
    why: "a learner who is stuck must find a next step at a fair price, and solving with all hints must beat giving up",
    whole: false,
    check,
};

/// The fewest hints of a lab: a question, a place to look, a direction.
const HINTS_MIN: usize = 3;

fn check(lint: &mut Lint<'_>) {
    let objectives = &lint.lab.lab.objectives;
    let count: usize = objectives.iter().map(|objective| objective.hints.len()).sum();
    if count < HINTS_MIN {
        let help = format!("write {HINTS_MIN} or more: a question, a place to look, a direction");
        lint.error(&["objectives"], format!("the lab has {count} of {HINTS_MIN} hints"), help);
    }
    for (index, objective) in objectives.iter().enumerate() {
        let index = index.to_string();
        let mut before = None;
        for (number, hint) in objective.hints.iter().enumerate() {
            let steps = ["objectives", &index, "hints", &number.to_string(), "cost"];
            if hint.cost == 0 {
                lint.error(&steps, "the hint costs nothing", "put what everybody should know into the story");
            }
            if let Some(before) = before.filter(|before| hint.cost <= *before) {
                let message = format!("the hint costs {}, the one before it {before}", hint.cost);
                lint.error(&steps, message, "let the costs rise");
            }
            before = Some(hint.cost);
        }
        let sum: u64 = objective.hints.iter().map(|hint| u64::from(hint.cost)).sum();
        if !objective.hints.is_empty() && sum >= u64::from(objective.points) {
            let message = format!("the hints cost {sum} points together, the objective brings {}", objective.points);
            lint.error(&["objectives", &index, "hints"], message, "make them cheaper");
        }
    }
    let all: u64 = objectives.iter().flat_map(|objective| &objective.hints).map(|hint| u64::from(hint.cost)).sum();
    if all > 60 {
        let message = format!("all hints together cost {all} points");
        lint.warn(&["objectives"], message, "leave at least 40 to whoever repairs it with every hint");
    }
}
