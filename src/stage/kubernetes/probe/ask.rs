//! Sending a probe's requests: one exec of the workload's tool `get` for all requests of a query.

use std::time::Duration;

use breakfix_grade::{Exchange, Failure, Fetched, Query};
use breakfix_lab::{
    change::Load,
    check::{Leg, Owner, Request},
};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{AttachParams, AttachedProcess};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt};

use super::{CONTAINER, Probe, bare, failure};
use crate::{
    asking::{self, Run},
    kubernetes::{api::Api, delete::OWNED_KINDS, object, resource::Resource, target::KubeTarget, trouble::Trouble},
};

/// How long exec itself may take on top of the requests.
const EXEC: Duration = Duration::from_secs(10);
/// The time that each leg of a round trip may take.
const LEG_TIMEOUT: Duration = Duration::from_secs(5);
/// How much of what a probe says is held before it is read.
const CHUNK_BYTES: usize = 64 << 10;
/// How much a probe may say.
const OUTPUT_BYTES_MAX: u64 = 32 << 20;

impl KubeTarget {
    /// Answers `Query::Requests`.
    pub(in crate::kubernetes) async fn send_requests(
        &self,
        query: &Query,
        probe: &Probe,
    ) -> Result<Vec<Exchange>, Failure> {
        let Query::Requests { from: _, request, times, timeout, control } = query else {
            return Err(bare(&query.to_string(), "it is no query for requests"));
        };
        let request = asking::filled(request, &self.host.nonce());
        let urls = self.urls(&request, &query.to_string()).await?;
        let run = Run { request: &request, urls, times: *times, timeout: *timeout, control: control.as_deref() };
        self.run(probe, run, &query.to_string()).await
    }

    /// Sends requests for their effect, with `each` to at most so many instances. What is said to them does not matter.
    pub(in crate::kubernetes) async fn send_load(
        &self,
        load: &Load,
        timeout: Duration,
        probe: &Probe,
        what: &str,
    ) -> Result<(), Failure> {
        let request = asking::filled(&load.request, &self.host.nonce());
        let mut urls = self.urls(&request, what).await?;
        urls.truncate(load.count.map_or(usize::MAX, |count| usize::try_from(count).unwrap_or(usize::MAX)));
        let run = Run { request: &request, urls, times: load.times.unwrap_or(1).max(1), timeout, control: None };
        self.run(probe, run, what).await.map(drop)
    }

    /// Answers `Query::RoundTrip`.
    pub(in crate::kubernetes) async fn send_round_trip(
        &self,
        write: (&Leg, &Probe),
        read: (&Leg, &Probe),
        what: &str,
    ) -> Result<Fetched, Failure> {
        let nonce = self.host.nonce();
        let written = self.send_leg(write, &nonce, what).await?;
        let answered = matches!(&written.outcome, breakfix_grade::Outcome::Answered { status: 200..=299, .. });
        let read = if answered { Some(Box::new(self.send_leg(read, &nonce, what).await?)) } else { None };
        Ok(Fetched::RoundTrip { nonce, write: written, read })
    }

    async fn send_leg(&self, (leg, probe): (&Leg, &Probe), nonce: &str, what: &str) -> Result<Exchange, Failure> {
        let request = asking::filled(&leg.request, nonce);
        let urls = self.urls(&request, what).await?;
        let run = Run { request: &request, urls, times: 1, timeout: LEG_TIMEOUT, control: None };
        self.run(probe, run, what).await?.into_iter().next().ok_or_else(|| bare(what, "there was nobody to ask"))
    }

    /// The request's URL; with `each` one for every running pod of the workload.
    async fn urls(&self, request: &Request, what: &str) -> Result<Vec<String>, Failure> {
        match &request.each {
            None => Ok(vec![request.url.clone()]),
            Some(owner) => {
                let addresses = self.addresses(owner).await.map_err(|trouble| trouble.failure(what))?;
                Ok(addresses.iter().map(|address| asking::with_host(&request.url, address)).collect())
            }
        }
    }

    /// The addresses of a workload's running pods, by the pods' names.
    async fn addresses(&self, owner: &Owner) -> Result<Vec<String>, Trouble> {
        let pods = self.running_pods(owner).await?;
        Ok(pods.iter().filter_map(|pod| object::text(pod, "/status/podIP")).map(str::to_owned).collect())
    }

    /// A workload's running pods, by name.
    pub(in crate::kubernetes) async fn running_pods(&self, owner: &Owner) -> Result<Vec<Value>, Trouble> {
        let api = self.api().await.map_err(|error| Trouble::Unreachable { why: error.chain() })?;
        let namespace = Some(owner.namespace.as_deref().unwrap_or(&self.place.namespace));
        let Some(resource) = Resource::built_in(None, &owner.kind) else { return Ok(Vec::new()) };
        let Some(root) = api.get(&resource, namespace, &owner.name).await? else { return Ok(Vec::new()) };
        let mut objects = Vec::new();
        for owned in OWNED_KINDS.iter().filter_map(|kind| Resource::built_in(None, kind)) {
            match api.list(&owned, namespace, "").await {
                Ok((_, items)) => objects.extend(items),
                Err(Trouble::NotServed { .. }) => {}
                Err(trouble) => return Err(trouble),
            }
        }
        let mut pods: Vec<_> = object::descendants(object::uid(&root).unwrap_or_default(), &objects);
        pods.retain(|pod| object::text(pod, "/status/phase") == Some("Running") && !object::is_going(pod));
        pods.sort_by_key(|pod| object::name(pod));
        Ok(pods.into_iter().cloned().collect())
    }

    async fn run(&self, probe: &Probe, run: Run<'_>, what: &str) -> Result<Vec<Exchange>, Failure> {
        if run.urls.is_empty() {
            return Ok(Vec::new());
        }
        let api = &*self.api().await.map_err(|error| failure(&error))?;
        let limit = run.longest().saturating_add(EXEC);
        let said = tokio::time::timeout(limit, exec(api, probe, run.command())).await;
        let said = said.unwrap_or(Err(Trouble::Slow { after: limit })).map_err(|trouble| trouble.failure(what))?;
        // 0: all answered; 1: some were not. Anything else is no report.
        if !matches!(said.exit_code, Some(0 | 1)) {
            let why = format!("the probe's program failed ({:?}): {}{}", said.exit_code, said.errors.trim(), said.why);
            return Err(bare(what, why.trim()));
        }
        run.read(&said.output).map_err(|why| bare(what, &why))
    }
}

/// What a program in a container said, and how it ended.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    output: String,
    errors: String,
    /// `None` where the container runtime does not say.
    exit_code: Option<i32>,
    /// The runtime's words where the program could not be run.
    why: String,
}

async fn exec(api: &Api, probe: &Probe, command: Vec<String>) -> Result<Said, Trouble> {
    let pods: kube::Api<Pod> = kube::Api::namespaced(api.client().clone(), &probe.namespace);
    let parameters = AttachParams::default()
        .container(CONTAINER)
        .stdin(false)
        .stdout(true)
        .stderr(true)
        .max_stdout_buf_size(CHUNK_BYTES);
    let mut process = pods.exec(&probe.name, command, &parameters).await?;
    read_all(&mut process).await
}

async fn read_all(process: &mut AttachedProcess) -> Result<Said, Trouble> {
    let status = process.take_status();
    let (output, errors) = (process.stdout(), process.stderr());
    let (output, errors) = futures::future::join(text(output), text(errors)).await;
    let status = match status {
        Some(status) => status.await,
        None => None,
    };
    let status =
        status.ok_or_else(|| Trouble::Garbage { why: "exec ended without saying how the program ended".to_owned() })?;
    // `NonZeroExitCode` carries the code as a cause (k8s.io/apimachinery, remotecommand.NonZeroExitCodeReason).
    let exit_code = match status.status.as_deref() {
        Some("Success") => Some(0),
        _ => status.details.iter().flat_map(|details| details.causes.iter().flatten()).find_map(|cause| {
            (cause.reason.as_deref() == Some("ExitCode")).then(|| cause.message.as_deref()?.parse().ok()).flatten()
        }),
    };
    let why = if exit_code.is_none() { status.message.unwrap_or_default() } else { String::new() };
    Ok(Said { output: output?, errors: errors?, exit_code, why })
}

async fn text(stream: Option<impl AsyncRead + Unpin>) -> Result<String, Trouble> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        let read = stream.take(OUTPUT_BYTES_MAX).read_to_end(&mut bytes).await;
        read.map_err(|error| Trouble::Unreachable { why: error.to_string() })?;
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
