//! Changes: one vocabulary for faults, triggers, reference fixes and wrong fixes.
//!
//! A change says what is edited, never how: `breakfix-stage` carries it out through the platform's API. With
//! `history: erased` the changes of a fault are made to the documents of `system/` before these are created again,
//! so that the learner meets objects that were never healthy.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Span,
    check::{Caller, Owner, Request},
};

/// One edit of a system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Change {
    /// Create or replace the documents of a YAML file of the lab's folder (`controls/service.yaml`).
    Apply(String),
    /// Edit an existing object.
    Patch(Patch),
    /// Delete objects.
    Delete(Delete),
    /// Set the number of replicas.
    Scale(Scale),
    /// Roll out again (Kubernetes), stop and start (Docker).
    Restart(ObjectRef),
    /// Remove a container and create it again from its own settings, edited (Docker).
    Recreate(Recreate),
    /// Start a stopped container (Docker).
    Start(ObjectRef),
    /// Stop a running container with its own grace (Docker).
    Stop(ObjectRef),
    /// Send requests: load, an order, a switch of the workload (`/hang`).
    Request(Load),
    /// Wait; on a simulator its clock moves on.
    Wait(Span),
}

/// Which object. `namespace` defaults to the lab's own (the first Namespace document of `system/`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ObjectRef {
    /// The platform's own word: `Deployment`, `Service`; `Container`, `Network`, `Volume`, `Image`.
    pub kind: String,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Patch {
    pub kind: String,
    /// One object by its name; or all that `owned_by` chooses. Exactly one of the two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Every object of the kind that belongs to this one: the live pods of a Deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owned_by: Option<Owner>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// A JSON merge patch (RFC 7386): `null` removes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge: Option<Value>,
    /// A strategic merge patch: lists of named entries are merged by name (Kubernetes).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategic: Option<Value>,
    /// A JSON patch (RFC 6902).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<Vec<Value>>,
    /// `status`, `scale` …: the subresource that is patched (Kubernetes).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subresource: Option<String>,
}

/// Delete by name, by labels or by owner; exactly one of the three.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delete {
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Objects that carry all these labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Objects that belong to this one, through any number of steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owned_by: Option<Owner>,
    /// At most so many of them, the first by name. Absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    pub kind: String,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    pub replicas: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recreate {
    pub name: String,
    /// A JSON merge patch of the container's create body (`Image`, `Cmd`, `Env`, `HostConfig`, `NetworkingConfig` …).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge: Option<Value>,
    /// Keep its old addresses busy meanwhile, so that it comes back with another one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub new_address: bool,
}

/// Requests sent for their effect; their answers are not judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Load {
    #[serde(default)]
    pub from: Caller,
    pub request: Request,
}
