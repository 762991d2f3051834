//! Files of the folder that nothing uses.

use std::collections::BTreeSet;

use super::{Lint, Rule};
use crate::{
    Change, Check,
    load::{DEBRIEF_FILE, LAB_FILE, WORK, is_yaml},
    problem::Place,
    visit,
};

pub(super) const RULE: Rule = Rule {
    name: "files",
    why: "a file that nothing uses is a control that is never proved, or a spoiler that ships",
    whole: true,
    check,
};

fn check(lint: &mut Lint<'_>) {
    let applied: BTreeSet<&str> = visit::changes(&lint.lab.lab)
        .into_iter()
        .filter_map(|(_, change)| match change {
            Change::Apply(path) => Some(path.as_str()),
            Change::Write(write) => write.from.as_deref(),
            _ => None,
        })
        .chain(visit::checks(&lint.lab.lab).into_iter().filter_map(|(_, check)| match check {
            Check::DryRun(dry) => dry.create.as_deref(),
            _ => None,
        }))
        .collect();
    let unused: Vec<String> = lint
        .bytes()
        .keys()
        .filter(|path| {
            let known = [LAB_FILE, DEBRIEF_FILE].contains(&path.as_str());
            let system = path.starts_with("system/") && is_yaml(path) || path.starts_with(WORK);
            !known && !system && !applied.contains(path.as_str())
        })
        .cloned()
        .collect();
    for path in unused {
        let help = if path.starts_with("system/") {
            "documents of the system end in .yaml"
        } else {
            "apply it in a change, or delete it"
        };
        lint.error_in(&path, Place::default(), "nothing uses this file", help);
    }
    let empty: Vec<String> = lint
        .pages()
        .iter()
        .filter(|(path, page)| *path != LAB_FILE && page.documents.is_empty())
        .map(|(path, _)| path.clone())
        .collect();
    for path in empty {
        lint.error_in(&path, Place::default(), "the file holds no document", "write one, or delete the file");
    }
}
