//! What a check run judges: the lab's questions, what they are compared with, and what the session already knows.

use std::{collections::BTreeSet, sync::Arc};

use breakfix_lab::{
    LoadedLab, Platform,
    check::Check,
    lab::{Objective, Safeguard},
};
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use crate::{Baseline, Judge, Moved, Observation, Query, Verdict, View, query::Scope};

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
    /// How much further back all of the target's dates lie than when the baseline was taken; see [`Plan::dates_moved`](crate::plan::Plan::dates_moved).
    pub moved: Moved,
}

/// What stands for the run's own word in a lab's texts; see [`Case::with_run`].
const RUN_MARK: &str = "${run}";

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
            moved: Moved::default(),
        }
    }

    /// With this word for `${run}` wherever it stands: in what a trigger writes and in what its check reads back. It must not be
    /// known beforehand.
    ///
    /// # Errors
    /// The word would break the checks' form: it has other signs than letters, digits and `-`.
    pub fn with_run(mut self, word: &str) -> Result<Self, serde_json::Error> {
        let plain = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !plain {
            return Err(serde::de::Error::custom("the word of a run is letters, digits and `-`"));
        }
        self.objectives = filled(&self.objectives, word)?;
        self.safeguards = filled(&self.safeguards, word)?;
        Ok(self)
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
        View {
            platform: self.platform,
            scope: &self.scope,
            observation,
            baseline: &self.baseline,
            triggered,
            moved: self.moved,
        }
    }
}

/// A copy with the word filled in. The texts are JSON by then, and the word needs no escape.
fn filled<T: Serialize + DeserializeOwned>(value: &T, word: &str) -> Result<T, serde_json::Error> {
    serde_json::from_str(&serde_json::to_string(value)?.replace(RUN_MARK, word))
}

#[cfg(test)]
mod tests;
