//! `processes`: what runs in a container (Docker).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The processes of a container, as a probe in its PID namespace sees them. Every key given must hold; at least one is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Processes {
    pub container: String,
    /// At most so many have ended without anybody having waited for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zombies_max: Option<u32>,
    /// None is root's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unprivileged: bool,
}
