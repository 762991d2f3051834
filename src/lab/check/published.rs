//! `published`: on which of the machine's addresses a container's port can be reached.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Every port that the container publishes now (`NetworkSettings.Ports`, not what was asked for) is bound to one of these
/// host addresses, and at least one is published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Published {
    pub container: String,
    /// `127.0.0.1`, `::1`.
    pub only_on: Vec<String>,
}
