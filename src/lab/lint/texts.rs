//! Texts for the learner: there, and of a length that fits.

use super::{Lint, Rule};

pub(super) const RULE: Rule = Rule {
    name: "texts",
    why: "a learner meets the lab through its words; an empty or endless one helps nobody",
    whole: false,
    check,
};

/// Titles stand in one line of a list.
const TITLE_MAX: usize = 80;
/// What one sitting can hold.
const MINUTES_MAX: u32 = 240;

fn check(lint: &mut Lint<'_>) {
    let lab = &lint.lab.lab;
    title(lint, &["metadata", "title"], &lab.metadata.title);
    if lab.story.trim().is_empty() {
        lint.error(&["story"], "the story is empty", "tell the symptoms as somebody on call would hear them");
    }
    if lab.metadata.minutes == 0 || lab.metadata.minutes > MINUTES_MAX {
        let help = format!("write how long a learner of this level needs, 1 to {MINUTES_MAX}");
        lint.error(&["metadata", "minutes"], format!("{} minutes", lab.metadata.minutes), help);
    }
    if lab.metadata.topics.is_empty() {
        lint.error(
            &["metadata", "topics"],
            "the lab has no topic",
            "`list --topic` would never show it; write one or more",
        );
    }
    for (index, objective) in lab.objectives.iter().enumerate() {
        let index = index.to_string();
        title(lint, &["objectives", &index, "title"], &objective.title);
        for (number, hint) in objective.hints.iter().enumerate() {
            blank(lint, &["objectives", &index, "hints", &number.to_string(), "text"], &hint.text);
        }
    }
    for (index, safeguard) in lab.safeguards.iter().enumerate() {
        title(lint, &["safeguards", &index.to_string(), "title"], &safeguard.title);
    }
    for (index, lift) in lab.lift.iter().enumerate() {
        blank(lint, &["lift", &index.to_string(), "reason"], &lift.reason);
    }
    for (index, step) in lab.steps.iter().enumerate() {
        blank(lint, &["steps", &index.to_string(), "text"], &step.text);
    }
}

fn title(lint: &mut Lint<'_>, steps: &[&str], title: &str) {
    blank(lint, steps, title);
    if title.contains('\n') || title.chars().count() > TITLE_MAX {
        lint.error(steps, "the title is too long", format!("keep to one line of {TITLE_MAX} letters"));
    }
}

fn blank(lint: &mut Lint<'_>, steps: &[&str], text: &str) {
    if text.trim().is_empty() {
        lint.error(steps, "the text is empty", "write it, or take the entry out");
    }
}
