//! What was fetched from the system at one moment.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Query;

/// Answers to queries, taken at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// The system's own time when the first answer came.
    pub at: Timestamp,
    pub answers: BTreeMap<Query, Result<Fetched, Failure>>,
}

/// One answer.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "a handful of answers an observation, and round trips are few")]
pub enum Fetched {
    /// The API's own JSON, one value an object. Empty means: observed that there is none.
    Objects(Vec<Value>),
    Exchanges(Vec<Exchange>),
    RoundTrip {
        nonce: String,
        write: Exchange,
        read: Option<Exchange>,
    },
    /// `{action, time (RFC 3339), container}` in the engine's own words, oldest first.
    Events(Vec<EngineEvent>),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineEvent {
    pub action: String,
    pub at: Timestamp,
    pub container: String,
}

/// One request of a probe and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    pub url: String,
    pub outcome: Outcome,
    pub took: Duration,
    /// Whether the same probe reached its control target in the same run; `None` where none was asked for.
    pub control_reached: Option<bool>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    Answered {
        status: u16,
        headers: BTreeMap<String, String>,
        body: String,
    },
    /// The connection was refused.
    Refused,
    /// The connection was made and then reset or closed without an answer.
    Reset,
    /// No answer within the time allowed.
    TimedOut,
    /// The name does not exist (an NXDOMAIN that was received).
    NameUnknown,
    /// The name service gave no usable answer.
    NameUnanswered,
}

/// Why something could not be fetched: the API's or the probe's own trouble. Becomes `unknown`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{what}: {why}")]
pub struct Failure {
    /// What was being fetched: `list pods in shop`.
    pub what: String,
    /// The error, in the API's words.
    pub why: String,
    /// What to try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}
