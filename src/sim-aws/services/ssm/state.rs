//! What Parameter Store keeps.

use std::collections::BTreeMap;

use breakfix_sim::SimTime;
use serde::{Deserialize, Serialize};

/// What the service keeps.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// By name: `/shop/price-list`.
    pub parameters: BTreeMap<String, Parameter>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    pub name: String,
    pub tags: BTreeMap<String, String>,
    /// A hundred at most; the last is in force.
    pub versions: Vec<Version>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Version {
    pub number: u64,
    /// `String`, `StringList`, `SecureString`.
    pub kind: String,
    pub value: String,
    /// Key as it was named and its id; of a `SecureString` only.
    pub key: Option<(String, String)>,
    pub description: Option<String>,
    pub pattern: Option<String>,
    /// `Standard`, `Advanced`.
    pub tier: String,
    pub data_type: String,
    pub modified: SimTime,
    /// ARN of who wrote it.
    pub by: String,
    pub labels: Vec<String>,
}
