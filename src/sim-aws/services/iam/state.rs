//! What IAM keeps: users, roles, customer managed policies, instance profiles.

use std::collections::BTreeMap;

use breakfix_sim::SimTime;
use serde::{Deserialize, Serialize};

use super::principals::LEARNER;
use crate::cloud::Config;

/// What the service keeps. Names are unique without regard to path, and to case (the API's reference on `RoleName`, `UserName`).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// By name.
    pub users: BTreeMap<String, User>,
    /// By name.
    pub roles: BTreeMap<String, Role>,
    /// Customer managed policies by ARN; those of AWS are in `managed`.
    pub policies: BTreeMap<String, ManagedPolicy>,
    /// By name.
    pub instance_profiles: BTreeMap<String, InstanceProfile>,
}

/// What may carry policies: a user or a role.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Grants {
    /// Inline policies: name → document as it was sent.
    pub inline: BTreeMap<String, String>,
    /// ARNs of attached managed policies, in the order of attachment.
    pub attached: Vec<String>,
    /// ARN of the managed policy that bounds it.
    pub boundary: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct User {
    pub name: String,
    pub id: String,
    pub arn: String,
    pub path: String,
    pub created: SimTime,
    pub tags: BTreeMap<String, String>,
    pub grants: Grants,
    pub access_keys: Vec<AccessKey>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccessKey {
    pub id: String,
    pub secret: String,
    pub active: bool,
    pub created: SimTime,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Role {
    pub name: String,
    pub id: String,
    pub arn: String,
    pub path: String,
    pub created: SimTime,
    /// The trust policy as it was sent.
    pub trust: String,
    pub description: Option<String>,
    /// Seconds.
    pub max_session: u32,
    pub tags: BTreeMap<String, String>,
    pub grants: Grants,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ManagedPolicy {
    pub name: String,
    pub id: String,
    pub arn: String,
    pub path: String,
    pub description: Option<String>,
    pub created: SimTime,
    pub updated: SimTime,
    pub tags: BTreeMap<String, String>,
    pub versions: Vec<PolicyVersion>,
    /// The number of the version in force.
    pub default_version: u32,
    /// The number of the next version; numbers are never used again.
    pub next_version: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PolicyVersion {
    pub number: u32,
    pub document: String,
    pub created: SimTime,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InstanceProfile {
    pub name: String,
    pub id: String,
    pub arn: String,
    pub path: String,
    pub created: SimTime,
    /// Name of its one role.
    pub role: Option<String>,
    pub tags: BTreeMap<String, String>,
}

impl State {
    /// The account as it is when it begins: the learner's user, and nobody else.
    pub fn starting(config: &Config) -> Self {
        let learner = User {
            name: LEARNER.to_owned(),
            id: "AIDABREAKFIXLEARNER01".to_owned(),
            arn: format!("arn:aws:iam::{}:user/{LEARNER}", config.account),
            path: "/".to_owned(),
            created: SimTime(0),
            tags: BTreeMap::new(),
            grants: Grants {
                attached: vec!["arn:aws:iam::aws:policy/AdministratorAccess".to_owned()],
                ..Grants::default()
            },
            access_keys: vec![AccessKey {
                id: config.learner.access_key_id.clone(),
                secret: config.learner.secret_access_key.clone(),
                active: true,
                created: SimTime(0),
            }],
        };
        Self { users: BTreeMap::from([(LEARNER.to_owned(), learner)]), ..Self::default() }
    }

    /// The role of exactly this ARN, path included.
    pub fn role_by_arn(&self, arn: &str) -> Option<&Role> {
        let role = self.roles.get(arn.rsplit('/').next()?)?;
        (role.arn == arn).then_some(role)
    }
}

impl ManagedPolicy {
    /// The document in force.
    pub fn document(&self) -> Option<&str> {
        let version = self.versions.iter().find(|version| version.number == self.default_version)?;
        Some(&version.document)
    }
}
