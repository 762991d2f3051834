//! `objects`: a CEL expression over several lists of objects at once.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Owner;

/// How objects stand to each other: an agent on every worker, no password in any template. Each list is a variable of the expression;
/// `baseline.NAME` is the same list when the lab was handed over. An empty list is a list: say `size(x) > 0` where there must be one; that all of them
/// are empty is never `met`.
///
/// ```yaml
/// objects:
///   lists:
///     workers: {kind: Node}
///     agents: {kind: Pod, owned_by: {kind: DaemonSet, name: log-agent}}
///   cel: workers.all(w, agents.exists(a, a.spec.nodeName == w.metadata.name))
///   wanted: an agent runs on every node
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Objects {
    /// By the name that the expression uses.
    pub lists: BTreeMap<String, List>,
    /// The expression; must yield a bool. An absent field makes it `not met`, not an error.
    pub cel: String,
    /// What the expression says, in words for the learner. `not met` shows this.
    pub wanted: String,
}

/// Which objects; those on their way out and our own probes are left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    pub kind: String,
    /// Defaults to the lab's namespace, where the kind has namespaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Pods that belong to this workload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owned_by: Option<Owner>,
    /// Not what the cluster holds but what the learner's work folder declares. A file that cannot be read declares nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub declared: bool,
}
