//! An account of the learner's, or a service that speaks AWS's API at a URL of the learner's.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_http_client::{
    Connector,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::http::{SharedHttpConnector, http_client_fn};
use breakfix_grade::Outcome;
use breakfix_lab::lab::Capability;
use breakfix_workload::Request;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Able, Host, allow::Allowed, call};
use crate::{
    aws::{
        api::{Api, EXPIRES_TAG, Expired, LAB_TAG, OWNER, OWNER_TAG, SESSION_TAG},
        trouble::Trouble,
        wire::{Http, Service::Sts, Way},
    },
    target::{Cause, Place, Reach, TargetError},
};

/// How long a lab may be kept before a sweep by anybody takes it for forgotten.
const EXPIRES_AFTER: SignedDuration = SignedDuration::from_hours(12);
/// What an emulator is signed to with, unless the learner's own configuration names it: most emulators look at no credentials.
const ANY_KEY: &str = "test";

/// A shared account as one session sees it, or as a sweep does: what has expired, whosever it was.
pub(in crate::aws) fn of_the_place(api: Api, place: &Place, expired: Option<&Expired>) -> Api {
    if let Some(expired) = expired {
        return api.forgotten(expired.clone());
    }
    let families = place.documents.iter().filter(|it| it.kind == "TaskDefinition");
    let families = families.map(|it| it.name.clone()).collect();
    api.owning(owner_tags(place), false).with_families(families)
}

/// What everything of a session bears.
fn owner_tags(place: &Place) -> BTreeMap<String, String> {
    let expires = place.opened.checked_add(EXPIRES_AFTER).unwrap_or(Timestamp::MAX);
    [
        (OWNER_TAG, OWNER.to_owned()),
        (SESSION_TAG, place.session.clone()),
        (LAB_TAG, place.lab.clone()),
        (EXPIRES_TAG, expires.to_string()),
    ]
    .map(|(tag, value)| (tag.to_owned(), value))
    .into()
}

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
    /// A sweep: nothing is looked at but what has expired.
    expired: Option<Expired>,
}

impl RemoteHost {
    pub(in crate::aws) fn new(origin: Origin, place: Place) -> Self {
        Self { origin, place, expired: None }
    }

    /// For a sweep: nothing of the account is seen but what breakfix made and nobody came back for.
    pub(in crate::aws) fn sweeping(self, expired: Expired) -> Self {
        Self { expired: Some(expired), ..self }
    }

    /// The way, and whether requests are signed with the learner's own credentials.
    async fn way(&self) -> Result<(Way, bool), TargetError> {
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
        let own = config.credentials_provider().filter(|_| self.uses_own_credentials(&config));
        let is_own = own.is_some();
        let credentials = own.unwrap_or_else(|| {
            SharedCredentialsProvider::new(Credentials::new(ANY_KEY, ANY_KEY, None, None, "breakfix"))
        });
        Ok((Way { connector, credentials, region: Region::new(region).to_string(), endpoint }, is_own))
    }

    /// Whether requests are signed with the learner's credentials: to AWS always, to another service only where the learner's own
    /// configuration names it (AWS_ENDPOINT_URL, `endpoint_url`), so that nobody is shown credentials that are for somebody else.
    fn uses_own_credentials(&self, config: &aws_config::SdkConfig) -> bool {
        match &self.origin {
            Origin::Aws { .. } => true,
            Origin::Endpoint { url } => config.endpoint_url().is_some_and(|known| known.trim_end_matches('/') == url),
        }
    }

    /// The account of this caller (`sts:GetCallerIdentity`), if it may be used: of AWS's accounts only those on the learner's list.
    fn admitted(&self, identity: &Value, region: &str) -> Result<String, TargetError> {
        let account = identity.get("Account").and_then(Value::as_str).unwrap_or("").to_owned();
        if let Origin::Aws { allowed } = &self.origin {
            Allowed::read(allowed)?.check(&account, region)?;
        }
        Ok(account)
    }

    fn trouble(&self, trouble: Trouble) -> TargetError {
        let error = trouble.on("find out whose account this is");
        if error.cause == Cause::Unreachable { error.hint(self.when_unreachable()) } else { error }
    }
}

#[async_trait]
impl Host for RemoteHost {
    async fn connect(&self) -> Result<Api, TargetError> {
        let (way, _) = self.way().await?;
        let region = way.region.clone();
        let api = Api::new(Arc::new(Http::new(way)), String::new(), region.clone());
        let identity = api.call(Sts, "GetCallerIdentity", json!({})).await.map_err(|it| self.trouble(it))?;
        let account = self.admitted(&identity, &region)?;
        let api = api.of_account(account).emulated(matches!(self.origin, Origin::Endpoint { .. }));
        Ok(of_the_place(api, &self.place, self.expired.as_ref()))
    }

    fn able(&self) -> Able {
        match &self.origin {
            // Nobody can make a zone of AWS's fail, and breakfix has nothing inside the network that could ask.
            Origin::Aws { .. } => Able::Known(BTreeSet::from([
                Capability::RunningTasks,
                Capability::TargetHealth,
                Capability::PolicySimulation,
            ])),
            Origin::Endpoint { .. } => Able::ToBeTried,
        }
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
            // Their own credentials are where their tools find them already.
            Origin::Endpoint { url } if self.way().await?.1 => BTreeMap::from([
                ("AWS_ENDPOINT_URL".to_owned(), url.clone()),
                ("AWS_REGION".to_owned(), api.region.clone()),
            ]),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::tests::nowhere;

    fn host(origin: Origin) -> RemoteHost {
        RemoteHost::new(origin, nowhere())
    }

    #[test]
    fn an_account_that_is_not_on_the_list_is_never_used() {
        let folder = tempfile::tempdir().unwrap();
        let allowed = folder.path().join("aws-accounts.yaml");
        let who = |account: &str| json!({"Account": account, "Arn": "arn:aws:iam::1:user/x"});
        let at_aws = host(Origin::Aws { allowed: allowed.clone() });
        assert!(at_aws.admitted(&who("123456789012"), "eu-central-1").is_err(), "there is no list");
        std::fs::write(&allowed, "accounts: {\"123456789012\": [eu-central-1]}\n").unwrap();
        assert_eq!(at_aws.admitted(&who("123456789012"), "eu-central-1").unwrap(), "123456789012");
        for (identity, region) in
            [(who("999999999999"), "eu-central-1"), (who("123456789012"), "us-east-1"), (json!({}), "eu-central-1")]
        {
            let refused = at_aws.admitted(&identity, region).unwrap_err();
            assert_eq!(refused.cause, Cause::Refused, "{refused:?}");
            assert!(!refused.hints.is_empty());
        }
        let elsewhere = host(Origin::Endpoint { url: "http://127.0.0.1:4566".to_owned() });
        assert_eq!(elsewhere.admitted(&who("000000000000"), "eu-central-1").unwrap(), "000000000000");
    }
}
