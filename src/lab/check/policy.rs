//! `policy`: what a role may do, and what it may not.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Each action is put to the policy simulator (`iam:SimulatePrincipalPolicy`): identity policies, boundary and conditions decide.
///
/// ```yaml
/// policy:
///   role: shop-exec
///   can: [{action: "ecr:GetAuthorizationToken"}]
///   cannot: [{action: "ecr:DeleteRepository", resource: "${Repository/shop/web.arn}"}]
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The role's name.
    pub role: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub can: Vec<Grant>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cannot: Vec<Grant>,
}

/// One action, on one resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// `ecr:GetAuthorizationToken`.
    pub action: String,
    /// An ARN, or a reference to a document. Absent: `*`, for actions that know no resources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Condition keys with the value that the request would carry: `{iam:PassedToService: ecs-tasks.amazonaws.com}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub context: BTreeMap<String, String>,
}

impl Grant {
    /// `ecr:DeleteRepository on ARN`.
    pub fn in_words(&self) -> String {
        let mut words = self.action.clone();
        if let Some(resource) = &self.resource {
            words.push_str(&format!(" on {resource}"));
        }
        for (key, value) in &self.context {
            words.push_str(&format!(" with {key} {value}"));
        }
        words
    }
}
