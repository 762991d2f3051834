//! The API's own way of saying no: `Status` (meta/v1), with the reasons and codes of apimachinery's `errors` package.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Kind;

/// A refusal, as the API server would word it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Status {
    pub code: u16,
    /// `NotFound`, `AlreadyExists`, `Invalid` …; empty where the real server gives none.
    pub reason: String,
    pub message: String,
    /// `details`, where the real server gives them.
    pub details: Value,
    /// `metadata`, where there is anything in it: how a list goes on.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub metadata: Value,
}

impl Status {
    pub fn new(code: u16, reason: &str, message: impl Into<String>) -> Self {
        Self { code, reason: reason.to_owned(), message: message.into(), details: Value::Null, metadata: Value::Null }
    }

    /// `pods "x" not found`.
    pub fn not_found(kind: &Kind, name: &str) -> Self {
        Self::about(kind, name, 404, "NotFound", format!("{} {name:?} not found", kind.resource()))
    }

    /// `pods "x" already exists`.
    pub fn already_exists(kind: &Kind, name: &str) -> Self {
        Self::about(kind, name, 409, "AlreadyExists", format!("{} {name:?} already exists", kind.resource()))
    }

    /// `Operation cannot be fulfilled on pods "x": …`.
    pub fn conflict(kind: &Kind, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {} {name:?}: {why}", kind.resource());
        Self::about(kind, name, 409, "Conflict", message)
    }

    /// A precondition of a deletion does not hold; the real server names the kind, not the resource.
    pub fn precondition(kind: &Kind, name: &str, why: &str) -> Self {
        let full = if kind.group.is_empty() { kind.kind.to_owned() } else { format!("{}.{}", kind.kind, kind.group) };
        let mut status = Self::about(
            kind,
            name,
            409,
            "Conflict",
            format!("Operation cannot be fulfilled on {full} {name:?}: {why}"),
        );
        status.details["kind"] = Value::from(kind.kind);
        status
    }

    /// `pods "x" is forbidden: …`; without a name `pods is forbidden: …`.
    pub fn forbidden(kind: &Kind, name: &str, why: &str) -> Self {
        let named = if name.is_empty() { String::new() } else { format!(" {name:?}") };
        Self::about(kind, name, 403, "Forbidden", format!("{}{named} is forbidden: {why}", kind.resource()))
    }

    /// Nothing can be created in a namespace that is going away.
    pub fn namespace_terminating(kind: &Kind, name: &str, namespace: &str) -> Self {
        let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
        let mut status = Self::forbidden(kind, name, &why);
        status.details["causes"] = json!([{
            "reason": "NamespaceTerminating",
            "message": format!("namespace {namespace} is being terminated"),
            "field": "metadata.namespace",
        }]);
        status
    }

    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(500, "InternalError", format!("Internal error occurred: {}", message.into()))
    }

    /// A body beyond the limit.
    pub fn too_large() -> Self {
        Self::new(413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728")
    }

    /// A path under a served group that leads nowhere.
    pub fn no_such_resource() -> Self {
        Self { details: json!({}), ..Self::new(404, "NotFound", "the server could not find the requested resource") }
    }

    /// A verb that the resource does not have.
    pub fn method_not_allowed() -> Self {
        Self {
            details: json!({}),
            ..Self::new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
        }
    }

    fn about(kind: &Kind, name: &str, code: u16, reason: &str, message: String) -> Self {
        let mut details = json!({"kind": kind.plural});
        for (key, value) in [("name", name), ("group", kind.group)] {
            if !value.is_empty() {
                details[key] = Value::from(value);
            }
        }
        Self { details, ..Self::new(code, reason, message) }
    }

    /// The body that goes over the wire.
    pub fn body(&self) -> Value {
        let mut body = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "code": self.code,
        });
        if !self.reason.is_empty() {
            body["reason"] = Value::from(self.reason.as_str());
        }
        if !self.details.is_null() {
            body["details"] = self.details.clone();
        }
        if !self.metadata.is_null() {
            body["metadata"] = self.metadata.clone();
        }
        body
    }
}
