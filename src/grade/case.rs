//! What a check run judges: the lab's questions, what they are compared with, and what the session already knows.

use std::{collections::BTreeSet, sync::Arc};

use breakfix_lab::{
    LoadedLab, Platform,
    check::Check,
    lab::{Objective, Safeguard},
};
use jiff::Timestamp;

use crate::{Baseline, Judge, Observation, Query, Verdict, View, query::Scope};

/// Everything a [`Plan`](crate::Plan) starts from. `target`, `session`, `sticky` and `hints_cost` are empty until set.
#[derive(Clone, Debug)]
pub struct Case {
    /// The lab's name.
    pub lab: String,
    pub platform: Platform,
    pub objectives: Vec<Objective>,
    /// House rules included.
    pub safeguards: Vec<Safeguard>,
    pub scope: Scope,
    pub baseline: Arc<Baseline>,
    pub target: String,
    pub session: String,
    /// The names of the `always` safeguards that were violated earlier in this session.
    pub sticky: BTreeSet<String>,
    /// What the hints taken so far cost, in points.
    pub hints_cost: u32,
}

impl Case {
    /// The case of a lab whose session has not seen anything yet.
    pub fn new(lab: &LoadedLab, baseline: Arc<Baseline>) -> Self {
        Self {
            lab: lab.id().to_owned(),
            platform: lab.platform(),
            objectives: lab.lab.objectives.clone(),
            safeguards: lab.safeguards().to_vec(),
            scope: Scope { namespace: lab.namespace().unwrap_or_default().to_owned() },
            baseline,
            target: String::new(),
            session: String::new(),
            sticky: BTreeSet::new(),
            hints_cost: 0,
        }
    }

    /// What one check of this case needs to see: for the steps of guided labs.
    pub fn queries(&self, check: &Check) -> BTreeSet<Query> {
        check.queries(self.platform, &self.scope).into_iter().collect()
    }

    /// What one check of this case says of an observation.
    pub fn judge(&self, check: &Check, observation: &Observation) -> Verdict {
        check.judge(&self.view(observation, None))
    }

    /// What a check of this case sees of an observation.
    pub(crate) fn view<'a>(&'a self, observation: &'a Observation, triggered: Option<Timestamp>) -> View<'a> {
        View { platform: self.platform, scope: &self.scope, observation, baseline: &self.baseline, triggered }
    }
}

#[cfg(test)]
mod tests;
