//! `endpoints`: which pods a Service really sends its traffic to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Owner;

/// The ready endpoints of a Service, over all its EndpointSlices together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Endpoints {
    pub service: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// They are exactly the Ready pods of this workload, by address and uid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owned_by: Option<Owner>,
    /// No pod of this workload is among them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub never: Option<Owner>,
    /// There are exactly so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready: Option<u32>,
    /// There are at least so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<u32>,
}
