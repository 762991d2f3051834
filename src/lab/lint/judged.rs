//! What the grader says of a check as it is written.

use super::{Lint, Rule};
use crate::visit;

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
}
