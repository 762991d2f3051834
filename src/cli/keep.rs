//! What is kept of a learner across sessions: which labs were solved, and how.

use std::{collections::BTreeMap, path::PathBuf};

use breakfix_stage::{
    Home, Session,
    home::{HomeError, read_json, write_json},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A learner's progress.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// By lab name.
    pub labs: BTreeMap<String, LabProgress>,
}

/// How far a learner came in one lab.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LabProgress {
    pub title: String,
    /// Sessions begun.
    pub started: u32,
    /// The best score.
    pub best: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub solved: Option<Timestamp>,
    /// On which target it was solved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

impl Progress {
    fn file(home: &Home) -> PathBuf {
        home.root().join("progress.json")
    }

    /// # Errors
    /// The disk's, or the file is damaged.
    pub fn load(home: &Home) -> Result<Self, HomeError> {
        Ok(read_json(&Self::file(home))?.unwrap_or_default())
    }

    /// # Errors
    /// The disk's.
    pub fn save(&self, home: &Home) -> Result<(), HomeError> {
        write_json(&Self::file(home), self)
    }

    /// The lab's entry, made if need be.
    pub fn of(&mut self, session: &Session) -> &mut LabProgress {
        let entry = self.labs.entry(session.lab.clone()).or_default();
        entry.title.clone_from(&session.title);
        entry
    }

    pub fn is_solved(&self, lab: &str) -> bool {
        self.labs.get(lab).is_some_and(|it| it.solved.is_some())
    }
}
