//! `rolled_out`: the workload runs as declared, all of it, in its current generation.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Span;

/// observedGeneration = generation; updated = ready = available = desired, and desired is not 0; not paused; the
/// Progressing condition reads `NewReplicaSetAvailable`; no container restarted within `quiet`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RolledOut {
    pub kind: String,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Default 30s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet: Option<Span>,
}
