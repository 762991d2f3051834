//! How a call gets to AWS, or to what speaks its API: one trait, in process or over HTTP.

mod http;
mod in_process;

use std::sync::Arc;

use async_trait::async_trait;
pub(super) use aws_credential_types::Credentials;
use jiff::Timestamp;
use serde_json::Value;

use super::trouble::Trouble;

#[cfg(test)]
pub(super) use http::as_written;
pub(super) use http::{Http, Way};
pub(super) use in_process::InProcess;

/// A service by its signing name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Service {
    Ecs,
    Elbv2,
    Ec2,
    Iam,
    Sts,
    Logs,
    Secrets,
    Ssm,
    Ecr,
    Discovery,
    Kms,
    AutoScaling,
    AppScaling,
    CloudWatch,
}

impl Service {
    /// What signatures and endpoints call it.
    pub(super) fn signing_name(self) -> &'static str {
        match self {
            Self::Ecs => "ecs",
            Self::Elbv2 => "elasticloadbalancing",
            Self::Ec2 => "ec2",
            Self::Iam => "iam",
            Self::Sts => "sts",
            Self::Logs => "logs",
            Self::Secrets => "secretsmanager",
            Self::Ssm => "ssm",
            Self::Ecr => "ecr",
            Self::Discovery => "servicediscovery",
            Self::Kms => "kms",
            Self::AutoScaling => "autoscaling",
            Self::AppScaling => "application-autoscaling",
            Self::CloudWatch => "monitoring",
        }
    }
}

/// An answer and when it was given, by the system's own clock.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answer {
    pub value: Value,
    pub at: Option<Timestamp>,
}

/// A way to the API. Input and answer have the API's own member names, whichever protocol carries them.
#[async_trait]
pub(super) trait Wire: Send + Sync {
    async fn send(&self, service: Service, operation: &str, input: &Value) -> Result<Answer, Trouble>;

    /// The same way with the credentials of somebody else.
    fn of(&self, credentials: Credentials) -> Arc<dyn Wire>;
}
