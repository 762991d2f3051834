//! `unchanged`: fields read as they did when the lab was handed over.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::lab::Exception;

/// The named fields of every baseline object of these kinds have the baseline's values. Objects that the
/// baseline does not hold are not looked at; a baseline object that is gone violates it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unchanged {
    pub kinds: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Paths in dots and brackets: `spec.template.spec.containers[*].image`, `data`. A path that leads nowhere in
    /// both is unchanged.
    pub fields: Vec<String>,
    /// Keys and list entries may be added as long as the baseline's are all there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub additions: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<Exception>,
}
