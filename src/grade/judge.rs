//! How a check is judged: which queries it needs, and what it says of their answers.

use breakfix_lab::{Platform, check::Check};
use jiff::Timestamp;

use crate::{Baseline, Observation, Query, Verdict, query::Scope};

/// Everything a verdict may depend on.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    pub platform: Platform,
    pub scope: &'a Scope,
    pub observation: &'a Observation,
    pub baseline: &'a Baseline,
    /// When the objective's trigger was pulled.
    pub triggered: Option<Timestamp>,
}

/// A word of the check vocabulary.
pub trait Judge {
    /// What must be fetched. Pure; asked before every observation.
    fn queries(&self, platform: Platform, scope: &Scope) -> Vec<Query>;

    /// The verdict. A query without an answer, or with a failure, is `unknown`.
    fn judge(&self, view: &View<'_>) -> Verdict;
}

impl Judge for Check {
    fn queries(&self, _platform: Platform, _scope: &Scope) -> Vec<Query> {
        Vec::new()
    }

    fn judge(&self, _view: &View<'_>) -> Verdict {
        Verdict::Unknown { reason: "not judged yet".to_owned() }
    }
}
