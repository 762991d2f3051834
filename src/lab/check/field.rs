//! `field`: a CEL expression over an object.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Owner;

/// A CEL expression that must be true of the object, or of every object chosen. `object` is the object as the API
/// returns it, `baseline` the same object when the lab was handed over (null where there was none).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Field {
    pub kind: String,
    /// Absent: every object of the kind that belongs to the lab (and carries `labels`). At least one must exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Only pods that belong to this workload, Kubernetes: the live ones, where an edit leaves the template alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owned_by: Option<Owner>,
    /// The expression; must yield a bool. An absent field makes it `not met`, not an error.
    pub cel: String,
    /// What the expression says, in words for the learner. `not met` shows this.
    pub wanted: String,
}
