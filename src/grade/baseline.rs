//! The system as it was handed over, kept with the session and never in the learner's reach.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Every object of the lab as the API returned it, after the fault and before the learner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    pub taken: Timestamp,
    /// By kind.
    pub objects: BTreeMap<String, Vec<Value>>,
}
