//! ECS through its SDK: retries, endpoints, signing and errors are the SDK's; question and answer are the API's own JSON.
//!
//! The SDK's types are not serde types, so a document cannot become one. An operation's request body is replaced before it is signed, and
//! the answer is read beside the SDK's own reading of it.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_ecs::{
    config::{
        BehaviorVersion, ConfigBag, Intercept, Region, RuntimeComponents,
        interceptors::{AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextMut},
        retry::RetryConfig,
        timeout::TimeoutConfig,
    },
    error::{BoxError, SdkError},
};
use aws_smithy_runtime_api::client::http::http_client_fn;
use aws_smithy_types::body::SdkBody;
use serde_json::Value;

use super::{PATIENCE, Way, reply::Reply};
use crate::aws::{trouble::Trouble, wire::Answer};

pub(super) struct Client {
    sdk: aws_sdk_ecs::Client,
}

/// Puts a body into the request, and keeps what came back.
#[derive(Clone, Debug)]
struct Raw {
    body: String,
    seen: Arc<Mutex<Option<Reply>>>,
}

impl Intercept for Raw {
    fn name(&self) -> &'static str {
        "Raw"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        *request.body_mut() = SdkBody::from(self.body.clone());
        request.headers_mut().insert("content-length", self.body.len().to_string());
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        let reply = Reply {
            status: response.status().as_u16(),
            date: response.headers().get("date").map(str::to_owned),
            body: response.body().bytes().unwrap_or_default().to_vec(),
        };
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(reply);
        Ok(())
    }
}

/// Sends the operation of this name, if it is one of these.
macro_rules! operations {
    ($client:expr, $operation:expr, $raw:expr, {$($name:literal => $method:ident),* $(,)?}) => {
        match $operation {
            $($name => $client.$method().customize().interceptor($raw).send().await.map(drop).map_err(trouble),)*
            other => Err(Trouble::Odd(format!("ecs:{other} is no operation that breakfix sends"))),
        }
    };
}

impl Client {
    pub(super) fn new(way: &Way) -> Self {
        let connector = way.connector.clone();
        let mut config = aws_sdk_ecs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(way.region.clone()))
            .credentials_provider(way.credentials.clone())
            .http_client(http_client_fn(move |_, _| connector.clone()))
            // Throttled calls are made again for all services alike.
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::builder().operation_timeout(PATIENCE).build());
        if let Some(endpoint) = &way.endpoint {
            config = config.endpoint_url(endpoint);
        }
        Self { sdk: aws_sdk_ecs::Client::from_conf(config.build()) }
    }

    pub(super) async fn send(&self, operation: &str, input: &Value) -> Result<Answer, Trouble> {
        let raw = Raw { body: input.to_string(), seen: Arc::default() };
        let seen = Arc::clone(&raw.seen);
        let sent = operations!(self.sdk, operation, raw, {
            "CreateCapacityProvider" => create_capacity_provider,
            "CreateCluster" => create_cluster,
            "CreateService" => create_service,
            "DeleteCapacityProvider" => delete_capacity_provider,
            "DeleteCluster" => delete_cluster,
            "DeleteService" => delete_service,
            "DeleteTaskDefinitions" => delete_task_definitions,
            "DeregisterContainerInstance" => deregister_container_instance,
            "DeregisterTaskDefinition" => deregister_task_definition,
            "DescribeCapacityProviders" => describe_capacity_providers,
            "DescribeClusters" => describe_clusters,
            "DescribeContainerInstances" => describe_container_instances,
            "DescribeServices" => describe_services,
            "DescribeTaskDefinition" => describe_task_definition,
            "DescribeTasks" => describe_tasks,
            "ListClusters" => list_clusters,
            "ListContainerInstances" => list_container_instances,
            "ListServices" => list_services,
            "ListTaskDefinitions" => list_task_definitions,
            "ListTasks" => list_tasks,
            "PutClusterCapacityProviders" => put_cluster_capacity_providers,
            "RegisterTaskDefinition" => register_task_definition,
            "RunTask" => run_task,
            "StopTask" => stop_task,
            "UpdateCapacityProvider" => update_capacity_provider,
            "UpdateCluster" => update_cluster,
            "UpdateContainerInstancesState" => update_container_instances_state,
            "UpdateService" => update_service,
        });
        // What came back says more than what the SDK made of it.
        let reply = seen.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (reply, sent) {
            (Some(reply), _) => reply.json(),
            (None, Err(trouble)) => Err(trouble),
            (None, Ok(())) => Err(Trouble::Odd("an answer that was not seen".to_owned())),
        }
    }
}

/// Trouble before there was any answer.
fn trouble<E: std::error::Error + 'static, R: std::fmt::Debug + 'static>(error: SdkError<E, R>) -> Trouble {
    match &error {
        SdkError::TimeoutError(_) => Trouble::Slow(PATIENCE.as_secs()),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => Trouble::Slow(PATIENCE.as_secs()),
        other => Trouble::Unreachable(crate::target::causes(other)),
    }
}
