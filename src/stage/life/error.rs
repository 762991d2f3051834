//! Why a step of a session could not be made.

use std::io;

use crate::{TargetError, home::HomeError};

/// Trouble in the life of a session.
#[derive(Debug, thiserror::Error)]
pub enum LifeError {
    #[error(transparent)]
    Target(#[from] TargetError),
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The journal could not be written or read; nothing was done to the system after that.
    #[error("could not keep the journal: {0}")]
    Journal(#[from] io::Error),
    /// The target cannot show what the lab is about.
    #[error("`{lab}` is unsupported here: the target `{target}` has no {}", missing.join(", no "))]
    Unsupported { lab: String, target: String, missing: Vec<String> },
    /// The same, as it showed when the lab was to be opened on somebody else's make of the API.
    #[error("`{lab}` is unsupported here: the target `{target}` cannot show it ({what})")]
    Unshown { lab: String, target: String, what: String },
    /// Something of somebody else's bears a name that the lab needs.
    #[error("`{lab}` cannot open: {}", clashes.join("; "))]
    Clash { lab: String, clashes: Vec<String> },
    /// The healthy system did not become healthy: trouble of the target's, not the learner's.
    #[error("the healthy system of `{lab}` did not come up within {seconds} s: {}", open.join("; "))]
    NeverHealthy { lab: String, seconds: u64, open: Vec<String> },
    /// The fault does not show: these objectives are met, or cannot be checked, before the learner has done anything.
    #[error("`{lab}` would be no exercise: {}", open.join("; "))]
    NotBroken { lab: String, open: Vec<String> },
    /// A lab says something that only this step could notice.
    #[error("`{lab}`: {what}")]
    Lab { lab: String, what: String },
}

/// No room: the disk, the learner's share of it, or the largest file allowed.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge)
}

impl LifeError {
    /// Whether the lab is not for this target, which is nobody's failure.
    pub fn is_unsupported(&self) -> bool {
        matches!(self, Self::Unsupported { .. } | Self::Unshown { .. })
    }

    /// What to try.
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Target(error) => error.hints.clone(),
            Self::Home(error) => error.hint().into_iter().collect(),
            Self::Journal(error) if is_full(error) => {
                vec!["The disk is full; nothing more was done to the system. Free some space and try again.".to_owned()]
            }
            Self::Unsupported { .. } | Self::Unshown { .. } => {
                vec!["Try another target: `breakfix list` shows where each lab runs.".to_owned()]
            }
            Self::Clash { .. } => vec![
                "Rename or remove what is in the way (breakfix touches only what it made), then start again."
                    .to_owned(),
            ],
            Self::NeverHealthy { .. } => vec!["`breakfix doctor` looks at the machine and the target.".to_owned()],
            Self::NotBroken { .. } => vec!["This is a fault of the lab or of the target, not yours.".to_owned()],
            Self::Journal(_) | Self::Lab { .. } => Vec::new(),
        }
    }
}
