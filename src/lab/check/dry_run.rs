//! `dry_run`: what the API would say to a request that is never carried out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Account, Owner};

/// A request with `dryRun=All`: admission, quotas, policies and budgets all have their say and nothing changes. Exactly one of `create`
/// and `evict`. Without `refused` it must be admitted.
///
/// ```yaml
/// dry_run: {create: controls/escalating-pod.yaml, refused: "violates PodSecurity"}
/// dry_run: {evict: {kind: Deployment, name: web}}
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DryRun {
    /// A file of the lab's folder; each of its documents is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create: Option<String>,
    /// The eviction of this workload's first pod. A budget refuses it with 429.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evict: Option<Owner>,
    /// Who asks; with a token of its own. Absent: the grader.
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
    /// The negative twin: it must be refused, and the refusal says this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}
