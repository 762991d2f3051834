//! Comments and names of the healthy system that give the answer away.

use super::{Lint, Rule};
use crate::{problem::Place, words::words, yaml::Comment};

pub(super) const RULE: Rule = Rule {
    name: "comments",
    why: "the learner may read the system's documents and sees its names; neither may say where the fault is",
    whole: false,
    check,
};

/// Words that judge; a system that works has no use for them.
const TELLING: [&str; 26] = [
    "breakfix",
    "break",
    "breaks",
    "broken",
    "bug",
    "buggy",
    "correct",
    "corrected",
    "deliberate",
    "deliberately",
    "fault",
    "faulty",
    "fix",
    "fixed",
    "fixes",
    "healthy",
    "incorrect",
    "intentional",
    "intentionally",
    "invalid",
    "misconfigured",
    "mistake",
    "oops",
    "typo",
    "wrong",
    "wrongly",
];

fn check(lint: &mut Lint<'_>) {
    let mut found: Vec<(String, Place, String)> = Vec::new();
    for (path, page) in
        lint.pages().iter().filter(|(path, _)| ["system/", "base/"].iter().any(|it| path.starts_with(it)))
    {
        for Comment { place, text } in &page.comments {
            if let Some(word) = telling(text) {
                found.push((path.clone(), *place, format!("this comment says `{word}`")));
            }
        }
    }
    for document in &lint.lab.documents {
        if let Some(word) = telling(&document.name) {
            let place = Place { line: document.line, column: 1 };
            found.push((document.file.clone(), place, format!("the name `{}` says `{word}`", document.name)));
        }
    }
    for (path, place, message) in found {
        lint.error_in(&path, place, message, "say what is there, not whether it is right");
    }
}

fn telling(text: &str) -> Option<String> {
    words(text).find(|word| TELLING.contains(&word.as_str()))
}
