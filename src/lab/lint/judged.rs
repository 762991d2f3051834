//! What the grader says of a check as it is written.

use super::{Lint, Rule};
use crate::{Check, visit};

pub(super) const RULE: Rule = Rule {
    name: "checks",
    why: "a check that cannot be judged is `unknown` for ever; the author should hear of it, not the learner",
    whole: false,
    check,
};

fn check(lint: &mut Lint<'_>) {
    let judged = lint.judged;
    for (steps, check) in visit::checks(&lint.lab.lab) {
        if visit::is_composed(check) {
            continue;
        }
        for message in judged(check) {
            lint.error(&steps, message, "");
        }
    }
    // House rules with what the lab lifts of them: a path of an exception can be at fault.
    let own = &lint.lab.lab.safeguards;
    for rule in lint.lab.safeguards().iter().filter(|rule| !own.contains(rule)) {
        for check in words_of(&rule.check) {
            for message in judged(check) {
                lint.error(&["lift"], format!("the house rule `{}`, as lifted: {message}", rule.name), "");
            }
        }
    }
}

/// The check itself, or the words that it is composed of.
fn words_of(check: &Check) -> Vec<&Check> {
    if visit::is_composed(check) { visit::parts(check).iter().flat_map(words_of).collect() } else { vec![check] }
}
