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
    check::{Account, Caller, Check, Owner, Request},
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
    /// Give an image a further name, and take that name away from whatever had it (Docker).
    Tag(Tag),
    /// Edit a file of the learner's work folder.
    Write(Write),
    /// Build the learner's work folder, as they would: `docker build --tag NAME .` (Docker).
    Build(Build),
    /// The grader's own build, on a copy of the work folder, and a container from it for the checks (Docker).
    Rebuild(Rebuild),
    /// Bring up what the work folder's Compose file says: every container of it made again, in order (Docker).
    Up(Up),
    /// Send requests: load, an order, a switch of the workload (`/hang`).
    Request(Load),
    /// Wait; on a simulator its clock moves on.
    Wait(Span),
    /// Wait until a check is met: new pods that must listen before they can be asked.
    Await(Await),
    /// Ask for the eviction of pods, as a drain does; a budget may refuse it (Kubernetes).
    Evict(Evict),
    /// Close nodes to new pods (Kubernetes). Put right when the objective is over.
    Cordon(Nodes),
    /// Open nodes to new pods (Kubernetes).
    Uncordon(Nodes),
    /// Close nodes and evict what runs there, budgets respected (Kubernetes); set container instances to DRAINING (ECS). Put right when the
    /// objective is over.
    Drain(Nodes),
    /// Make a Job from a CronJob's template, as `kubectl create job --from` does. Removed when the objective is over.
    CreateJob(CreateJob),
    /// Run a command on nodes themselves, as somebody who is logged in there: `[systemctl, stop, kubelet]` (Kubernetes, `node-access`).
    Node(NodeCommand),
    /// Something of the provider's fails until the objective is over: `{zone: a}`, `{capacity: FARGATE_SPOT}`, `{agents: {running: …}}` (ECS,
    /// `outages`).
    Outage(Outage),
    /// Apply what the work folder declares, as a reconciler does: exactly its documents, server-side, as field manager `gitops`, taking every
    /// field that they name (Kubernetes). A folder that cannot be applied makes a trigger `not met`.
    Sync(Sync),
    /// Make changes that say what only the running system knows: an address, a uid, a port that was chosen.
    With(With),
}

/// Changes with live values. These are looked up before the first of the changes is made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct With {
    /// What `${live.NAME}` stands for in the texts of `changes` and of the files that they apply.
    pub live: BTreeMap<String, LiveValue>,
    /// Any changes but `with`.
    pub changes: Vec<Change>,
}

/// One value of an object as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LiveValue {
    pub kind: String,
    /// The object's name; or `owned_by`. Exactly one of the two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The first by name of the objects that belong to this one: a live pod of a Deployment (Kubernetes).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owned_by: Option<Owner>,
    /// With `owned_by`: how many of them to pass over. Default 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// A JSON pointer (RFC 6901) to a text, a number or a truth value: `/status/podIP`, `/NetworkSettings/Networks/shop/IPAddress`.
    pub path: String,
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
    /// Who patches: a ServiceAccount with a token of its own (Kubernetes), a Role that is assumed (ECS). Absent: the grader.
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
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

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tag {
    /// A name that the image has already: `registry.example/shop/web:1.4`.
    pub image: String,
    /// The further name: `registry.example/shop/web:stable`.
    pub name: String,
}

/// One file of the work folder. Exactly one of `text`, `from`, `edits` and `remove`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Write {
    /// Within the folder: `Dockerfile`, `src/page.txt`.
    pub path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// A file of the lab: `controls/two-stages.Dockerfile`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Changes of what is in the file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<Edit>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub remove: bool,
}

/// One place of a file that is written anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// What stands there, exactly once in the file.
    pub old: String,
    /// What is to stand there.
    pub new: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// The name that the image gets.
    pub image: String,
    /// Build arguments.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<String, String>,
}

/// Nothing of the learner's is touched: not the folder, no image, no container. A folder that does not build is the checks' matter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rebuild {
    /// How checks name it: `image: {of: {rebuilt: NAME}}`, `each: {kind: Rebuilt, name: NAME}`.
    pub name: String,
    /// Edits of the copy: a source that is changed, an input that is rotated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub write: Vec<Write>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<String, String>,
    /// The environment of the container that is made from it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
}

/// As `docker compose up --detach --force-recreate` does: what is missing is made, every container is stopped with its grace and made again.
/// A container whose dependency does not get where it has to is not started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Up {
    /// Variables as the environment of whoever runs Compose has them: they count more than those of `.env`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, String>,
}

/// Requests sent for their effect; their answers are not judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Load {
    #[serde(default)]
    pub from: Caller,
    pub request: Request,
    /// How many requests; with `each` so many to every instance. Default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// With `each`: at most so many instances, the first by name. Absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
}

/// Waiting for a check. One that is not met in time makes a trigger `not met` and a control fail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Await {
    pub check: Box<Check>,
    /// Default 60s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<Span>,
}

/// Pods to evict, by the eviction API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Evict {
    pub owned_by: Owner,
    /// At most so many, the first by name. Absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
}

/// Which nodes; exactly one of `name`, `labels` and `running`. Names differ from target to target, so the other two travel better.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nodes {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Nodes that carry all these labels: a zone.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The nodes on which pods of this workload run, first by name (ECS: the machines of a service's tasks, those with the most first).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<Owner>,
    /// At most so many of them, the first by name. Absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
}

/// A command on nodes. It must end by itself, and with success.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeCommand {
    pub nodes: Nodes,
    /// The program and its arguments; `[sh, -c, …]` for a line of shell.
    pub command: Vec<String>,
    /// What takes it back, for a fault or a trigger: `[systemctl, start, kubelet]`. Run when the objective is over, before a reset and at the end
    /// of the session, so it must do no harm when it is run again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undo: Vec<String>,
}

/// What fails at the provider's side, where nobody in the account can do anything about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Outage {
    /// The availability zone of this letter: nothing in it is reached, and nothing in it reaches anybody.
    Zone(String),
    /// No more of this to be had (`FARGATE`, `FARGATE_SPOT`); what runs on Spot is reclaimed, with the usual notice.
    Capacity(String),
    /// The container agents of these machines are disconnected: ECS hears nothing of them, while machines and containers go on.
    Agents(Nodes),
}

/// Nothing to choose: the folder says it all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sync {}

/// A Job from a CronJob's template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateJob {
    /// The CronJob.
    pub from: String,
    /// The Job's name.
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}
