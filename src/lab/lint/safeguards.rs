//! Safeguards: about something else than the objectives, with costs that mean something.

use super::{Lint, Rule};
use crate::{lab::Severity, visit};

pub(super) const RULE: Rule = Rule {
    name: "safeguards",
    why: "what an objective asks is broken when the lab opens; as a safeguard it would punish the learner for the fault",
    whole: false,
    check,
};

fn check(lint: &mut Lint<'_>) {
    let lab = &lint.lab.lab;
    for (index, safeguard) in lab.safeguards.iter().enumerate() {
        let index = index.to_string();
        for objective in &lab.objectives {
            let parts = visit::parts(&objective.check);
            if safeguard.check == objective.check || parts.contains(&safeguard.check) {
                let message = format!("`{}` asks the same as the objective `{}`", safeguard.name, objective.name);
                let help = "a safeguard holds from the start; an objective does not";
                lint.error(&["safeguards", &index, "check"], message, help);
            }
        }
        match (safeguard.severity, safeguard.cost) {
            (Severity::Catastrophic, Some(_)) => {
                let message = "a catastrophic safeguard has no cost";
                lint.error(&["safeguards", &index, "cost"], message, "the score is 0 then; take `cost` out");
            }
            (Severity::Recoverable, Some(cost)) if cost == 0 || cost > 100 => {
                let message = format!("a cost of {cost}");
                lint.error(&["safeguards", &index, "cost"], message, "write 1 to 100 points");
            }
            _ => {}
        }
        for other in lab.safeguards.iter().take_while(|other| other.name != safeguard.name) {
            if other.check == safeguard.check {
                let message = format!("`{}` asks the same as `{}`", safeguard.name, other.name);
                lint.error(&["safeguards", &index, "check"], message, "keep one");
            }
        }
    }
}
