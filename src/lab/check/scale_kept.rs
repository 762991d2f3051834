//! `scale_kept`: nothing was made smaller, paused, stopped or deleted to make a symptom disappear.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::lab::Exception;

/// Every workload of the baseline still wants at least as many replicas and is not paused; Docker: every container that ran (or
/// was to run) still exists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScaleKept {
    pub kinds: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<Exception>,
}
