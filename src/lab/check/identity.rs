//! `identity`: the object is still the one that was handed over.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::lab::Exception;

/// Same uid (Kubernetes) or id (Docker networks), same mark and mount point (Docker volumes) as in the baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Every object of these kinds that the baseline holds.
    pub kinds: Vec<String>,
    /// Only the one of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<Exception>,
}
