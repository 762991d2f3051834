//! Controls: the proofs that a lab ships with.

use super::{Lint, Rule};
use crate::{suggest, words::is_kebab};

pub(super) const RULE: Rule = Rule {
    name: "controls",
    why: "a lab is proved by an honest fix that solves it, another one that does, and wrong ones that do not",
    whole: false,
    check,
};

fn check(lint: &mut Lint<'_>) {
    let controls = &lint.lab.lab.controls;
    for (name, changes) in controls {
        let steps = ["controls", name.as_str()];
        let known = name == "reference"
            || ["alternative-", "wrong-"].iter().any(|prefix| name.strip_prefix(prefix).is_some_and(is_kebab));
        if !known {
            let near = suggest::nearest(name, ["reference"]).map(|near| format!("did you mean `{near}`?"));
            let help =
                near.unwrap_or_else(|| "write `reference`, `alternative-…` or `wrong-…`, in lower case".to_owned());
            lint.error(&steps, format!("`{name}` is no name for a control"), help);
        }
        if changes.is_empty() {
            let help = "write its changes; doing nothing is proved for every lab anyway";
            lint.error(&steps, format!("the control `{name}` is empty"), help);
        }
    }
    let count = |prefix: &str| controls.keys().filter(|name| name.starts_with(prefix)).count();
    let (alternatives, wrong) = (count("alternative-"), count("wrong-"));
    if !controls.contains_key("reference") {
        lint.error(&["controls"], "there is no `reference`", "write the fix that the debrief tells");
    }
    if alternatives == 0 {
        let help = "write another honest fix, so that the checks are known to judge the effect";
        lint.error(&["controls"], "there is no `alternative-…`", help);
    }
    if wrong < 2 {
        let help = "write two fixes that look right and are not";
        lint.error(&["controls"], format!("the lab has {wrong} of two `wrong-…`"), help);
    }
    let all: Vec<_> = controls.iter().collect();
    for (index, (name, changes)) in all.iter().enumerate() {
        let same = all.iter().take(index).find(|(_, before)| before == changes && !changes.is_empty());
        if let Some((first, _)) = same {
            let message = format!("the controls `{first}` and `{name}` are the same");
            lint.error(&["controls", name.as_str()], message, "keep one");
        }
    }
}
