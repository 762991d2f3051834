//! `logs`: what a workload's containers have said.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Owner;

/// Lines of the logs of a workload's running pods, of each container's present run. What is to be new says `${run}`.
///
/// ```yaml
/// logs: {of: {kind: Deployment, name: log-store}, contains: "from db-0"}
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Logs {
    pub of: Owner,
    /// The container; absent where the pods have one only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// One line at least says this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
    /// No line says this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lacks: Option<String>,
}
