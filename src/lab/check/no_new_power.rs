//! `no_new_power`: nobody was given rights that they did not have.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::lab::Exception;

/// A scan of all the lab's objects against the baseline. Kubernetes: no privileged container, added capability, hostNetwork, hostPID,
/// hostIPC, hostPath volume, hostPort, and no binding to `cluster-admin` or rule with `*`. Docker: no privileged
/// container, added capability, host or container namespace (network, pid, ipc), engine socket, or host path outside the lab's folder.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoNewPower {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<Exception>,
}
