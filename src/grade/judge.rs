//! How a check is judged: which queries it needs, and what it says of their answers.

use breakfix_lab::{Platform, check::Check};
use jiff::{SignedDuration, Timestamp};

use crate::{Baseline, Observation, Query, Verdict, composition, query::Scope};

/// Everything a verdict may depend on.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    pub platform: Platform,
    pub scope: &'a Scope,
    pub observation: &'a Observation,
    pub baseline: &'a Baseline,
    /// When the objective's trigger was pulled.
    pub triggered: Option<Timestamp>,
    /// How much further back all of the target's dates lie than in the baseline.
    pub moved: Moved,
}

/// By how much a target has moved all its dates into the past: time that it skipped left its own date ahead of the wall's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Before it was looked at.
    pub by: SignedDuration,
    /// While it was looked at: its dates lie anywhere in between.
    pub meanwhile: SignedDuration,
}

/// A word of the check vocabulary.
pub trait Judge {
    /// What must be fetched. Pure; asked before every observation.
    fn queries(&self, platform: Platform, scope: &Scope) -> Vec<Query>;

    /// The verdict. A query without an answer, or with a failure, is `unknown`.
    fn judge(&self, view: &View<'_>) -> Verdict;

    /// What is wrong with the check as it is written: an expression that cannot be read, a kind that the word does not know.
    /// Each a sentence for the lab's author. Needs no system.
    fn problems(&self) -> Vec<String> {
        Vec::new()
    }
}

impl Judge for Check {
    fn queries(&self, platform: Platform, scope: &Scope) -> Vec<Query> {
        match of(self) {
            Shape::All(checks) | Shape::Any(checks) | Shape::None(checks) => {
                checks.iter().flat_map(|check| check.queries(platform, scope)).collect()
            }
            Shape::Word(word) => word.queries(platform, scope),
        }
    }

    fn judge(&self, view: &View<'_>) -> Verdict {
        match of(self) {
            Shape::All(checks) => composition::all(checks, view),
            Shape::Any(checks) => composition::any(checks, view),
            Shape::None(checks) => composition::none(checks, view),
            Shape::Word(word) => word.judge(view),
        }
    }

    fn problems(&self) -> Vec<String> {
        match of(self) {
            Shape::All([]) | Shape::Any([]) | Shape::None([]) => vec!["the list of checks is empty".to_owned()],
            Shape::All(checks) | Shape::Any(checks) | Shape::None(checks) => {
                checks.iter().flat_map(Judge::problems).collect()
            }
            Shape::Word(word) => word.problems(),
        }
    }
}

/// A check is a composition of others or a word; the one list that knows all words.
enum Shape<'a> {
    All(&'a [Check]),
    Any(&'a [Check]),
    None(&'a [Check]),
    Word(&'a dyn Judge),
}

fn of(check: &Check) -> Shape<'_> {
    Shape::Word(match check {
        Check::All(checks) => return Shape::All(checks),
        Check::Any(checks) => return Shape::Any(checks),
        Check::None(checks) => return Shape::None(checks),
        Check::Http(word) => word,
        Check::RoundTrip(word) => word,
        Check::Endpoints(word) => word,
        Check::RolledOut(word) => word,
        Check::Field(word) => word,
        Check::Identity(word) => word,
        Check::Unchanged(word) => word,
        Check::ScaleKept(word) => word,
        Check::NoNewPower(word) => word,
        Check::Events(word) => word,
        Check::Published(word) => word,
        Check::Access(word) => word,
        Check::DryRun(word) => word,
        Check::Restarts(word) => word,
        Check::Objects(word) => word,
        Check::Logs(word) => word,
        Check::Image(word) => word,
        Check::Processes(word) => word,
        Check::File(word) => word,
        Check::Steady(word) => word,
        Check::Targets(word) => word,
        Check::Policy(word) => word,
    })
}

#[cfg(test)]
mod tests;
