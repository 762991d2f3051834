//! What an AWS service answers when it refuses: a code, a sentence and an HTTP status. The wire puts them into its protocol's shape.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A refusal in the service's own words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{code}: {message}")]
pub struct AwsError {
    /// As the service's model spells it: `ClusterNotFoundException`, `TargetGroupNotFound`.
    pub code: String,
    pub message: String,
    /// HTTP status; 400 where the model says nothing.
    pub status: u16,
    /// Further members of the error's shape, where it has any.
    pub more: Map<String, Value>,
}

impl AwsError {
    /// The caller's mistake: status 400.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), status: 400, more: Map::new() }
    }

    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// An operation of the real service that is not simulated: never a silent difference.
    pub fn not_simulated(service: &str, operation: &str) -> Self {
        Self::new("NotImplemented", format!("the breakfix simulator does not know {service}:{operation}")).status(501)
    }
}
