//! One learner's run of one lab on one target, as it is kept on disk.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use breakfix_grade::Baseline;
use breakfix_lab::{LoadedLab, Platform, values::Values};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Home,
    home::{HomeError, make_private, read_json, write_json},
    target::{Reach, TargetName},
};

/// The version of `session.json` that this breakfix writes.
pub const VERSION: u32 = 1;

/// What is kept of a session. The system itself is on the target; the journal says what is being done to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    pub version: u32,
    /// The lab's name and four random letters.
    pub id: String,
    pub lab: String,
    pub title: String,
    /// SHA-256 of the lab's folder when the session began.
    pub digest: String,
    /// The folder that the lab was loaded from; none for a lab that ships inside the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labs: Option<PathBuf>,
    pub platform: Platform,
    pub target: TargetName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    pub values: Values,
    pub opened: Timestamp,
    pub phase: Phase,
    /// How the target was asked for, so that later commands find the same one.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
    #[serde(default)]
    pub reach: Reach,
    /// How many hints of each objective were shown.
    #[serde(default)]
    pub hints: BTreeMap<String, usize>,
    /// The first answer given to each question, by its number from 0, and whether it was right.
    #[serde(default)]
    pub answers: BTreeMap<usize, Answer>,
    /// The answers that were taken from the system when the lab opened, by the question's number from 0.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub expected: BTreeMap<usize, String>,
    /// Safeguards that were seen violated and stick.
    #[serde(default)]
    pub sticky: BTreeSet<String>,
    /// The best score so far, and when the lab was first solved.
    #[serde(default)]
    pub best: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub solved: Option<Timestamp>,
    /// How often `check` was asked.
    #[serde(default)]
    pub checks: u32,
    /// The verdicts of the last check, by objective.
    #[serde(default)]
    pub last: BTreeMap<String, String>,
    /// How many steps of a guided lab are done.
    #[serde(default)]
    pub step: usize,
    /// The learner has read the debrief before solving the lab; it does not count any more.
    #[serde(default)]
    pub gave_up: bool,
}

/// How far a session has come. Anything but `Open` at the start of a command means that the last one was cut short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    Opening,
    Open,
    Resetting,
    Stopping,
}

/// One answered question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub given: String,
    pub right: bool,
}

impl Session {
    fn file(home: &Home, id: &str) -> PathBuf {
        home.session(id).join("session.json")
    }

    /// The session's own folder.
    pub fn folder(&self, home: &Home) -> PathBuf {
        home.session(&self.id)
    }

    /// Reads a session; `None` if it has no file (a `start` that was cut short before it wrote one).
    ///
    /// # Errors
    /// The disk's, or the file is damaged.
    pub fn load(home: &Home, id: &str) -> Result<Option<Self>, HomeError> {
        read_json(&Self::file(home, id))
    }

    /// Writes the session, as a whole or not at all.
    ///
    /// # Errors
    /// The disk's.
    pub fn save(&self, home: &Home) -> Result<(), HomeError> {
        make_private(&home.session(&self.id))?;
        write_json(&Self::file(home, &self.id), self)
    }

    /// Reads the baseline; `None` while the session is not open.
    ///
    /// # Errors
    /// The disk's, or the file is damaged.
    pub fn baseline(&self, home: &Home) -> Result<Option<Baseline>, HomeError> {
        read_json(&baseline_file(&self.folder(home)))
    }

    /// What the hints taken so far cost, in points.
    pub fn hints_cost(&self, lab: &LoadedLab) -> u32 {
        let taken = |name: &str| self.hints.get(name).copied().unwrap_or(0);
        let objectives = lab.lab.objectives.iter();
        objectives.flat_map(|it| it.hints.iter().take(taken(&it.name))).map(|hint| hint.cost).sum()
    }

    /// Writes the baseline.
    ///
    /// # Errors
    /// The disk's.
    pub fn save_baseline(&self, home: &Home, baseline: &Baseline) -> Result<(), HomeError> {
        write_json(&baseline_file(&self.folder(home)), baseline)
    }
}

fn baseline_file(folder: &Path) -> PathBuf {
    folder.join("baseline.json")
}
