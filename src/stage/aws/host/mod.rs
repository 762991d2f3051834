//! How an account is come by: the little in which `sim`, `aws` and `endpoint:URL` differ.

mod allow;
mod call;
mod detached;
mod local;
mod remote;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    time::Duration,
};

use async_trait::async_trait;
use breakfix_grade::{Exchange, Outcome};
use breakfix_lab::lab::Capability;
use breakfix_sim_aws::{
    serve::probe::{Came, Probe, Told},
    services::outage::Outage,
};
use breakfix_workload::{CallError, Request, Response};
use jiff::Timestamp;

pub(super) use detached::{SimHost, close_simulator, serve_simulator};
pub(super) use local::LocalHost;
#[cfg(test)]
pub(super) use remote::of_the_place;
pub(super) use remote::{Origin, RemoteHost};

use super::{api::Api, wire::Credentials};
use crate::target::{Cause, Reach, TargetError, WayBack, random_word};

/// Somewhere in the lab's network: a subnet, and the security groups of whoever stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Inside {
    pub subnet: String,
    pub groups: Vec<String>,
}

/// What an account can show, as far as that is known without asking it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Able {
    Known(BTreeSet<Capability>),
    /// Somebody else's make of the API: only a try tells.
    ToBeTried,
}

/// What breakfix's own simulator can.
pub(super) fn able_of_simulator() -> Able {
    Able::Known(BTreeSet::from([
        Capability::Outages,
        Capability::RunningTasks,
        Capability::TargetHealth,
        Capability::PolicySimulation,
        Capability::NetworkProbe,
        Capability::TaskCredentials,
        Capability::MultiArch,
    ]))
}

/// A way to an account.
#[async_trait]
pub(super) trait Host: Send + Sync {
    /// The account, after whatever it takes: a process started, credentials read.
    async fn connect(&self) -> Result<Api, TargetError>;

    /// One request of somebody on the internet to a load balancer.
    async fn ask_balancer(
        &self,
        dns_name: &str,
        port: u16,
        request: &Request,
        timeout: Duration,
    ) -> (Outcome, Duration);

    /// One request of somebody inside the lab's network, with an interface of their own.
    async fn ask_inside(
        &self,
        _from: &Inside,
        _to: (&str, u16),
        _request: &Request,
        _timeout: Duration,
    ) -> Result<(Outcome, Duration), TargetError> {
        Err(TargetError::new(
            Cause::Missing,
            "ask from inside the network: breakfix can do so on its simulator only, so far",
        ))
    }

    /// What the account can show.
    fn able(&self) -> Able;

    /// Who takes roles, where we ourselves are somebody who may take none: the account's root. `None`: whoever we are.
    fn learner(&self) -> Result<Option<Credentials>, TargetError> {
        Ok(None)
    }

    /// Lets time pass on the system.
    async fn pass(&self, time: Duration) -> Result<(), TargetError>;

    /// See [`crate::Target::epoch`].
    async fn epoch(&self) -> Option<Timestamp> {
        None
    }

    /// Lets something of the provider's fail, or brings it back. Only a simulator can.
    async fn outage(&self, outage: &Outage, _is_over: bool) -> Result<(), TargetError> {
        let what = match outage {
            Outage::Zone(zone) => format!("let zone {zone} fail"),
            Outage::Capacity(provider) => format!("let {provider} run dry"),
            Outage::Agent(machine) => format!("disconnect the agent of {machine}"),
        };
        Err(TargetError::new(Cause::Refused, format!("{what}: nobody can do that to AWS"))
            .hint("Open the lab on `--target sim`."))
    }

    /// The account is the learner's from here on: one that stood inside this process gets a process of its own. True if it is to be connected
    /// to anew.
    async fn hand_over(&self) -> Result<bool, TargetError> {
        Ok(false)
    }

    /// Whether a system that is this host's own still has the files that it lives in.
    fn is_there(&self) -> bool {
        true
    }

    /// Variables and sentences for the learner.
    async fn reach(&self, api: &Api) -> Result<Reach, TargetError>;

    /// Removes the whole account, where it belongs to the session alone. True if so: there is nothing left to clear.
    async fn wipe(&self) -> Result<bool, TargetError> {
        Ok(false)
    }

    /// Whether [`Host::pass`] moves a clock of the system's own instead of waiting.
    fn skips_time(&self) -> bool {
        false
    }

    /// A word that nobody can know beforehand.
    fn nonce(&self) -> String {
        random_word()
    }

    /// See [`Target::way_back`](crate::Target::way_back).
    fn way_back(&self) -> Option<WayBack> {
        None
    }

    /// What to try when nobody answers; a whole sentence.
    fn when_unreachable(&self) -> String;
}

/// What became of a request, in the words of an observation.
pub(super) fn outcome(result: Result<Response, CallError>) -> Outcome {
    match result {
        Ok(response) => Outcome::Answered {
            status: response.status,
            headers: response.headers,
            body: String::from_utf8_lossy(&response.body).into_owned(),
        },
        Err(CallError::Refused | CallError::Unreachable) => Outcome::Refused,
        Err(CallError::TimedOut) => Outcome::TimedOut,
        Err(CallError::Reset | CallError::Garbled(_)) => Outcome::Reset,
        Err(CallError::NameUnknown(_)) => Outcome::NameUnknown,
        Err(CallError::NamesSilent(_)) => Outcome::NameUnanswered,
    }
}

/// The variables of a target that is not AWS itself. Nothing of the learner's own configuration is read or written: profiles and
/// credentials come from files of the session's folder.
pub(super) fn env(
    endpoint: &str,
    region: &str,
    access_key: &str,
    secret_key: &str,
    folder: &Path,
) -> Result<BTreeMap<String, String>, TargetError> {
    let (config, credentials) = (folder.join("aws-config"), folder.join("aws-credentials"));
    let texts = [
        (&config, format!("[default]\nregion = {region}\noutput = json\ncli_pager =\n")),
        (&credentials, format!("[default]\naws_access_key_id = {access_key}\naws_secret_access_key = {secret_key}\n")),
    ];
    for (path, text) in texts {
        fs::write(path, text)
            .map_err(|error| TargetError::new(Cause::Local, format!("write {}", path.display())).because(error))?;
    }
    let path = |path: &Path| path.display().to_string();
    Ok([
        ("AWS_ENDPOINT_URL", endpoint.to_owned()),
        ("AWS_REGION", region.to_owned()),
        ("AWS_DEFAULT_REGION", region.to_owned()),
        ("AWS_ACCESS_KEY_ID", access_key.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", secret_key.to_owned()),
        ("AWS_CONFIG_FILE", path(&config)),
        ("AWS_SHARED_CREDENTIALS_FILE", path(&credentials)),
        ("AWS_PAGER", String::new()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into())
}

/// The same of a request from inside a simulated network.
fn told(told: Told) -> (Outcome, Duration) {
    let outcome = match told.result {
        Came::Answer { status, headers, body } => Outcome::Answered { status, headers, body },
        Came::Refused => Outcome::Refused,
        Came::TimedOut => Outcome::TimedOut,
        Came::Reset => Outcome::Reset,
        Came::NameUnknown => Outcome::NameUnknown,
        Came::NameUnanswered => Outcome::NameUnanswered,
    };
    (outcome, Duration::from_millis(told.took_ms))
}

/// What a simulator is asked.
fn probe(from: &Inside, (host, port): (&str, u16), request: &Request, timeout: Duration) -> Probe {
    Probe {
        subnet: from.subnet.clone(),
        groups: from.groups.clone(),
        host: host.to_owned(),
        port,
        request: request.clone(),
        timeout_ms: u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX),
    }
}

/// One exchange as it is judged.
pub(super) fn exchange(url: &str, outcome: Outcome, took: Duration, control_reached: Option<bool>) -> Exchange {
    Exchange { url: url.to_owned(), outcome, took, address: None, control_reached }
}
