//! Live values: used where they are known, and nowhere else.

use std::collections::BTreeSet;

use super::{Lint, Rule};
use crate::{Change, change::With, live, visit};

pub(super) const RULE: Rule = Rule {
    name: "live",
    why: "a `${live.NAME}` that nothing fills in reaches the system as it is written",
    whole: true,
    check,
};

fn check(lint: &mut Lint<'_>) {
    let lab = lint.lab;
    let mut filled = BTreeSet::new();
    for (path, change) in visit::changes(&lab.lab) {
        let steps: Vec<&str> = path.iter().map(String::as_str).collect();
        let Change::With(with) = change else {
            if !steps.contains(&"with") && !live::names(&serde_json::json!(change)).is_empty() {
                lint.error(&steps, "`${live.…}` outside `with`", "put the change into the `changes` of a `with`");
            }
            continue;
        };
        let mut asked = live::names(&serde_json::json!(with.changes));
        for file in applied(with) {
            let bodies = lab.applied(file).unwrap_or_default().iter().map(|document| &document.body);
            asked.extend(bodies.flat_map(live::names));
            filled.insert(file.to_owned());
        }
        for name in asked.iter().filter(|name| !with.live.contains_key(*name)) {
            lint.error(&steps, format!("`with` has no live value `{name}`"), "write it under `live`");
        }
        for name in with.live.keys().filter(|name| !asked.contains(*name)) {
            lint.error(&steps, format!("nothing uses the live value `{name}`"), format!("write `${{live.{name}}}`"));
        }
    }
    let documents =
        lab.documents.iter().chain(lab.files.iter().filter(|(file, _)| !filled.contains(*file)).flat_map(|(_, it)| it));
    let lost: Vec<(String, u32)> = documents
        .filter(|document| !live::names(&document.body).is_empty())
        .map(|document| (document.file.clone(), document.line))
        .collect();
    for (file, line) in lost {
        let place = crate::problem::Place { line, column: 1 };
        lint.error_in(&file, place, "`${live.…}` that nothing fills in", "apply the file inside a `with`");
    }
}

fn applied(with: &With) -> impl Iterator<Item = &str> {
    with.changes.iter().filter_map(|change| match change {
        Change::Apply(path) => Some(path.as_str()),
        _ => None,
    })
}
