//! `access`: what an account may do, and what it may not.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Each action is asked twice: as a review that names the account and its groups, and as the real call with a token of the account's
/// own (reading for real, writing as a dry run). `can`: both say yes. `cannot`: both say no.
///
/// ```yaml
/// access:
///   account: {name: pipeline}
///   can: [{verb: patch, resource: deployments, group: apps}]
///   cannot: [{verb: get, resource: secrets}, {verb: list, resource: deployments, group: apps, namespace: billing}]
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Access {
    pub account: Account,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub can: Vec<Action>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cannot: Vec<Action>,
}

/// A ServiceAccount. Whatever is done as one is done with a token of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Account {
    pub name: String,
    /// Defaults to the lab's namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

/// One thing that an account may or may not do, in the words of a Role's rules.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// `get`, `list`, `watch`, `create`, `update`, `patch` or `delete`.
    pub verb: String,
    /// The plural, as in a Role: `deployments`, `secrets`.
    pub resource: String,
    /// The API group: `apps`, `batch`. Absent: the core group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// `scale`, `exec`, `log` …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subresource: Option<String>,
    /// Only the object of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Defaults to the lab's namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// In all namespaces, or a resource that has none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cluster_wide: bool,
}

impl Action {
    /// `patch deployments.apps/web`, as `kubectl auth can-i` would be asked.
    pub fn in_words(&self) -> String {
        let mut words = format!("{} {}", self.verb, self.resource);
        if let Some(group) = self.group.as_deref().filter(|group| !group.is_empty()) {
            words.push_str(&format!(".{group}"));
        }
        for part in [&self.subresource, &self.name].into_iter().flatten() {
            words.push_str(&format!("/{part}"));
        }
        match (&self.namespace, self.cluster_wide) {
            (_, true) => words.push_str(" in the whole cluster"),
            (Some(namespace), false) => words.push_str(&format!(" in {namespace}")),
            (None, false) => {}
        }
        words
    }
}
