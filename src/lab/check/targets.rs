//! `targets`: whom a target group sends requests to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The targets of a group are the addresses of a service's running tasks, all of them and nobody else's, and every one is healthy.
///
/// ```yaml
/// targets: {group: web, service: web, healthy: 2}
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Targets {
    /// The target group's name.
    pub group: String,
    /// Whose tasks the targets must be.
    pub service: String,
    /// At least so many healthy ones. Default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub healthy: Option<u32>,
}
