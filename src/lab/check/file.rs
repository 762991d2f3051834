//! `file`: what stands at a path in a container (Docker).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A file or folder as the engine shows it, mounts included; the container need not run. It must be there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct File {
    pub container: String,
    /// From the root: `/data/records`.
    pub path: String,
    /// Permission bits of which it has none: `"0002"` is "not everybody may write".
    pub mode_lacks: String,
}
