//! `round_trip`: what was written through one door is read back through another.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Caller, Request};

/// Write, then read back; `${nonce}` in both requests stands for a value made new for this check, and
/// the answer to the second must contain it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoundTrip {
    pub write: Leg,
    pub read: Leg,
}

/// One of the two requests; both must be answered with status 200 to 299.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Leg {
    #[serde(default)]
    pub from: Caller,
    pub request: Request,
}
