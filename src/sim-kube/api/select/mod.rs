//! Selectors: which objects a request means.

pub mod field;
pub mod label;
mod label_text;

use serde_json::Value;

use crate::{Kind, Status};

/// Both selectors of a query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selectors {
    pub labels: label::Selector,
    pub fields: field::Selector,
}

impl Selectors {
    /// Reads the query's selectors for a kind.
    ///
    /// # Errors
    /// 400 in the API's words.
    pub fn parse(kind: &Kind, labels: &str, fields: &str) -> Result<Self, Status> {
        Ok(Self {
            labels: label::Selector::parse(labels).map_err(Status::bad_request)?,
            fields: field::Selector::parse(kind, fields).map_err(Status::bad_request)?,
        })
    }

    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    /// Whether an object is meant.
    pub fn matches(&self, object: &Value) -> bool {
        self.labels.matches(object.pointer("/metadata/labels")) && self.fields.matches(object)
    }
}
