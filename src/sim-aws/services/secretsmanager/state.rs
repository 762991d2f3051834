//! What Secrets Manager keeps: secrets and their versions.

use std::collections::BTreeMap;

use breakfix_sim::SimTime;
use serde::{Deserialize, Serialize};

pub const CURRENT: &str = "AWSCURRENT";
pub const PREVIOUS: &str = "AWSPREVIOUS";

/// What the service keeps.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// By name.
    pub secrets: BTreeMap<String, Secret>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Secret {
    pub name: String,
    /// With the six letters that tell a secret from an earlier one of its name.
    pub arn: String,
    pub description: Option<String>,
    /// Key as it was named; none: AWS's own key `aws/secretsmanager`.
    pub kms_key: Option<String>,
    pub created: SimTime,
    pub changed: SimTime,
    pub accessed: Option<SimTime>,
    /// When it was deleted, and when it will be gone for good.
    pub deleted: Option<(SimTime, SimTime)>,
    pub tags: BTreeMap<String, String>,
    pub policy: Option<String>,
    /// In the order in which they were made.
    pub versions: Vec<Version>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Version {
    pub id: String,
    pub created: SimTime,
    pub stages: Vec<String>,
    pub content: Content,
    /// Id of the key that it is encrypted with.
    pub key: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Content {
    Text(String),
    /// Base 64.
    Binary(String),
}

impl State {
    /// The secret of a name, a whole ARN, or an ARN without its last seven letters.
    pub fn find(&self, id: &str, now: SimTime) -> Option<&Secret> {
        let found = match id.starts_with("arn:") {
            false => self.secrets.get(id),
            true => self.secrets.values().find(|secret| {
                secret.arn == id
                    || secret.arn.strip_prefix(id).is_some_and(|rest| rest.len() == 7 && rest.starts_with('-'))
            }),
        };
        found.filter(|secret| secret.deleted.is_none_or(|(_, gone)| now < gone))
    }
}

impl Secret {
    /// Puts a stage on a version; the one that had it loses it, and where it is the current one, becomes the previous one.
    pub fn move_stage(&mut self, stage: &str, to: &str) {
        let holder = self.versions.iter().position(|version| version.stages.iter().any(|it| it == stage));
        if stage == CURRENT
            && let Some(holder) = holder.filter(|at| self.versions.get(*at).is_some_and(|it| it.id != to))
        {
            self.take_stage(PREVIOUS);
            if let Some(version) = self.versions.get_mut(holder) {
                version.stages.push(PREVIOUS.to_owned());
            }
        }
        self.take_stage(stage);
        if let Some(version) = self.versions.iter_mut().find(|version| version.id == to) {
            version.stages.push(stage.to_owned());
            if stage == CURRENT {
                version.stages.retain(|it| it != PREVIOUS);
            }
        }
    }

    pub fn take_stage(&mut self, stage: &str) {
        for version in &mut self.versions {
            version.stages.retain(|it| it != stage);
        }
    }

    /// Versions without a stage are forgotten when there are more than a hundred (user guide, "Secret versions").
    pub fn forget(&mut self) {
        while self.versions.len() > 100 {
            match self.versions.iter().position(|version| version.stages.is_empty()) {
                Some(at) => drop(self.versions.remove(at)),
                None => return,
            }
        }
    }
}
