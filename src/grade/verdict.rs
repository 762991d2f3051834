//! Three verdicts, never two.

use serde::{Deserialize, Serialize};

/// What a check says of one observation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "verdict")]
pub enum Verdict {
    /// It is so.
    Met { evidence: Evidence },
    /// It is observed not to be so.
    NotMet { reason: String, evidence: Evidence },
    /// It could not be observed: trouble of ours or of the system's API. Never a wrong answer, never a right one.
    Unknown { reason: String },
}

/// What was wanted, what was found, and where a learner might look next (never the cause).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    pub wanted: String,
    pub found: String,
    /// A command of the learner's own tools that shows more; none where it would give the answer away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look: Option<String>,
}

impl Verdict {
    /// `met`, `not_met` or `unknown`, as result files say it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Met { .. } => "met",
            Self::NotMet { .. } => "not_met",
            Self::Unknown { .. } => "unknown",
        }
    }

    pub fn is_met(&self) -> bool {
        matches!(self, Self::Met { .. })
    }

    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown { .. })
    }
}
