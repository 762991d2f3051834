//! What a check run found, as `check --json` prints it and result files keep it.

use serde::{Deserialize, Serialize};

use crate::Verdict;

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
    pub objectives: Vec<ObjectiveResult>,
    pub safeguards: Vec<SafeguardResult>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ObjectiveResult {
    pub name: String,
    pub title: String,
    pub points: u32,
    #[serde(flatten)]
    pub verdict: Verdict,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SafeguardResult {
    pub name: String,
    pub title: String,
    /// `recoverable` or `catastrophic`.
    pub severity: String,
    /// Points this costs now.
    pub cost: u32,
    /// Violated earlier in this session, which sticks (`always`).
    pub sticky: bool,
    #[serde(flatten)]
    pub verdict: Verdict,
}
