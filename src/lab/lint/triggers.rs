//! Triggers: guarded, and bounded in time.

use std::time::Duration;

use super::{Lint, Rule};
use crate::{Change, Span};

pub(super) const RULE: Rule = Rule {
    name: "triggers",
    why: "a trigger without a guard damages a system that is not repaired yet, and an endless check is never run",
    whole: false,
    check,
};

/// The longest that one objective may keep a learner waiting.
const WAIT_MAX: Span = Span(Duration::from_secs(600));

fn check(lint: &mut Lint<'_>) {
    for (index, objective) in lint.lab.lab.objectives.iter().enumerate() {
        let index = index.to_string();
        let has_trigger = !objective.trigger.is_empty();
        if has_trigger && objective.guard.is_none() {
            let message = format!("`{}` has a trigger and no guard", objective.name);
            let help = "write what must hold before the trigger may be pulled";
            lint.error(&["objectives", &index, "trigger"], message, help);
        }
        if !has_trigger && objective.guard.is_some() {
            let message = format!("`{}` has a guard and no trigger to guard", objective.name);
            lint.error(&["objectives", &index, "guard"], message, "join it to the check with `all`");
        }
        if !has_trigger && objective.during.is_some() {
            let message = format!("`{}` has a `during` and no trigger", objective.name);
            lint.error(&["objectives", &index, "during"], message, "write an `always` safeguard, or a trigger");
        }
        if has_trigger && objective.trigger.iter().all(|change| matches!(change, Change::Wait(_) | Change::Await(_))) {
            let help = "use `hold` for what must stay true";
            lint.error(&["objectives", &index, "trigger"], "the trigger only waits", help);
        }
        for (key, span) in [("converge", objective.converge), ("hold", objective.hold)] {
            if let Some(span) = span.filter(|span| *span > WAIT_MAX) {
                let help = format!("keep to {WAIT_MAX} at most");
                lint.error(&["objectives", &index, key], format!("a learner would wait {span}"), help);
            }
        }
    }
}
