//! The lab itself: the types behind `lab.yaml`, key by key.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Change, Check, Span,
    check::{Account, Caller, List, Request},
};

/// One `lab.yaml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lab {
    /// The version of this format: `breakfix.dev/v1`.
    #[serde(rename = "apiVersion")]
    pub api_version: ApiVersion,
    pub kind: LabKind,
    pub metadata: Metadata,
    /// Which API the lab speaks.
    pub platform: Platform,
    /// What the target must be able to do; a target that cannot is "unsupported here".
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<Capability>,
    /// The parts that the lab takes of systems that labs share (`labs/<platform>/base/<name>/<part>.yaml`):
    /// `{shop: [web, api]}`. A document of `system/` of the same kind and name is laid over a part's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub base: BTreeMap<String, Vec<String>>,
    /// Kubernetes: the zones of the nodes that take ordinary pods, in the order of the nodes' names; further nodes begin with the first again.
    /// `[a, a, b]` needs three such nodes. breakfix sets the labels `topology.kubernetes.io/zone` and takes them back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zones: Vec<String>,
    /// Kubernetes: further contexts of the learner's kubeconfig, each with somebody else's rights.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contexts: Vec<Context>,
    /// Every image reference that exists on the nodes or on the engine for this lab; all are the workload under
    /// another name. What is not listed cannot be pulled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<String>,
    /// Values that `--seed` varies. `${name}` anywhere in the lab's files stands for the value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, Parameter>,
    /// What the learner is told: symptoms, never causes. Markdown.
    pub story: String,
    /// What the learner may see of the time before the fault.
    #[serde(default)]
    pub history: History,
    /// The changes that break the healthy system.
    pub fault: Vec<Change>,
    /// How long the system is left alone after the fault before the lab opens, so that its symptoms
    /// have shown (a back-off, a progress deadline).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settle: Option<Span>,
    /// What the healthy system answers before it is broken, by a name that checks use (`body: {remembered: NAME}`). The system is then
    /// healthy for a while, so that it has data.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub remember: BTreeMap<String, Remember>,
    pub objectives: Vec<Objective>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub safeguards: Vec<Safeguard>,
    /// House rules that do not hold in this lab, each with its reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lift: Vec<Lift>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<Question>,
    /// The guided mode: look here, run this, what do you see.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// Proofs that ship with the lab: `reference`, `alternative-*`, `wrong-*`.
    pub controls: BTreeMap<String, Vec<Change>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ApiVersion {
    #[serde(rename = "breakfix.dev/v1")]
    V1,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum LabKind {
    Lab,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// The id: also the folder's name. Lower case, digits and `-`.
    pub name: String,
    /// The symptom, never the cause.
    pub title: String,
    pub difficulty: Difficulty,
    /// How long a learner of this level usually needs.
    pub minutes: u32,
    pub topics: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Difficulty {
    Easy,
    Medium,
    Hard,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    Kubernetes,
    Docker,
    Ecs,
}

impl Platform {
    /// All of them, in the order in which they are listed.
    pub const ALL: [Self; 3] = [Self::Kubernetes, Self::Docker, Self::Ecs];

    /// The platform of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|platform| platform.as_str() == name)
    }

    /// The word used in lab files and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kubernetes => "kubernetes",
            Self::Docker => "docker",
            Self::Ecs => "ecs",
        }
    }
}

/// A context of the learner's kubeconfig beside the administrator's: `kubectl --context NAME`. Exactly one of `account` and `user`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Context {
    pub name: String,
    /// A ServiceAccount of the lab's system; the context holds a token of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
    /// A user whom no object stands for; the context impersonates them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The groups that the user is in, besides `system:authenticated`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// The context's own namespace. Default: the lab's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The learner begins in this context.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub current: bool,
}

/// Something a target may or may not be able to do; probed, never assumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    /// NetworkPolicy is enforced.
    NetworkPolicy,
    /// Two schedulable nodes or more.
    MultiNode,
    /// A metrics API answers.
    Metrics,
    /// There is a default StorageClass.
    DefaultStorage,
    /// The engine's default network `bridge` exists.
    DefaultBridge,
    /// The engine can limit a container's memory.
    MemoryLimit,
    /// Commands can be run on the nodes themselves.
    NodeAccess,
    /// Zones and capacity of the provider's can be made to fail.
    Outages,
    /// A service starts its tasks, and a task that cannot start ends and says why. Every ECS lab with a Service needs it.
    RunningTasks,
    /// A load balancer finds out by itself which of its targets are healthy. Every ECS lab with a TargetGroup needs it.
    TargetHealth,
    /// What a role may do can be asked (`iam:SimulatePrincipalPolicy`). Every ECS lab with a `policy` check needs it.
    PolicySimulation,
    /// Requests can be sent from inside the lab's network.
    NetworkProbe,
    /// The program inside a task calls the provider's API with its task role.
    TaskCredentials,
    /// Images for other processors than this machine's can be made.
    MultiArch,
}

impl Capability {
    /// The word used in lab files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NetworkPolicy => "network-policy",
            Self::MultiNode => "multi-node",
            Self::Metrics => "metrics",
            Self::DefaultStorage => "default-storage",
            Self::DefaultBridge => "default-bridge",
            Self::MemoryLimit => "memory-limit",
            Self::NodeAccess => "node-access",
            Self::Outages => "outages",
            Self::RunningTasks => "running-tasks",
            Self::TargetHealth => "target-health",
            Self::PolicySimulation => "policy-simulation",
            Self::NetworkProbe => "network-probe",
            Self::TaskCredentials => "task-credentials",
            Self::MultiArch => "multi-arch",
        }
    }
}

/// A value that differs from seed to seed. Without `--seed` the first choice, or the start of the range, is taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Parameter {
    /// One of these texts.
    Choose(Vec<String>),
    /// A whole number from the first to the second, both included.
    Range(i64, i64),
    /// A random lower-case text of this length, for tokens.
    Token(u32),
    /// A free TCP port of the machine breakfix runs on, at or above this number.
    FreePort(u16),
}

/// Whether the healthy time is part of what the learner meets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum History {
    /// The broken state is the only one that ever was: what the fault touches is made anew, broken.
    #[default]
    Erased,
    /// The history is the point: the fault is a change of the running system (a roll-out, a rotation).
    Kept,
}

/// A question whose answer is kept for later checks; it must be answered with status 200 to 299.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Remember {
    #[serde(default)]
    pub from: Caller,
    pub request: Request,
}

/// Something that must become true; carries points.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Objective {
    pub name: String,
    pub title: String,
    /// Points of 100; those of all objectives add up to 100.
    pub points: u32,
    /// Looked at first. While it is not met the trigger is not pulled and the objective is not met.
    /// Needed with a `trigger`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard: Option<Check>,
    /// Changes the grader makes first, after all passive checks are met.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trigger: Vec<Change>,
    /// Looked at from the moment the trigger is pulled until the check is met, about twice a second: what may not fail while a roll-out
    /// runs. One look that is not met fails the objective.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub during: Option<Check>,
    pub check: Check,
    /// How long after a trigger (or, in `lab test`, after a control) the check may take to become true. Default 60s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub converge: Option<Span>,
    /// How long it must then stay true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Span>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<Hint>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hint {
    /// Points that this hint costs; rises from hint to hint.
    pub cost: u32,
    pub text: String,
}

/// Something that must not be broken on the way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Safeguard {
    pub name: String,
    pub title: String,
    pub severity: Severity,
    /// Points that a violation costs, for `recoverable`. Default 20.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<u32>,
    /// Sampled all session long, at every check and during every trigger; a violation sticks.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub always: bool,
    pub check: Check,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Costs points while it is violated; can be put right.
    Recoverable,
    /// Score 0.
    Catastrophic,
}

/// A house rule that this lab does without.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lift {
    /// The rule's name, as in the platform's `house.yaml`.
    pub rule: String,
    /// Only this much of it: objects and fields that may change. Empty: the whole rule is lifted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<Exception>,
    pub reason: String,
}

/// One object, or one field of it, that a rule leaves free.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Paths in dots and brackets, `spec.template.spec.containers[web].image`; list entries by name or index. Empty: all fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
}

/// A question with one right answer; credited apart from the fix.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Question {
    pub ask: String,
    /// The choices. Absent: the answer is typed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choose: Vec<String>,
    /// Compared without regard to case and surrounding blanks. Exactly one of this and `answer_from`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub answer: String,
    /// The answer is taken from the system when the lab opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_from: Option<AnswerFrom>,
    /// Shown once answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

/// An answer that is worked out from the system as it is when the lab opens: a node's name, a number of pods, an address.
///
/// ```yaml
/// answer_from:
///   lists: {pods: {kind: Pod, labels: {app: db}}}
///   cel: pods[0].spec.nodeName
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerFrom {
    /// By the name that the expression uses.
    pub lists: BTreeMap<String, List>,
    /// The expression; must yield a text, a number or a truth value.
    pub cel: String,
}

/// One step of the guided mode.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    pub text: String,
    /// A command to try, as the learner would type it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// The step is done when this is met; without it the learner goes on by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<Check>,
}
