//! `events`: what the engine said happened to a container.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Span;

/// What happened since the objective's trigger (without a trigger: since the check began). At least one of `none` and `ended`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Events {
    /// The container's name; the events of every container that bore it are looked at.
    pub container: String,
    /// None of these happened. The engine's own words: `oom`, `die`, `kill`, `restart`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub none: Vec<String>,
    /// The container's program ended at least once, and every time like this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
}

/// How a program has to end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ended {
    /// Exit codes that are well: `[0, 143]`.
    pub codes: Vec<i64>,
    /// The time from the first signal to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Span>,
}
