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

impl Evidence {
    /// What was wanted and what was found, without a place to look.
    pub fn new(wanted: impl Into<String>, found: impl Into<String>) -> Self {
        Self { wanted: wanted.into(), found: found.into(), look: None }
    }

    /// With a command that shows more.
    #[must_use]
    pub fn look(mut self, look: Option<String>) -> Self {
        self.look = look;
        self
    }
}

impl Verdict {
    pub fn met(evidence: Evidence) -> Self {
        Self::Met { evidence }
    }

    pub fn not_met(reason: impl Into<String>, evidence: Evidence) -> Self {
        Self::NotMet { reason: reason.into(), evidence }
    }

    /// With a command that shows more, where it is not met and none is named yet.
    #[must_use]
    pub fn with_look(mut self, command: Option<String>) -> Self {
        if let Self::NotMet { evidence, .. } = &mut self {
            evidence.look = evidence.look.take().or(command);
        }
        self
    }

    pub fn unknown(reason: impl Into<String>) -> Self {
        Self::Unknown { reason: reason.into() }
    }

    /// Why it is not met, or why it is not known.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Met { .. } => None,
            Self::NotMet { reason, .. } | Self::Unknown { reason } => Some(reason),
        }
    }

    pub fn evidence(&self) -> Option<&Evidence> {
        match self {
            Self::Met { evidence } | Self::NotMet { evidence, .. } => Some(evidence),
            Self::Unknown { .. } => None,
        }
    }

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

    pub fn is_not_met(&self) -> bool {
        matches!(self, Self::NotMet { .. })
    }

    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown { .. })
    }
}
