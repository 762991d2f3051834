//! `events`: what the engine said happened to a container.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// None of these actions since the objective's trigger (without a trigger: since the check began).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Events {
    /// The container's name; the events of every container that bore it are looked at.
    pub container: String,
    /// The engine's own words: `oom`, `die`, `kill`, `restart`.
    pub none: Vec<String>,
}
