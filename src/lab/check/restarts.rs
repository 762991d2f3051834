//! `restarts`: containers that were started again, or were not.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Span;

/// Restarts of a workload's containers since the objective's trigger; without a trigger within `within`.
///
/// ```yaml
/// restarts: {kind: Deployment, name: web, expect: none}
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Restarts {
    pub kind: String,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    pub expect: Expected,
    /// Only ends with this reason: `OOMKilled`, `Error`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How far back to look where there was no trigger. Default 60s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Span>,
}

/// What is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Expected {
    /// No container ended or was restarted, and every one runs.
    None,
    /// One at least was restarted.
    Some,
}
