//! What a check run found, as `check --json` prints it and result files keep it.

use serde::{Deserialize, Serialize};

use crate::{
    Evidence, Verdict,
    score::{self, FORMULA},
};

/// The result of one `check`. Fields may be added; these stay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub lab: String,
    pub target: String,
    pub session: String,
    /// The version of the score formula.
    pub formula: String,
    /// 0 to 100.
    pub score: u32,
    pub solved: bool,
    /// What the hints taken so far cost, in points; part of the score.
    #[serde(default)]
    pub hints_cost: u32,
    pub objectives: Vec<ObjectiveResult>,
    pub safeguards: Vec<SafeguardResult>,
}

/// How an objective stands. In JSON `verdict` is a word, and `reason` and `evidence` are always there, null where there is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "ObjectiveRow", into = "ObjectiveRow")]
pub struct ObjectiveResult {
    pub name: String,
    pub title: String,
    pub points: u32,
    /// All that can be seen at once is met; only its trigger or its hold has not been run. Its verdict is `not_met` then.
    pub pending: bool,
    pub verdict: Verdict,
}

/// How a safeguard stands; in JSON as an objective.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "SafeguardRow", into = "SafeguardRow")]
pub struct SafeguardResult {
    pub name: String,
    pub title: String,
    /// `recoverable` or `catastrophic`.
    pub severity: String,
    /// Points this costs now.
    pub cost: u32,
    /// Violated earlier in this session, which sticks (`always`).
    pub sticky: bool,
    /// What was seen when it was violated during this run, though it may be met again.
    pub seen: Option<String>,
    pub verdict: Verdict,
}

/// How a check run ends, for exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Solved,
    NotYet,
    /// What stands between the learner and solved is nothing but what could not be checked.
    CouldNotCheck,
}

/// Why a lab must not open: every objective has to fail and every safeguard to hold before the learner has done anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpeningFault {
    /// The fault did not break it.
    ObjectiveMet {
        name: String,
    },
    ObjectiveUnknown {
        name: String,
        reason: String,
    },
    /// The learner would pay for it.
    SafeguardViolated {
        name: String,
        reason: String,
    },
    SafeguardUnknown {
        name: String,
        reason: String,
    },
}

impl Report {
    /// The report on these results, scored.
    pub fn new(
        lab: String,
        target: String,
        session: String,
        objectives: Vec<ObjectiveResult>,
        safeguards: Vec<SafeguardResult>,
        hints_cost: u32,
    ) -> Self {
        let score = score::score(&objectives, &safeguards, hints_cost);
        Self {
            lab,
            target,
            session,
            formula: FORMULA.to_owned(),
            score: score.points,
            solved: score.solved,
            hints_cost,
            objectives,
            safeguards,
        }
    }

    /// The exit status. What is observed to be wrong outweighs what is unknown; what was merely not tried yet does not.
    pub fn outcome(&self) -> Outcome {
        if self.solved {
            return Outcome::Solved;
        }
        let wrong = self.objectives.iter().any(|it| it.verdict.is_not_met() && !it.pending)
            || self.safeguards.iter().any(|it| it.verdict.is_not_met() || (it.is_catastrophic() && it.sticky));
        let unknown = self.objectives.iter().any(|it| it.verdict.is_unknown())
            || self.safeguards.iter().any(|it| it.verdict.is_unknown());
        if unknown && !wrong { Outcome::CouldNotCheck } else { Outcome::NotYet }
    }

    /// What keeps a lab from opening; empty for a proper opening.
    pub fn opening_faults(&self) -> Vec<OpeningFault> {
        let objectives = self.objectives.iter().filter_map(|it| {
            let name = it.name.clone();
            match &it.verdict {
                Verdict::NotMet { .. } if !it.pending => None,
                Verdict::Unknown { reason } => Some(OpeningFault::ObjectiveUnknown { name, reason: reason.clone() }),
                _ => Some(OpeningFault::ObjectiveMet { name }),
            }
        });
        let safeguards = self.safeguards.iter().filter_map(|it| {
            let name = it.name.clone();
            match &it.verdict {
                Verdict::Met { .. } => None,
                Verdict::NotMet { reason, .. } => {
                    Some(OpeningFault::SafeguardViolated { name, reason: reason.clone() })
                }
                Verdict::Unknown { reason } => Some(OpeningFault::SafeguardUnknown { name, reason: reason.clone() }),
            }
        });
        objectives.chain(safeguards).collect()
    }
}

impl SafeguardResult {
    pub fn is_catastrophic(&self) -> bool {
        self.severity == "catastrophic"
    }

    /// Now, or earlier where that sticks.
    pub fn is_violated(&self) -> bool {
        self.sticky || self.verdict.is_not_met()
    }
}

/// The stored form of an [`ObjectiveResult`].
#[derive(Serialize, Deserialize)]
struct ObjectiveRow {
    name: String,
    title: String,
    points: u32,
    #[serde(default)]
    pending: bool,
    verdict: Word,
    reason: Option<String>,
    evidence: Option<Evidence>,
}

/// The stored form of a [`SafeguardResult`].
#[derive(Serialize, Deserialize)]
struct SafeguardRow {
    name: String,
    title: String,
    severity: String,
    cost: u32,
    sticky: bool,
    #[serde(default)]
    seen: Option<String>,
    verdict: Word,
    reason: Option<String>,
    evidence: Option<Evidence>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    Met,
    NotMet,
    Unknown,
}

/// A verdict in three columns, and back.
fn columns(verdict: Verdict) -> (Word, Option<String>, Option<Evidence>) {
    match verdict {
        Verdict::Met { evidence } => (Word::Met, None, Some(evidence)),
        Verdict::NotMet { reason, evidence } => (Word::NotMet, Some(reason), Some(evidence)),
        Verdict::Unknown { reason } => (Word::Unknown, Some(reason), None),
    }
}

fn verdict(word: Word, reason: Option<String>, evidence: Option<Evidence>) -> Verdict {
    let (reason, evidence) = (reason.unwrap_or_default(), evidence.unwrap_or_default());
    match word {
        Word::Met => Verdict::Met { evidence },
        Word::NotMet => Verdict::NotMet { reason, evidence },
        Word::Unknown => Verdict::Unknown { reason },
    }
}

impl From<ObjectiveResult> for ObjectiveRow {
    fn from(result: ObjectiveResult) -> Self {
        let ObjectiveResult { name, title, points, pending, verdict } = result;
        let (verdict, reason, evidence) = columns(verdict);
        Self { name, title, points, pending, verdict, reason, evidence }
    }
}

impl From<ObjectiveRow> for ObjectiveResult {
    fn from(row: ObjectiveRow) -> Self {
        let ObjectiveRow { name, title, points, pending, verdict: word, reason, evidence } = row;
        Self { name, title, points, pending, verdict: verdict(word, reason, evidence) }
    }
}

impl From<SafeguardResult> for SafeguardRow {
    fn from(result: SafeguardResult) -> Self {
        let SafeguardResult { name, title, severity, cost, sticky, seen, verdict } = result;
        let (verdict, reason, evidence) = columns(verdict);
        Self { name, title, severity, cost, sticky, seen, verdict, reason, evidence }
    }
}

impl From<SafeguardRow> for SafeguardResult {
    fn from(row: SafeguardRow) -> Self {
        let SafeguardRow { name, title, severity, cost, sticky, seen, verdict: word, reason, evidence } = row;
        Self { name, title, severity, cost, sticky, seen, verdict: verdict(word, reason, evidence) }
    }
}

#[cfg(test)]
mod tests;
