//! Names: unique, in one spelling, and the folder's own.

use std::collections::BTreeMap;

use super::{Lint, Rule};
use crate::words::{NAME_LENGTH_MAX, is_kebab};

pub(super) const RULE: Rule = Rule {
    name: "names",
    why: "names stand on command lines, in result files and in reports; they must be easy to type and mean one thing",
    whole: false,
    check,
};

fn check(lint: &mut Lint<'_>) {
    let lab = &lint.lab.lab;
    let name = &lab.metadata.name;
    if lint.lab.source.name() != name {
        let message = format!("the lab is called `{name}`, its folder `{}`", lint.lab.source.name());
        lint.error(&["metadata", "name"], message, "rename one of them");
    }
    spelled(lint, &["metadata", "name"], name);

    let mut seen = BTreeMap::new();
    let objectives = lab.objectives.iter().enumerate().map(|(index, objective)| ("objectives", index, &objective.name));
    let safeguards = lab.safeguards.iter().enumerate().map(|(index, safeguard)| ("safeguards", index, &safeguard.name));
    for (section, index, name) in objectives.chain(safeguards) {
        let steps = [section, &index.to_string(), "name"];
        spelled(lint, &steps, name);
        if let Some(first) = seen.insert(name, section) {
            let message = format!("the name `{name}` is also in `{first}`");
            lint.error(&steps, message, "verdicts are reported by name; choose another one");
        }
    }
    for (index, topic) in lab.metadata.topics.iter().enumerate() {
        spelled(lint, &["metadata", "topics", &index.to_string()], topic);
    }
}

fn spelled(lint: &mut Lint<'_>, steps: &[&str], name: &str) {
    if !is_kebab(name) {
        let message = format!("`{name}` is not written as names are");
        lint.error(steps, message, "use lower-case letters, digits and single dashes: `two-words`");
    } else if name.len() > NAME_LENGTH_MAX {
        lint.error(steps, format!("`{name}` is longer than {NAME_LENGTH_MAX} letters"), "choose a shorter name");
    }
}
