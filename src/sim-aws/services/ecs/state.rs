//! What ECS keeps.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use breakfix_sim::{SimTime, queue::Ticket};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    network::InterfaceId,
    tasks::{Connect, Network},
};

/// All of it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// By name.
    pub clusters: BTreeMap<String, Cluster>,
    /// Revisions of each family, the first at index 0.
    pub families: BTreeMap<String, Vec<Definition>>,
    /// By ARN.
    pub services: BTreeMap<String, Service>,
    /// Capacity providers of the account, by name, beside FARGATE and FARGATE_SPOT.
    pub providers: BTreeMap<String, Provider>,
    /// Container instances by ARN.
    pub instances: BTreeMap<String, Instance>,
    /// Account settings by name.
    pub settings: BTreeMap<String, String>,
    /// Why Fargate has no capacity to give: launch type or provider names.
    pub without_capacity: BTreeSet<String>,
    /// Sessions of execute-command that were opened.
    pub exec_sessions: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cluster {
    pub name: String,
    pub arn: String,
    pub is_active: bool,
    /// `configuration`, as it was sent.
    pub configuration: Option<Value>,
    pub settings: BTreeMap<String, String>,
    pub providers: Vec<String>,
    pub default_strategy: Vec<StrategyItem>,
    pub connect_namespace: Option<String>,
    pub tags: BTreeMap<String, String>,
}

/// One item of a capacity provider strategy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StrategyItem {
    pub capacity_provider: String,
    pub weight: u64,
    pub base: u64,
}

/// A revision of a task definition.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Definition {
    pub arn: String,
    pub family: String,
    pub revision: u32,
    pub status: DefinitionStatus,
    pub registered: SimTime,
    pub registered_by: String,
    pub deregistered: Option<SimTime>,
    pub delete_requested: Option<SimTime>,
    /// Everything else, in the API's shape.
    pub body: Map<String, Value>,
    pub tags: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DefinitionStatus {
    Active,
    Inactive,
    DeleteInProgress,
}

impl DefinitionStatus {
    pub fn word(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Inactive => "INACTIVE",
            Self::DeleteInProgress => "DELETE_IN_PROGRESS",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ServiceStatus {
    Active,
    Draining,
    Inactive,
}

impl ServiceStatus {
    pub fn word(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Draining => "DRAINING",
            Self::Inactive => "INACTIVE",
        }
    }
}

/// A service.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Service {
    pub arn: String,
    pub name: String,
    /// The cluster's name.
    pub cluster: String,
    pub status: ServiceStatus,
    pub is_daemon: bool,
    pub desired: u64,
    pub created: SimTime,
    pub created_by: String,
    /// What the present revision is made of: `taskDefinition`, `launchType`, `networkConfiguration`, `loadBalancers` …, as sent.
    pub revision: Map<String, Value>,
    pub strategy: Vec<StrategyItem>,
    pub settings: Settings,
    pub tags: BTreeMap<String, String>,
    /// The present (PRIMARY) first, then those whose tasks are not gone yet.
    pub deployments: Vec<Deployment>,
    /// The latest that was completed, for a rollback when it is in the list no longer.
    pub last_completed: Option<Deployment>,
    /// Newest first.
    pub events: VecDeque<ServiceEvent>,
    /// Of every deployment there was, newest first.
    pub history: Vec<ServiceDeployment>,
    pub is_steady: bool,
    /// The next time that the scheduler looks at it.
    pub due: Option<(SimTime, Ticket)>,
    /// Messages that are not repeated until something else happens, and when they were said.
    pub said: BTreeMap<String, SimTime>,
    pub throttle: Throttle,
    /// Cloud Map services that were made for its Service Connect, by id.
    #[serde(default)]
    pub discoveries: Vec<String>,
    /// The move between zones that is under way, or was the last that helped nothing.
    #[serde(default)]
    pub rebalancing: Option<Rebalancing>,
}

/// A task moves to a zone that has fewer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rebalancing {
    /// How the tasks were spread when it began, in the words of the event.
    pub from: String,
    /// The zone that had the fewest.
    pub to: String,
}

/// What can be changed without a deployment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Settings {
    /// `deploymentConfiguration`, completed by its defaults.
    pub deployment: Value,
    pub controller: String,
    pub grace: Option<u64>,
    pub constraints: Vec<Value>,
    pub placement: Vec<Value>,
    pub can_exec: bool,
    pub propagate_tags: String,
    pub managed_tags: bool,
    /// `ENABLED`, `DISABLED`.
    pub rebalancing: String,
    pub role: Option<String>,
}

/// Back-off of a service whose tasks do not reach RUNNING.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Throttle {
    /// Rounds of starts that failed, one after the other.
    pub rounds: u32,
    pub until: Option<SimTime>,
    pub is_announced: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Rollout {
    InProgress,
    Completed,
    Failed,
}

impl Rollout {
    pub fn word(self) -> &'static str {
        match self {
            Self::InProgress => "IN_PROGRESS",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
        }
    }
}

/// One deployment of a service.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Deployment {
    /// `ecs-svc/…`.
    pub id: String,
    pub revision_arn: String,
    /// The revision's parts, as in [`Service::revision`].
    pub revision: Map<String, Value>,
    pub strategy: Vec<StrategyItem>,
    pub network: Network,
    pub created: SimTime,
    pub updated: SimTime,
    pub rollout: Rollout,
    pub reason: String,
    /// Consecutive failures, as shown and as the circuit breaker counts them.
    pub failed: u32,
    /// Container → digest that its tag was resolved to when the first task started.
    pub digests: BTreeMap<String, String>,
    /// The breaker has stopped it and there was nothing to go back to: no more tasks.
    pub is_stalled: bool,
    /// It has been completed once: a rollback may go back to it.
    pub was_completed: bool,
    /// Service Connect, as its tasks have it.
    #[serde(default)]
    pub connect: Connect,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ServiceEvent {
    pub id: String,
    pub at: SimTime,
    pub message: String,
}

/// The record of a deployment (`DescribeServiceDeployments`).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ServiceDeployment {
    pub arn: String,
    /// Of the target.
    pub deployment: String,
    pub target: String,
    pub target_body: Map<String, Value>,
    pub sources: Vec<String>,
    pub created: SimTime,
    pub started: Option<SimTime>,
    pub finished: Option<SimTime>,
    pub stopped: Option<SimTime>,
    pub updated: SimTime,
    pub status: String,
    pub status_reason: Option<String>,
    pub configuration: Value,
    pub failures: u32,
    pub threshold: u32,
    /// `DISABLED`, `MONITORING`, `TRIGGERED`, `MONITORING_COMPLETE`.
    pub breaker: String,
    pub rollback: Option<Rollback>,
    pub triggered_alarms: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Rollback {
    pub reason: String,
    pub at: SimTime,
    pub revision: String,
}

/// A capacity provider.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Provider {
    pub name: String,
    pub arn: String,
    /// `autoScalingGroupProvider`, as it was sent.
    pub group: Value,
    pub tags: BTreeMap<String, String>,
}

/// A container instance.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Instance {
    pub arn: String,
    pub cluster: String,
    /// `i-…`.
    pub ec2_id: String,
    pub zone: String,
    pub interface: Option<InterfaceId>,
    /// The role of its instance profile.
    pub role: Option<String>,
    pub provider: Option<String>,
    /// CPU units.
    pub cpu: u64,
    /// MiB.
    pub memory: u64,
    /// Interfaces for `awsvpc` tasks.
    pub interfaces: u64,
    pub status: String,
    pub is_connected: bool,
    pub registered: SimTime,
    pub attributes: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
    pub version: u64,
}
