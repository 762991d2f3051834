//! An account of the learner's, or a service that speaks AWS's API at a URL of the learner's.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_http_client::{
    Connector,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::http::{SharedHttpConnector, http_client_fn};
use breakfix_grade::Outcome;
use breakfix_workload::Request;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Host, allow::Allowed, call};
use crate::{
    aws::{
        api::{Api, SESSION_TAG},
        trouble::Trouble,
        wire::{Http, Service::Sts, Way},
    },
    target::{Cause, Place, Reach, TargetError},
};

/// How long a lab may be kept before a sweep by anybody takes it for forgotten.
const EXPIRES_AFTER: SignedDuration = SignedDuration::from_hours(12);
/// What an emulator is signed to with, where the learner has no credentials: emulators look at none.
const ANY_KEY: &str = "test";

/// Where the account is.
pub(in crate::aws) enum Origin {
    /// AWS itself; only accounts and regions of this list.
    Aws { allowed: PathBuf },
    /// Something that speaks its API.
    Endpoint { url: String },
}

/// An account that holds other people's things too.
pub(in crate::aws) struct RemoteHost {
    origin: Origin,
    place: Place,
}

impl RemoteHost {
    pub(in crate::aws) fn new(origin: Origin, place: Place) -> Self {
        Self { origin, place }
    }

    async fn way(&self) -> Result<Way, TargetError> {
        let connector =
            SharedHttpConnector::new(Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring)).build());
        let of_sdk = connector.clone();
        let config = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http_client_fn(move |_, _| of_sdk.clone()))
            .load()
            .await;
        let region = config.region().map(ToString::to_string);
        let (region, endpoint) = match &self.origin {
            Origin::Endpoint { url } => {
                (region.unwrap_or_else(|| crate::aws::sim::REGION.to_owned()), Some(url.clone()))
            }
            Origin::Aws { .. } => (
                region.ok_or_else(|| {
                    TargetError::new(Cause::Missing, "tell which region is meant")
                        .hint("Set AWS_REGION, or `region` in the profile that AWS_PROFILE names.")
                })?,
                None,
            ),
        };
        let credentials = match (config.credentials_provider(), &endpoint) {
            (Some(provider), None) => provider,
            _ => SharedCredentialsProvider::new(Credentials::new(ANY_KEY, ANY_KEY, None, None, "breakfix")),
        };
        Ok(Way { connector, credentials, region: Region::new(region).to_string(), endpoint })
    }

    /// What everything of the session bears.
    fn tags(&self) -> BTreeMap<String, String> {
        let expires = self.place.opened.checked_add(EXPIRES_AFTER).unwrap_or(Timestamp::MAX);
        BTreeMap::from([
            ("breakfix.dev/owner".to_owned(), "breakfix".to_owned()),
            (SESSION_TAG.to_owned(), self.place.session.clone()),
            ("breakfix.dev/lab".to_owned(), self.place.lab.clone()),
            ("breakfix.dev/expires".to_owned(), expires.to_string()),
        ])
    }

    fn trouble(&self, trouble: Trouble) -> TargetError {
        let error = trouble.on("find out whose account this is");
        if error.cause == Cause::Unreachable { error.hint(self.when_unreachable()) } else { error }
    }
}

#[async_trait]
impl Host for RemoteHost {
    async fn connect(&self) -> Result<Api, TargetError> {
        let way = self.way().await?;
        let region = way.region.clone();
        let api = Api::new(Arc::new(Http::new(way)), String::new(), region.clone());
        let identity = api.call(Sts, "GetCallerIdentity", json!({})).await.map_err(|it| self.trouble(it))?;
        let account = identity.get("Account").and_then(Value::as_str).unwrap_or("").to_owned();
        if let Origin::Aws { allowed } = &self.origin {
            Allowed::read(allowed)?.check(&account, &region)?;
        }
        let families = self.place.documents.iter().filter(|it| it.kind == "TaskDefinition");
        let families = families.map(|it| it.name.clone()).collect();
        Ok(api.of_account(account).owning(self.tags(), false).with_families(families))
    }

    async fn ask_balancer(
        &self,
        dns_name: &str,
        port: u16,
        request: &Request,
        timeout: Duration,
    ) -> (Outcome, Duration) {
        call::ask((dns_name, port), dns_name, request, timeout).await
    }

    async fn pass(&self, time: Duration) -> Result<(), TargetError> {
        tokio::time::sleep(time).await;
        Ok(())
    }

    async fn reach(&self, api: &Api) -> Result<Reach, TargetError> {
        let where_ = format!("The lab is in account {} in {}.", api.account, api.region);
        let env = match &self.origin {
            Origin::Aws { .. } => BTreeMap::from([("AWS_REGION".to_owned(), api.region.clone())]),
            Origin::Endpoint { url } => super::env(url, &api.region, ANY_KEY, ANY_KEY, &self.place.folder)?,
        };
        Ok(Reach { env, notes: vec![where_] })
    }

    fn when_unreachable(&self) -> String {
        match &self.origin {
            Origin::Aws { .. } => "`aws sts get-caller-identity` shows whether the account can be reached.".to_owned(),
            Origin::Endpoint { url } => format!("Is the service at {url} running?"),
        }
    }
}
