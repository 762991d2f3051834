//! What a task is to be: its definition with the overrides of its start, read once.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::input::{flag, integer, list, object, text, texts};

/// `networkMode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NetworkMode {
    AwsVpc,
    Bridge,
    Host,
    None,
}

/// What a task consists of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    pub family: String,
    pub network: NetworkMode,
    /// CPU units of the task.
    pub cpu: Option<u64>,
    /// MiB of the task.
    pub memory: Option<u64>,
    pub task_role: Option<String>,
    pub execution_role: Option<String>,
    /// `amd64` or `arm64`.
    pub architecture: String,
    /// `LINUX`, `WINDOWS_SERVER_2022_CORE` …
    pub system: String,
    pub containers: Vec<ContainerPlan>,
    pub volumes: Vec<VolumePlan>,
    pub constraints: Vec<Value>,
}

/// One container.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContainerPlan {
    pub name: String,
    pub image: String,
    pub cpu: u64,
    /// MiB, hard.
    pub memory: Option<u64>,
    /// MiB, reserved.
    pub reservation: Option<u64>,
    pub is_essential: bool,
    pub entry_point: Vec<String>,
    pub command: Vec<String>,
    pub environment: Vec<(String, String)>,
    /// Name → `valueFrom`.
    pub secrets: Vec<(String, String)>,
    pub mounts: Vec<MountPlan>,
    pub depends_on: Vec<(String, Condition)>,
    pub health: Option<HealthPlan>,
    /// Seconds.
    pub stop_timeout: Option<u64>,
    pub start_timeout: Option<u64>,
    pub restart: Option<RestartPlan>,
    pub ports: Vec<PortPlan>,
    pub log: Option<LogPlan>,
    pub user: Option<String>,
    pub working_directory: String,
    pub is_root_read_only: bool,
    pub pins_digest: bool,
}

/// `dependsOn[].condition`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Condition {
    Start,
    Complete,
    Success,
    Healthy,
}

/// `healthCheck`, with its defaults (the API's model: interval 30, timeout 5, retries 3, no start period). Seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthPlan {
    pub command: Vec<String>,
    pub interval: u64,
    pub timeout: u64,
    pub retries: u32,
    pub start_period: u64,
}

/// `restartPolicy`, where it is enabled. An attempt period of 300 s is the API's default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestartPlan {
    pub ignored: Vec<i64>,
    pub attempt_period: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortPlan {
    pub name: Option<String>,
    pub container: u16,
    /// 0: any.
    pub host: u16,
    pub is_udp: bool,
    /// `appProtocol` is one of HTTP's.
    #[serde(default)]
    pub is_http: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogPlan {
    pub driver: String,
    pub options: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountPlan {
    pub volume: String,
    pub path: String,
    pub is_read_only: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VolumePlan {
    pub name: String,
    /// `efsVolumeConfiguration`.
    pub efs: Option<Value>,
    /// A path on the container instance's own disk.
    pub host_path: Option<String>,
}

impl Plan {
    /// Reads a task definition, in the API's shape, with overrides (`TaskOverride`).
    pub fn read(definition: &Value, overrides: &Value) -> Self {
        let over = |name: &str| list(overrides, "containerOverrides").iter().find(|it| text(it, "name") == Some(name));
        let role = |member: &str| text(overrides, member).or_else(|| text(definition, member)).map(str::to_owned);
        let size = |member: &str| integer(overrides, member).or_else(|| integer(definition, member)).and_then(positive);
        let platform = definition.get("runtimePlatform").unwrap_or(&Value::Null);
        let containers = list(definition, "containerDefinitions");
        Self {
            family: text(definition, "family").unwrap_or_default().to_owned(),
            network: match text(definition, "networkMode") {
                Some("awsvpc") => NetworkMode::AwsVpc,
                Some("host") => NetworkMode::Host,
                Some("none") => NetworkMode::None,
                _ => NetworkMode::Bridge,
            },
            cpu: size("cpu"),
            memory: size("memory"),
            task_role: role("taskRoleArn"),
            execution_role: role("executionRoleArn"),
            architecture: if text(platform, "cpuArchitecture") == Some("ARM64") { "arm64" } else { "amd64" }.to_owned(),
            system: text(platform, "operatingSystemFamily").unwrap_or("LINUX").to_owned(),
            containers: containers
                .iter()
                .map(|it| ContainerPlan::read(it, over(text(it, "name").unwrap_or_default()).unwrap_or(&Value::Null)))
                .collect(),
            volumes: list(definition, "volumes").iter().map(VolumePlan::read).collect(),
            constraints: list(definition, "placementConstraints").to_vec(),
        }
    }

    pub fn container(&self, name: &str) -> Option<&ContainerPlan> {
        self.containers.iter().find(|container| container.name == name)
    }

    pub fn volume(&self, name: &str) -> Option<&VolumePlan> {
        self.volumes.iter().find(|volume| volume.name == name)
    }

    /// CPU units that it reserves on an instance.
    pub fn reserved_cpu(&self) -> u64 {
        self.cpu.unwrap_or_else(|| self.containers.iter().map(|it| it.cpu).sum())
    }

    /// MiB that it reserves on an instance: `memoryReservation` where it is given, `memory` otherwise.
    pub fn reserved_memory(&self) -> u64 {
        let of = |it: &ContainerPlan| it.reservation.or(it.memory).unwrap_or(0);
        self.memory.unwrap_or_else(|| self.containers.iter().map(of).sum())
    }
}

impl ContainerPlan {
    fn read(definition: &Value, over: &Value) -> Self {
        let either = |member: &str| if over.get(member).is_some_and(|it| !it.is_null()) { over } else { definition };
        let words = |member: &str| texts(either(member), member).into_iter().map(str::to_owned).collect();
        let whole = |member: &str| integer(either(member), member).and_then(positive);
        let seconds = |member: &str| integer(definition, member).and_then(positive);
        let mut environment: Vec<(String, String)> = Vec::new();
        for pair in list(definition, "environment").iter().chain(list(over, "environment")) {
            let (name, value) = (text(pair, "name").unwrap_or_default(), text(pair, "value").unwrap_or_default());
            environment.retain(|(known, _)| known != name);
            environment.push((name.to_owned(), value.to_owned()));
        }
        let secret = |it: &Value| Some((text(it, "name")?.to_owned(), text(it, "valueFrom")?.to_owned()));
        let depends = |it: &Value| {
            let condition = match text(it, "condition")? {
                "START" => Condition::Start,
                "COMPLETE" => Condition::Complete,
                "SUCCESS" => Condition::Success,
                _ => Condition::Healthy,
            };
            Some((text(it, "containerName")?.to_owned(), condition))
        };
        Self {
            name: text(definition, "name").unwrap_or_default().to_owned(),
            image: text(definition, "image").unwrap_or_default().to_owned(),
            cpu: whole("cpu").unwrap_or(0),
            memory: whole("memory"),
            reservation: whole("memoryReservation"),
            is_essential: flag(definition, "essential").unwrap_or(true),
            entry_point: words("entryPoint"),
            command: words("command"),
            environment,
            secrets: list(definition, "secrets").iter().filter_map(secret).collect(),
            mounts: list(definition, "mountPoints").iter().filter_map(MountPlan::read).collect(),
            depends_on: list(definition, "dependsOn").iter().filter_map(depends).collect(),
            health: definition.get("healthCheck").and_then(HealthPlan::read),
            stop_timeout: seconds("stopTimeout"),
            start_timeout: seconds("startTimeout"),
            restart: definition.get("restartPolicy").and_then(RestartPlan::read),
            ports: list(definition, "portMappings").iter().filter_map(PortPlan::read).collect(),
            log: definition.get("logConfiguration").and_then(LogPlan::read),
            user: text(definition, "user").map(str::to_owned),
            working_directory: text(definition, "workingDirectory").unwrap_or("/").to_owned(),
            is_root_read_only: flag(definition, "readonlyRootFilesystem").unwrap_or(false),
            pins_digest: text(definition, "versionConsistency") != Some("disabled"),
        }
    }
}

impl HealthPlan {
    fn read(check: &Value) -> Option<Self> {
        let command: Vec<String> = texts(check, "command").into_iter().map(str::to_owned).collect();
        let of = |member: &str, default: u64| integer(check, member).and_then(positive).unwrap_or(default);
        let is_check = !command.is_empty() && command.first().is_none_or(|first| first != "NONE");
        is_check.then(|| Self {
            command,
            interval: of("interval", 30),
            timeout: of("timeout", 5),
            retries: u32::try_from(of("retries", 3)).unwrap_or(3),
            start_period: of("startPeriod", 0),
        })
    }
}

impl RestartPlan {
    fn read(policy: &Value) -> Option<Self> {
        let ignored = list(policy, "ignoredExitCodes").iter().filter_map(Value::as_i64).collect();
        let attempt_period = integer(policy, "restartAttemptPeriod").and_then(positive).unwrap_or(300);
        flag(policy, "enabled")?.then_some(Self { ignored, attempt_period })
    }
}

impl PortPlan {
    fn read(mapping: &Value) -> Option<Self> {
        let port = |member: &str| integer(mapping, member).and_then(|port| u16::try_from(port).ok());
        Some(Self {
            name: text(mapping, "name").map(str::to_owned),
            container: port("containerPort")?,
            host: port("hostPort").unwrap_or(0),
            is_udp: text(mapping, "protocol") == Some("udp"),
            is_http: matches!(text(mapping, "appProtocol"), Some("http" | "http2" | "grpc")),
        })
    }
}

impl LogPlan {
    fn read(log: &Value) -> Option<Self> {
        let options = object(log, "options").into_iter().flatten();
        let options = options.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect();
        Some(Self { driver: text(log, "logDriver")?.to_owned(), options })
    }

    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.get(name).map(String::as_str)
    }
}

impl MountPlan {
    fn read(mount: &Value) -> Option<Self> {
        Some(Self {
            volume: text(mount, "sourceVolume")?.to_owned(),
            path: text(mount, "containerPath")?.trim_end_matches('/').to_owned(),
            is_read_only: flag(mount, "readOnly").unwrap_or(false),
        })
    }
}

impl VolumePlan {
    fn read(volume: &Value) -> Self {
        let host = volume.get("host").and_then(|host| text(host, "sourcePath"));
        Self {
            name: text(volume, "name").unwrap_or_default().to_owned(),
            efs: volume.get("efsVolumeConfiguration").filter(|efs| !efs.is_null()).cloned(),
            host_path: host.map(str::to_owned),
        }
    }
}

fn positive(number: i64) -> Option<u64> {
    u64::try_from(number).ok().filter(|number| *number > 0)
}
