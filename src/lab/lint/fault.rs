//! The fault: there, and a change of the system.

use super::{Lint, Rule};
use crate::{Change, Span};

pub(super) const RULE: Rule = Rule {
    name: "fault",
    why: "a lab whose fault changes nothing opens healthy; one that waits for long is not started twice",
    whole: false,
    check,
};

/// A learner waits for the symptoms at every start and every reset.
const SETTLE_MAX: Span = Span(std::time::Duration::from_secs(300));

fn check(lint: &mut Lint<'_>) {
    let lab = &lint.lab.lab;
    if lab.fault.is_empty() {
        lint.error(&["fault"], "the fault is empty", "write the changes that break the system");
    } else if lab.fault.iter().all(|change| matches!(change, Change::Wait(_))) {
        lint.error(&["fault"], "the fault only waits", "write the changes that break the system");
    }
    if let Some(settle) = lab.settle.filter(|settle| *settle > SETTLE_MAX) {
        let help = format!("keep to {SETTLE_MAX} at most; let the workload show the symptom sooner");
        lint.error(&["settle"], format!("every start would wait {settle}"), help);
    }
    for (name, changes) in &lab.controls {
        if !changes.is_empty() && *changes == lab.fault {
            let message = format!("the control `{name}` is the fault itself");
            lint.error(&["controls", name.as_str()], message, "write what is changed to repair it");
        }
    }
}
