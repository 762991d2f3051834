//! Running the rules over a lab.

use std::{borrow::Cow, collections::BTreeMap};

use super::{
    comments, controls, debrief, documents, fault, files, hints, images, judged, live, names, objects, parameters,
    points, questions, references, safeguards, spoilers, surroundings, texts, triggers,
};
use crate::{
    Check, LabSource, LoadedLab,
    load::LAB_FILE,
    problem::{Place, Problem},
    yaml::Page,
};

/// What the grader says of a check as it is written (an expression that cannot be read, a kind that its word does not
/// know), each a sentence; empty when all is well. Called for every word, never for `all`, `any` and `none`.
pub type Judged<'a> = &'a dyn Fn(&Check) -> Vec<String>;

/// One rule of the linter.
pub struct Rule {
    /// As it stands in a problem's `rule`.
    pub name: &'static str,
    /// Why labs are held to it.
    pub why: &'static str,
    /// Whether it compares the lab with its system; then it waits until every document can be read.
    pub(super) whole: bool,
    pub(super) check: fn(&mut Lint<'_>),
}

/// Every rule, in the order of the guide for lab authors.
pub const RULES: &[Rule] = &[
    names::RULE,
    texts::RULE,
    files::RULE,
    documents::RULE,
    comments::RULE,
    fault::RULE,
    spoilers::RULE,
    points::RULE,
    triggers::RULE,
    surroundings::RULE,
    live::RULE,
    judged::RULE,
    objects::RULE,
    references::RULE,
    images::RULE,
    parameters::RULE,
    hints::RULE,
    safeguards::RULE,
    questions::RULE,
    controls::RULE,
    debrief::RULE,
];

/// Problems of these rules mean that a part of the lab is missing from what was read.
const UNREAD: [&str; 3] = ["yaml", "document", "files"];

/// All that is wrong with a lab: what its reading finds, then what the rules find. Sorted by file and place.
pub fn lint(source: &LabSource, judged: Judged<'_>) -> Vec<Problem> {
    let loading = source.examine(None);
    let mut problems = loading.problems;
    if let Some(lab) = &loading.lab {
        let whole = !problems.iter().any(|problem| problem.is_error() && UNREAD.contains(&problem.rule));
        for rule in RULES.iter().filter(|rule| whole || !rule.whole) {
            let mut lint = Lint { lab, judged, rule: rule.name, problems: Vec::new() };
            (rule.check)(&mut lint);
            problems.append(&mut lint.problems);
        }
    }
    problems.sort();
    problems.dedup();
    problems
}

/// What a rule works with: the lab, and where it puts what it finds.
pub struct Lint<'a> {
    pub(super) lab: &'a LoadedLab,
    pub(super) judged: Judged<'a>,
    rule: &'static str,
    problems: Vec<Problem>,
}

impl<'a> Lint<'a> {
    /// An error at a place of `lab.yaml`: keys and indexes from the root.
    pub(super) fn error(&mut self, steps: &[impl AsRef<str>], message: impl Into<String>, help: impl Into<String>) {
        let place = self.lab.place_of(steps);
        self.push(LAB_FILE, place, message, help);
    }

    /// The same as a warning.
    pub(super) fn warn(&mut self, steps: &[impl AsRef<str>], message: impl Into<String>, help: impl Into<String>) {
        self.error(steps, message, help);
        self.soften();
    }

    /// An error at a place of any file of the folder; an empty path means the folder.
    pub(super) fn error_in(&mut self, path: &str, place: Place, message: impl Into<String>, help: impl Into<String>) {
        self.push(path, place, message, help);
    }

    fn push(&mut self, path: &str, place: Place, message: impl Into<String>, help: impl Into<String>) {
        let mut problem = Problem::error(self.rule, &self.lab.source.shown(path), place, message);
        problem.help = Some(help.into()).filter(|help| !help.is_empty());
        self.problems.push(problem);
    }

    fn soften(&mut self) {
        if let Some(problem) = self.problems.pop() {
            self.problems.push(problem.warning());
        }
    }

    /// The folder's files as bytes, by path.
    pub(super) fn bytes(&self) -> &'a BTreeMap<String, Cow<'static, [u8]>> {
        self.lab.source.files()
    }

    /// The YAML files with places, by path.
    pub(super) fn pages(&self) -> &'a BTreeMap<String, Page> {
        &self.lab.pages
    }
}
