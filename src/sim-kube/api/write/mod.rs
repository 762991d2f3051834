//! The one way into the store: what a write goes through, from the wire or from a controller.

mod bind;
mod create;
mod delete;
mod evict;
mod update;

#[cfg(test)]
pub(crate) mod tests;

use serde_json::Value;

use super::{
    schema::{self, Decoded},
    verbs::Actor,
};
use crate::{Kind, Status, access::User, custom};

pub use delete::Gone;

/// What part of an object a write touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// Everything but status.
    Main,
    /// Status only.
    Status,
    /// `spec.replicas`, through the scale subresource.
    Scale,
    /// A namespace's `spec.finalizers`.
    Finalize,
    /// A pod's node.
    Binding,
    /// The ephemeral containers of a pod.
    EphemeralContainers,
    /// The resources of a pod's containers.
    Resize,
    /// The conditions of a certificate signing request.
    Approval,
}

impl Touch {
    /// The subresource as managedFields name it.
    pub fn subresource(self) -> &'static str {
        match self {
            Self::Main => "",
            Self::Status => "status",
            Self::Scale => "scale",
            Self::Finalize => "finalize",
            Self::Binding => "binding",
            Self::EphemeralContainers => "ephemeralcontainers",
            Self::Resize => "resize",
            Self::Approval => "approval",
        }
    }
}

/// What to do with fields that the schema does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    Refuse,
    Warn,
    Ignore,
}

/// How a write was asked for.
#[derive(Clone, Debug)]
pub struct Options<'a> {
    pub by: &'a Actor,
    /// Whose request it is; none for a part of the control plane, which may do everything.
    pub user: Option<&'a User>,
    pub dry_run: bool,
    pub unknown: Unknown,
    /// Whether managedFields have been worked out already: the write is an apply.
    pub applied: bool,
}

impl<'a> Options<'a> {
    /// A real write that refuses unknown fields.
    pub fn strict(by: &'a Actor) -> Self {
        Self { by, user: None, dry_run: false, unknown: Unknown::Refuse, applied: false }
    }
}

/// What came of a write.
#[derive(Clone, Debug)]
pub struct Written {
    pub object: Value,
    /// For `Warning` headers.
    pub warnings: Vec<String>,
    /// Whether the object is new.
    pub created: bool,
}

/// Reads a body as an object of a kind.
///
/// # Errors
/// 400 in the API's words.
pub fn decode(kind: &Kind, body: &Value, unknown: Unknown, warnings: &mut Vec<String>) -> Result<Value, Status> {
    let cannot = |text: String| {
        Status::bad_request(format!(
            "{kind} in version \"{version}\" cannot be handled as a {kind}: {text}",
            kind = kind.kind,
            version = kind.version
        ))
    };
    let decoded = match kind.custom {
        Some(custom) => custom::decode::decode(custom, body),
        None => schema::decode(schema_of(kind)?, body),
    };
    let Decoded { object, unknown: fields } = decoded.map_err(|fault| cannot(fault.as_json()))?;
    let complaints: Vec<_> = fields.iter().map(|field| format!("unknown field {field:?}")).collect();
    match unknown {
        Unknown::Refuse if !complaints.is_empty() => {
            return Err(cannot(format!("strict decoding error: {}", complaints.join(", "))));
        }
        Unknown::Warn => warnings.extend(complaints),
        Unknown::Refuse | Unknown::Ignore => {}
    }
    Ok(object)
}

/// The schema of a kind; every kind of the table has one, and a test says so.
fn schema_of(kind: &Kind) -> Result<&'static schema::Type, Status> {
    schema::find(kind.schema).ok_or_else(|| Status::internal(format!("no schema {}", kind.schema)))
}

/// Stamps an object with its kind.
fn stamp_kind(kind: &Kind, object: &mut Value) {
    crate::object::set(object, "/apiVersion", Value::from(kind.api_version()));
    crate::object::set(object, "/kind", Value::from(kind.kind));
}
