//! `steady`: a service has done what it was asked to, and stays so.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Span;

/// One PRIMARY deployment whose rollout is COMPLETED and no other, running = desired, nothing pending, no task stopped for `quiet`, and in
/// each of its target groups the current tasks' addresses are all the targets there are, every one healthy.
///
/// ```yaml
/// steady: {service: web}
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Steady {
    /// The service's name.
    pub service: String,
    /// How many tasks it must want. Absent: as many as when the lab was handed over, or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desired: Option<u32>,
    /// How long no task of it may have stopped. Default 20s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet: Option<Span>,
}
