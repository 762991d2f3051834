//! Over HTTP, signed: ECS through its SDK, the few operations of the other services by requests of our own, on the SDK's signing and connector.

mod ecs;
mod query;
mod reply;
mod signed;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod written;
mod xml;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use serde_json::Value;

use super::{Answer, Credentials, Service, Wire};
use crate::aws::trouble::Trouble;

#[cfg(test)]
pub(in crate::aws) use written::as_written;

/// How long one call may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// What all calls share.
#[derive(Clone)]
pub(in crate::aws) struct Way {
    pub connector: SharedHttpConnector,
    pub credentials: SharedCredentialsProvider,
    pub region: String,
    /// One address for every service; absent: AWS's own, a name a service.
    pub endpoint: Option<String>,
}

impl fmt::Debug for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Credentials do not belong into a log.
        write!(f, "Way({}, {:?})", self.region, self.endpoint)
    }
}

/// AWS, or a service that speaks its API.
pub(in crate::aws) struct Http {
    way: Way,
    ecs: ecs::Client,
    signed: signed::Client,
}

impl Http {
    pub(in crate::aws) fn new(way: Way) -> Self {
        Self { ecs: ecs::Client::new(&way), signed: signed::Client::new(way.clone()), way }
    }
}

#[async_trait]
impl Wire for Http {
    async fn send(&self, service: Service, operation: &str, input: &Value) -> Result<Answer, Trouble> {
        match service {
            Service::Ecs => self.ecs.send(operation, input).await,
            other => self.signed.send(other, operation, input).await,
        }
    }

    fn of(&self, credentials: Credentials) -> Arc<dyn Wire> {
        Arc::new(Self::new(Way { credentials: SharedCredentialsProvider::new(credentials), ..self.way.clone() }))
    }
}
