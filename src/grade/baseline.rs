//! The system as it was handed over, kept with the session and never in the learner's reach.

use std::collections::{BTreeMap, BTreeSet};

use breakfix_lab::LoadedLab;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Failure, Fetched, Judge, Observation, Query, query::Scope};

/// Every object of the lab as the API returned it, after the fault and before the learner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    pub taken: Timestamp,
    /// By kind. A kind that was looked for and not found is an empty list; one without an entry was never looked for, and
    /// checks that would compare with it are `unknown`.
    pub objects: BTreeMap<String, Vec<Value>>,
    /// What the lab's `remember` got from the healthy system: bodies by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub remembered: BTreeMap<String, String>,
    /// The date of the target's time zero, where it has one: by as much as it has changed since, all dates were moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<Timestamp>,
}

impl Baseline {
    /// What must be fetched for the baseline: every list of objects that one of the lab's checks will ask for.
    pub fn queries(lab: &LoadedLab, scope: &Scope) -> BTreeSet<Query> {
        let objectives = lab.lab.objectives.iter().flat_map(|it| it.guard.iter().chain([&it.check]));
        let checks = objectives.chain(lab.safeguards().iter().map(|it| &it.check));
        checks
            .flat_map(|check| check.queries(lab.platform(), scope))
            .filter(|query| matches!(query, Query::Objects { .. }))
            .collect()
    }

    /// The baseline from the answers to [`Baseline::queries`].
    ///
    /// # Errors
    /// The first query that failed: a baseline with holes would turn into wrong verdicts later.
    pub fn from_observation(observation: &Observation) -> Result<Self, Failure> {
        let mut objects: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for (query, answer) in &observation.answers {
            let Query::Objects { kind, .. } = query else { continue };
            let Fetched::Objects(found) = answer.as_ref().map_err(Clone::clone)? else { continue };
            let known = objects.entry(kind.clone()).or_default();
            for object in found {
                // Two namespaces asked for a cluster-scoped kind get the same objects.
                if !known.contains(object) {
                    known.push(object.clone());
                }
            }
        }
        Ok(Self { taken: observation.at, objects, remembered: BTreeMap::new(), epoch: None })
    }

    /// An empty one, for a system that holds nothing.
    pub fn empty(taken: Timestamp) -> Self {
        Self { taken, objects: BTreeMap::new(), remembered: BTreeMap::new(), epoch: None }
    }
}

#[cfg(test)]
mod tests;
