//! The services beside ECS: requests of our own, signed by the SDK's signer and sent by its connector.

use std::time::SystemTime;

use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use aws_smithy_runtime_api::client::{http::HttpConnector, orchestrator::HttpRequest};
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt;
use serde_json::Value;

use super::{PATIENCE, Way, query, reply::Reply};
use crate::aws::{
    trouble::Trouble,
    wire::{Answer, Service},
};

/// How a service is spoken to.
enum Protocol {
    /// The header `x-amz-target` names the operation.
    Json { target: &'static str },
    /// A form, and XML back.
    Query { version: &'static str },
}

fn protocol(service: Service) -> Protocol {
    match service {
        Service::Ecs => Protocol::Json { target: "AmazonEC2ContainerServiceV20141113" },
        Service::Logs => Protocol::Json { target: "Logs_20140328" },
        Service::Secrets => Protocol::Json { target: "secretsmanager" },
        Service::Ssm => Protocol::Json { target: "AmazonSSM" },
        Service::Ecr => Protocol::Json { target: "AmazonEC2ContainerRegistry_V20150921" },
        Service::Discovery => Protocol::Json { target: "Route53AutoNaming_v20170314" },
        Service::Kms => Protocol::Json { target: "TrentService" },
        Service::AppScaling => Protocol::Json { target: "AnyScaleFrontendService" },
        Service::AutoScaling => Protocol::Query { version: "2011-01-01" },
        Service::CloudWatch => Protocol::Query { version: "2010-08-01" },
        Service::Elbv2 => Protocol::Query { version: "2015-12-01" },
        Service::Ec2 => Protocol::Query { version: "2016-11-15" },
        Service::Iam => Protocol::Query { version: "2010-05-08" },
        Service::Sts => Protocol::Query { version: "2011-06-15" },
    }
}

/// IAM has one endpoint for the world, and signs as if it stood there.
const IAM_REGION: &str = "us-east-1";

pub(super) struct Client {
    way: Way,
}

impl Client {
    pub(super) fn new(way: Way) -> Self {
        Self { way }
    }

    pub(super) async fn send(&self, service: Service, operation: &str, input: &Value) -> Result<Answer, Trouble> {
        let is_ec2 = service == Service::Ec2;
        let (headers, body) = match protocol(service) {
            Protocol::Json { target } => {
                let headers = vec![
                    ("content-type", "application/x-amz-json-1.1".to_owned()),
                    ("x-amz-target", format!("{target}.{operation}")),
                ];
                (headers, input.to_string())
            }
            Protocol::Query { version } => {
                let form = query::encoded(&query::pairs(operation, version, input, is_ec2));
                (vec![("content-type", "application/x-www-form-urlencoded; charset=utf-8".to_owned())], form)
            }
        };
        let request = self.signed(service, headers, body).await?;
        let sent = tokio::time::timeout(PATIENCE, self.exchange(request)).await;
        let reply = sent.map_err(|_| Trouble::Slow(PATIENCE.as_secs()))??;
        match protocol(service) {
            Protocol::Json { .. } => reply.json(),
            Protocol::Query { .. } => reply.xml(service, operation),
        }
    }

    fn address(&self, service: Service) -> String {
        let region = &self.way.region;
        match (&self.way.endpoint, service) {
            (Some(endpoint), _) => format!("{endpoint}/"),
            (None, Service::Iam) => "https://iam.amazonaws.com/".to_owned(),
            (None, Service::Ecr) => format!("https://api.ecr.{region}.amazonaws.com/"),
            (None, other) => format!("https://{}.{region}.amazonaws.com/", other.signing_name()),
        }
    }

    async fn signed(
        &self,
        service: Service,
        headers: Vec<(&'static str, String)>,
        body: String,
    ) -> Result<HttpRequest, Trouble> {
        let odd = |error: &dyn std::fmt::Display| Trouble::Odd(format!("the request cannot be signed: {error}"));
        let credentials = self.way.credentials.provide_credentials().await;
        let credentials = credentials.map_err(|error| Trouble::Unreachable(format!("no credentials: {error}")))?;
        let address = self.address(service);
        let region = if service == Service::Iam && self.way.endpoint.is_none() { IAM_REGION } else { &self.way.region };
        let identity = credentials.into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name(service.signing_name())
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| odd(&error))?
            .into();
        let pairs = headers.iter().map(|(name, value)| (*name, value.as_str()));
        let signable = SignableRequest::new("POST", address.as_str(), pairs, SignableBody::Bytes(body.as_bytes()));
        let signable = signable.map_err(|error| odd(&error))?;
        let (instructions, _) = sign(signable, &parameters).map_err(|error| odd(&error))?.into_parts();
        let mut request = http::Request::builder().method("POST").uri(&address);
        for (name, value) in &headers {
            request = request.header(*name, value);
        }
        for (name, value) in instructions.headers() {
            request = request.header(name, value);
        }
        let request = request.header("content-length", body.len()).body(SdkBody::from(body));
        HttpRequest::try_from(request.map_err(|error| odd(&error))?).map_err(|error| odd(&error))
    }

    async fn exchange(&self, request: HttpRequest) -> Result<Reply, Trouble> {
        let response = self.way.connector.call(request).await;
        let response = response.map_err(|error| match error.is_timeout() {
            true => Trouble::Slow(PATIENCE.as_secs()),
            false => Trouble::Unreachable(crate::target::causes(&error)),
        })?;
        let status = response.status().as_u16();
        let date = response.headers().get("date").map(str::to_owned);
        let body = response.into_body().collect().await;
        let body = body.map_err(|error| Trouble::Unreachable(format!("the answer broke off: {error}")))?;
        Ok(Reply { status, date, body: body.to_bytes().to_vec() })
    }
}
