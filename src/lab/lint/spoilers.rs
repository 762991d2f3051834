//! Spoilers: what the learner reads first may not name what the fault changes.

use super::{Lint, Rule, terms::Terms};

pub(super) const RULE: Rule = Rule {
    name: "spoilers",
    why: "a lab is solved from its symptoms; a title, story or early hint that names the field or the value gives it away",
    whole: true,
    check,
};

fn check(lint: &mut Lint<'_>) {
    let terms = Terms::of(lint.lab);
    let lab = &lint.lab.lab;
    say(lint, &terms, &["metadata", "title"], "the title", &lab.metadata.title);
    say(lint, &terms, &["story"], "the story", &lab.story);
    for (index, safeguard) in lab.safeguards.iter().enumerate() {
        let steps = ["safeguards", &index.to_string(), "title"];
        say(lint, &terms, &steps, "the safeguard's title", &safeguard.title);
    }
    let mut first = true;
    for (index, objective) in lab.objectives.iter().enumerate() {
        let index = index.to_string();
        say(lint, &terms, &["objectives", &index, "title"], "the objective's title", &objective.title);
        for (number, hint) in objective.hints.iter().enumerate() {
            // The last hint of an objective may be direct, unless it is the first that the learner gets at all.
            let direct = number + 1 == objective.hints.len() && !first;
            if !direct {
                let steps = ["objectives", &index, "hints", &number.to_string(), "text"];
                say(lint, &terms, &steps, "an early hint", &hint.text);
            }
            first = false;
        }
    }
}

fn say(lint: &mut Lint<'_>, terms: &Terms, steps: &[&str], what: &str, text: &str) {
    if let Some(term) = terms.in_text(text) {
        let message = format!("{what} says `{term}`, which the fault changes");
        let help = if what == "an early hint" {
            "point to where to look; only an objective's last hint may name it"
        } else {
            "tell what people see, not what is behind it"
        };
        lint.error(steps, message, help);
    }
}
