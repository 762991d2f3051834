//! A task as its agent and the API know it.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
    sync::Arc,
};

use breakfix_sim::SimTime;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Connect, Plan, files::Disk, run::Run};
use crate::network::InterfaceId;

/// `lastStatus`, in the order of a task's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum LastStatus {
    Provisioning,
    Pending,
    Activating,
    Running,
    Deactivating,
    Stopping,
    Deprovisioning,
    Stopped,
}

impl LastStatus {
    /// As the API spells it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Provisioning => "PROVISIONING",
            Self::Pending => "PENDING",
            Self::Activating => "ACTIVATING",
            Self::Running => "RUNNING",
            Self::Deactivating => "DEACTIVATING",
            Self::Stopping => "STOPPING",
            Self::Deprovisioning => "DEPROVISIONING",
            Self::Stopped => "STOPPED",
        }
    }
}

/// `healthStatus` of a container and of a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Health {
    #[default]
    Unknown,
    Healthy,
    Unhealthy,
}

impl Health {
    /// As the API spells it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN",
            Self::Healthy => "HEALTHY",
            Self::Unhealthy => "UNHEALTHY",
        }
    }
}

/// `stopCode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StopCode {
    TaskFailedToStart,
    EssentialContainerExited,
    UserInitiated,
    ServiceSchedulerInitiated,
    SpotInterruption,
    TerminationNotice,
}

impl StopCode {
    /// As the API spells it.
    pub fn word(self) -> &'static str {
        match self {
            Self::TaskFailedToStart => "TaskFailedToStart",
            Self::EssentialContainerExited => "EssentialContainerExited",
            Self::UserInitiated => "UserInitiated",
            Self::ServiceSchedulerInitiated => "ServiceSchedulerInitiated",
            Self::SpotInterruption => "SpotInterruption",
            Self::TerminationNotice => "TerminationNotice",
        }
    }
}

/// Where a task's containers run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Host {
    Fargate,
    /// ARN of the container instance.
    Instance(String),
}

/// What a task has of the network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    pub interface: InterfaceId,
    pub address: Ipv4Addr,
    pub subnet: String,
    pub mac: String,
    pub attachment: String,
    /// The interface is the task's own (`awsvpc`), and goes with it.
    pub is_own: bool,
}

/// `awsvpcConfiguration`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    pub subnets: Vec<String>,
    pub groups: Vec<String>,
    pub is_public: bool,
}

/// A target that a task is registered as.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    pub group: String,
    /// An address, or an instance's id.
    pub id: String,
    pub port: u16,
}

/// A task of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// The service's ARN.
    pub service: String,
    /// `ecs-svc/…`.
    pub deployment: String,
    /// It has begun to be drained by the scheduler: it serves what it has, and is to be stopped.
    pub is_draining: bool,
    /// The scheduler has found it unhealthy, in these words.
    pub condemned: Option<String>,
    /// It is condemned only because its instance is drained.
    pub is_moving: bool,
    /// It has counted as healthy at least once.
    pub was_healthy: bool,
    /// Whether the scheduler has taken note of its end.
    pub is_settled: bool,
}

/// One task, from its creation until an hour after its end.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Task {
    /// 32 hexadecimal digits.
    pub id: String,
    pub arn: String,
    pub cluster: String,
    pub cluster_arn: String,
    /// ARN of its task definition.
    pub definition: String,
    pub plan: Arc<Plan>,
    /// As it was asked for.
    pub overrides: Value,
    pub group: String,
    pub started_by: Option<String>,
    /// `FARGATE`, `EC2`, `EXTERNAL`; none with a capacity provider.
    pub launch_type: String,
    pub capacity_provider: Option<String>,
    pub platform_version: Option<String>,
    pub host: Host,
    pub network: Network,
    pub zone: String,
    pub membership: Option<Membership>,
    pub tags: BTreeMap<String, String>,
    pub can_exec: bool,
    pub is_protected_until: Option<SimTime>,

    pub last: LastStatus,
    pub is_to_run: bool,
    pub created: SimTime,
    pub pull_started: Option<SimTime>,
    pub pull_stopped: Option<SimTime>,
    pub connected: Option<SimTime>,
    pub started: Option<SimTime>,
    pub stopping: Option<SimTime>,
    pub execution_stopped: Option<SimTime>,
    pub stopped: Option<SimTime>,
    pub stop_code: Option<StopCode>,
    pub stopped_reason: Option<String>,
    pub version: u64,

    pub link: Option<Link>,
    /// The interface that it had.
    pub past_link: Option<Link>,
    pub containers: Vec<Container>,
    /// Files of volumes that live as long as the task, by volume name.
    pub volumes: BTreeMap<String, Disk>,
    /// Volumes that outlive it: name → key of the shared files.
    pub shared: BTreeMap<String, String>,
    pub targets: Vec<Target>,
    /// Service Connect, as its deployment has it.
    #[serde(default)]
    pub connect: Connect,
    /// Cloud Map services it is registered in, by id.
    pub registries: Vec<String>,
    /// Log streams that were made.
    pub streams: BTreeSet<String>,
    /// A step of its agent is queued: of which number it is. An older one is stale.
    pub step: u64,
}

/// A container of a task.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Container {
    pub name: String,
    pub arn: String,
    /// As the definition names it.
    pub image: String,
    pub digest: Option<String>,
    /// What program it is: image name and version, as the registry has it.
    pub program: Option<(String, String)>,
    pub state: State,
    pub runtime_id: Option<String>,
    pub exit_code: Option<i32>,
    pub reason: Option<String>,
    pub health: Health,
    /// Secrets and their values, fetched before the start.
    pub secrets: BTreeMap<String, String>,
    pub run: Option<Run>,
    pub run_started: Option<SimTime>,
    pub restarts: u32,
    /// Host port → container port, for bridge and host mode.
    pub bindings: Vec<Binding>,
    /// Failed health checks in a row.
    pub failures: u32,
    /// A check is queued; where none is, nothing can have changed since the last.
    pub is_check_due: bool,
    /// What the log driver has not sent yet.
    pub unsent: Vec<(SimTime, String)>,
    pub is_flush_due: bool,
}

/// One port of a container on its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    pub host: u16,
    pub container: u16,
    pub is_udp: bool,
}

/// `lastStatus` of a container.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    #[default]
    Pending,
    Running,
    Stopped,
}

impl State {
    /// As the API spells it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Running => "RUNNING",
            Self::Stopped => "STOPPED",
        }
    }
}

impl Task {
    /// Whether it runs and shall go on running.
    pub fn is_alive(&self) -> bool {
        self.is_to_run && self.last < LastStatus::Deactivating
    }

    /// `healthStatus`: unhealthy if an essential container is, healthy if all essential ones with a check are.
    pub fn health(&self) -> Health {
        let checked: Vec<Health> = self
            .containers
            .iter()
            .filter(|it| self.plan.container(&it.name).is_some_and(|plan| plan.is_essential && plan.health.is_some()))
            .map(|it| it.health)
            .collect();
        if checked.contains(&Health::Unhealthy) {
            Health::Unhealthy
        } else if checked.is_empty() || checked.contains(&Health::Unknown) {
            Health::Unknown
        } else {
            Health::Healthy
        }
    }

    pub fn container(&self, name: &str) -> Option<&Container> {
        self.containers.iter().find(|container| container.name == name)
    }

    pub fn container_mut(&mut self, name: &str) -> Option<&mut Container> {
        self.containers.iter_mut().find(|container| container.name == name)
    }

    /// The task belongs to this deployment.
    pub fn is_of(&self, deployment: &str) -> bool {
        self.membership.as_ref().is_some_and(|it| it.deployment == deployment)
    }
}
