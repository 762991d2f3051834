//! The API's own way of saying no: `Status` (meta/v1), with the reasons and codes of apimachinery's `errors` package.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A refusal, as the API server would word it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Status {
    pub code: u16,
    /// `NotFound`, `AlreadyExists`, `Invalid` …
    pub reason: String,
    pub message: String,
    /// `details`, where the real server gives them.
    pub details: Value,
}

impl Status {
    pub fn new(code: u16, reason: &str, message: impl Into<String>) -> Self {
        Self { code, reason: reason.to_owned(), message: message.into(), details: Value::Null }
    }

    /// `pods "x" not found`.
    pub fn not_found(kind: &crate::Kind, name: &str) -> Self {
        Self {
            details: json!({"name": name, "group": kind.group, "kind": kind.plural}),
            ..Self::new(404, "NotFound", format!("{} \"{name}\" not found", kind.resource()))
        }
    }

    /// The body that goes over the wire.
    pub fn body(&self) -> Value {
        let mut body = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.code,
        });
        if !self.details.is_null() {
            body["details"] = self.details.clone();
        }
        body
    }
}
