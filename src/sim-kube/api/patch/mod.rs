//! Patches: JSON patch (RFC 6902), merge patch (RFC 7386), strategic merge patch. Server-side apply is `managed/`.

pub mod gomap;
pub mod json;
pub mod merge;
pub mod strategic;

use serde_json::{Value, json};

use super::{check::problem, schema::Type};
use crate::Status;

/// A patch that has been read.
#[derive(Clone, Debug)]
pub enum Patch {
    Json(Vec<json::Operation>),
    Merge(Value),
    Strategic(Value, &'static Type),
}

impl Patch {
    /// Edits an object.
    ///
    /// # Errors
    /// 422 or 400 in the API's words.
    pub fn apply(&self, object: &mut Value) -> Result<(), Status> {
        match self {
            Self::Json(operations) => json::apply(object, operations).map_err(|_| rejected()),
            Self::Merge(patch) => {
                merge::apply(object, patch);
                Ok(())
            }
            Self::Strategic(patch, of) => strategic::apply(object, patch, of).map(|_| ()).map_err(Status::bad_request),
        }
    }
}

/// The API does not say what was wrong with a JSON patch that cannot be applied.
fn rejected() -> Status {
    Status {
        details: json!({}),
        ..Status::new(422, "Invalid", "the server rejected our request due to an error in our request")
    }
}

/// 422 for a patch whose result is no object of the kind.
pub fn invalid(shown: &str, why: &str) -> Status {
    let problem = problem::Problem {
        reason: "FieldValueInvalid",
        field: "patch".to_owned(),
        message: format!("Invalid value: {shown:?}: {why}"),
    };
    problem::invalid("", "", "", &[problem])
}

#[cfg(test)]
mod tests;
