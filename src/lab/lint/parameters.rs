//! Parameters: used, and harmless whatever the seed.

use super::{Lint, Rule};
use crate::{Values, lab::Parameter, values::Chosen};

pub(super) const RULE: Rule = Rule {
    name: "parameters",
    why: "an unused parameter varies nothing, and a value that breaks the lab is met by one seed in a hundred",
    whole: true,
    check,
};

fn check(lint: &mut Lint<'_>) {
    let lab = lint.lab;
    for (name, parameter) in &lab.lab.parameters {
        let steps = ["parameters", name.as_str()];
        if lab.filled && !lab.used.contains(name) {
            lint.error(
                &steps,
                format!("nothing uses the parameter `{name}`"),
                format!("write `${{{name}}}` somewhere"),
            );
        }
        match parameter {
            Parameter::Token(length) if !(1..=63).contains(length) => {
                lint.error(&steps, format!("a token of {length} letters"), "names take 1 to 63");
            }
            Parameter::Choose(choices) => {
                let mut sorted = choices.clone();
                sorted.sort();
                sorted.dedup();
                if sorted.len() != choices.len() {
                    lint.error(&steps, format!("`{name}` has the same choice twice"), "keep one");
                }
                if choices.len() == 1 {
                    lint.warn(&steps, format!("`{name}` has one choice"), "write more, or the value itself");
                }
            }
            Parameter::FreePort(from) if *from < 1024 => {
                lint.error(&steps, format!("port {from} needs a privileged user"), "begin at 1024 or above");
            }
            _ => {}
        }
        for value in others(parameter) {
            let mut values = lab.values.clone();
            values.0.insert(name.clone(), value.clone());
            try_values(lint, &steps, name, &value, &values);
        }
    }
}

/// Values that the lab is not read with anyway: the other choices, the end of the range.
fn others(parameter: &Parameter) -> Vec<Chosen> {
    match parameter {
        Parameter::Choose(choices) => choices.iter().skip(1).cloned().map(Chosen::Text).collect(),
        Parameter::Range(first, last) if first < last => vec![Chosen::Number(*last)],
        _ => Vec::new(),
    }
}

/// Reads the lab with another value and says what goes wrong only then.
fn try_values(lint: &mut Lint<'_>, steps: &[&str], name: &str, value: &Chosen, values: &Values) {
    let loading = lint.lab.source.examine(Some(values));
    if let Some(problem) = loading.problems.iter().find(|problem| problem.is_error()) {
        let already = lint.lab.source.examine(Some(&lint.lab.values)).problems;
        if already.iter().any(|known| known.line == problem.line && known.rule == problem.rule) {
            return;
        }
        let message = format!("with `{}` for `{name}` the lab cannot be read: {problem}", value.text());
        lint.error(steps, message, "choose values that fit everywhere");
    }
}
