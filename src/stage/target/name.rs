//! The names of targets, as `--target` takes them.

use std::{fmt, str::FromStr, time::Duration};

use breakfix_lab::Platform;
use serde::{Deserialize, Serialize};

/// A target as the learner names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TargetName {
    /// The simulator inside breakfix.
    Sim,
    /// A kind cluster of breakfix's own.
    Kind,
    /// A context of the learner's kubeconfig.
    Context(String),
    /// The Docker engine that DOCKER_HOST or the current context names.
    Docker,
    /// The learner's own AWS account, as the environment and the configuration of `aws` name it.
    Aws,
    /// A service that speaks AWS's API at this URL.
    Endpoint(String),
}

/// Not the name of a target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a target; there are `sim`, `kind`, `context:NAME`, `docker`, `aws` and `endpoint:URL`")]
pub struct TargetNameError {
    text: String,
}

impl TargetName {
    /// Where labs of a platform open by default.
    pub fn default_for(platform: Platform) -> Self {
        match platform {
            Platform::Kubernetes | Platform::Ecs => Self::Sim,
            Platform::Docker => Self::Docker,
        }
    }

    /// Whether `start` builds the healthy system first and sees it healthy. On a cluster much can stand in the way of a healthy
    /// system (quotas, policies, nodes that cannot get the image), and a learner must not be blamed for it. An engine that creates and
    /// starts a container has shown all there is to show, and building everything twice would double the time of `start`; there `lab test` proves it.
    /// An account keeps what it was told (the revisions of a task definition, for one), so that a healthy time would be there to be copied from.
    pub fn proves_health_first(&self, platform: Platform) -> bool {
        match self {
            Self::Sim | Self::Kind | Self::Context(_) => platform == Platform::Kubernetes,
            Self::Docker | Self::Aws | Self::Endpoint(_) => false,
        }
    }

    /// How long, at most, a wrong fix is given to become right by itself in `lab test`, where time is real. Nothing on an engine
    /// rolls out or backs off; on a cluster much does.
    pub fn settles_within(&self) -> Duration {
        match self {
            Self::Docker => Duration::from_secs(3),
            Self::Sim | Self::Kind | Self::Context(_) => Duration::from_secs(30),
            // A health check needs its thresholds, a replaced task its minute.
            Self::Aws | Self::Endpoint(_) => Duration::from_secs(120),
        }
    }

    /// Whether it is somebody else's make of an API, of which parts may be missing.
    pub fn may_lack_operations(&self) -> bool {
        match self {
            Self::Endpoint(_) => true,
            Self::Sim | Self::Kind | Self::Context(_) | Self::Docker | Self::Aws => false,
        }
    }

    /// Whether labs of this platform can run there at all.
    pub fn serves(&self, platform: Platform) -> bool {
        match self {
            Self::Sim => matches!(platform, Platform::Kubernetes | Platform::Ecs),
            Self::Kind | Self::Context(_) => platform == Platform::Kubernetes,
            Self::Docker => platform == Platform::Docker,
            Self::Aws | Self::Endpoint(_) => platform == Platform::Ecs,
        }
    }
}

impl FromStr for TargetName {
    type Err = TargetNameError;

    fn from_str(text: &str) -> Result<Self, TargetNameError> {
        match text {
            "sim" => Ok(Self::Sim),
            "kind" => Ok(Self::Kind),
            "docker" => Ok(Self::Docker),
            "aws" => Ok(Self::Aws),
            _ if text.starts_with("endpoint:http://") || text.starts_with("endpoint:https://") => {
                Ok(Self::Endpoint(text.trim_start_matches("endpoint:").trim_end_matches('/').to_owned()))
            }
            _ => match text.strip_prefix("context:") {
                Some(name) if !name.is_empty() => Ok(Self::Context(name.to_owned())),
                _ => Err(TargetNameError { text: text.to_owned() }),
            },
        }
    }
}

impl fmt::Display for TargetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sim => f.write_str("sim"),
            Self::Kind => f.write_str("kind"),
            Self::Context(name) => write!(f, "context:{name}"),
            Self::Docker => f.write_str("docker"),
            Self::Aws => f.write_str("aws"),
            Self::Endpoint(url) => write!(f, "endpoint:{url}"),
        }
    }
}

impl Serialize for TargetName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TargetName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_as_they_print() {
        for text in ["sim", "kind", "docker", "context:prod", "aws", "endpoint:http://127.0.0.1:4566"] {
            assert_eq!(text.parse::<TargetName>().unwrap().to_string(), text);
        }
        for text in ["", "context:", "Sim", "aws2", "endpoint:", "endpoint:localhost"] {
            assert!(text.parse::<TargetName>().is_err(), "{text}");
        }
    }
}
