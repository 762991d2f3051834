//! Fetching what checks ask for. Nothing is judged here.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use breakfix_grade::{Decision, Exchange, Failure, Fetched, Log, Observation, Outcome, Query};
use breakfix_lab::check::{Caller, Grant, Owner, Request};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    api::Api,
    host,
    resolve::Known,
    target::AwsTarget,
    trouble::Trouble,
    wire::Service::{Iam, Logs},
};
use crate::target::TargetError;

type Answer = Result<Fetched, Failure>;

/// How many lines of one stream are read, from its end.
const LOG_EVENTS_MAX: u32 = 1000;

impl AwsTarget {
    pub(super) async fn fetch(&self, queries: &BTreeSet<Query>) -> Observation {
        let mut answers: BTreeMap<Query, Answer> = BTreeMap::new();
        match self.api().await {
            Ok(api) => {
                for query in queries {
                    answers.insert(query.clone(), self.answer(&api, query).await);
                }
                let at = api.at().unwrap_or_else(Timestamp::now);
                Observation { at, answers }
            }
            Err(error) => {
                let failed = |query: &Query| (query.clone(), Err(failure(query.to_string(), &error)));
                Observation { at: Timestamp::now(), answers: queries.iter().map(failed).collect() }
            }
        }
    }

    async fn answer(&self, api: &Api, query: &Query) -> Answer {
        let what = query.to_string();
        let failed = |trouble: Trouble| failure(what.clone(), &self.cannot(&what, trouble));
        match query {
            Query::Objects { kind, .. } => match super::kind::find(kind) {
                Some(kind) => match kind.list(api).await {
                    // A kind that is not served at all is one of which there can be none.
                    Err(trouble) if trouble.is_unknown_operation() => Ok(Fetched::Objects(Vec::new())),
                    found => found.map(Fetched::Objects).map_err(failed),
                },
                None => Ok(Fetched::Objects(Vec::new())),
            },
            Query::Requests { from, request, times, timeout, control } => {
                let sent = self.send(api, from, request, *times, *timeout, control.as_deref()).await;
                sent.map(Fetched::Exchanges)
            }
            Query::Decisions { role, grants } => self.decide(api, role, grants).await.map_err(failed),
            Query::Logs { of, container } => {
                let logs = self.logs(api, of, container.as_deref()).await;
                logs.map(Fetched::Logs).map_err(|error| failure(what, &error))
            }
            Query::RoundTrip { write, read } => {
                let nonce = self.host.nonce();
                let send = async |leg: &breakfix_lab::check::Leg| {
                    let request = with_nonce(&leg.request, &nonce);
                    let sent = self.send(api, &leg.from, &request, 1, Duration::from_secs(5), None).await?;
                    sent.into_iter().next().ok_or_else(|| Failure {
                        what: what.clone(),
                        why: "nothing was sent".into(),
                        hint: None,
                    })
                };
                let write = send(write).await?;
                let answered = matches!(write.outcome, Outcome::Answered { status: 200..=299, .. });
                let read = if answered { Some(send(read).await?) } else { None };
                Ok(Fetched::RoundTrip { nonce, write, read })
            }
            Query::Events { .. }
            | Query::Access { .. }
            | Query::Declared { .. }
            | Query::DryCreate { .. }
            | Query::DryEvict { .. }
            | Query::Image { .. }
            | Query::Traces { .. }
            | Query::Processes { .. }
            | Query::File { .. } => Err(Failure { what, why: "this is no matter of ECS labs".to_owned(), hint: None }),
        }
    }

    /// Requests from the internet, one after the other.
    pub(super) async fn send(
        &self,
        api: &Api,
        _from: &Caller,
        request: &Request,
        times: u32,
        timeout: Duration,
        control: Option<&str>,
    ) -> Result<Vec<Exchange>, Failure> {
        if request.each.is_some() {
            let what = format!("{} {}", request.method.as_str(), request.url);
            let why = "tasks in a private network can only be asked from inside it".to_owned();
            return Err(Failure { what, why, hint: None });
        }
        let mut exchanges = Vec::new();
        for _ in 0..times {
            let request = with_nonce(request, &self.host.nonce());
            let (outcome, took) = self.ask(api, &request, timeout).await?;
            let control_reached = match control {
                Some(url) => {
                    let control = Request {
                        url: url.to_owned(),
                        method: Default::default(),
                        headers: BTreeMap::new(),
                        body: None,
                        each: None,
                    };
                    let (outcome, _) = self.ask(api, &control, timeout).await?;
                    Some(matches!(outcome, Outcome::Answered { .. }))
                }
                None => None,
            };
            let is_silent = outcome == Outcome::TimedOut;
            exchanges.push(host::exchange(&request.url, outcome, took, control_reached));
            // Who is silent once is waited for once: the others would only take as long.
            if is_silent {
                break;
            }
        }
        Ok(exchanges)
    }

    /// One request; a host without a dot is a load balancer of the lab.
    async fn ask(&self, api: &Api, request: &Request, timeout: Duration) -> Result<(Outcome, Duration), Failure> {
        let what = format!("{} {}", request.method.as_str(), request.url);
        let failed = |why: String| Failure { what: what.clone(), why, hint: None };
        let rest = request.url.strip_prefix("http://").ok_or_else(|| failed("it is no http URL".to_owned()))?;
        let (authority, target) = match rest.find(['/', '?']) {
            Some(at) => rest.split_at(at),
            None => (rest, "/"),
        };
        let (name, port) = match authority.rsplit_once(':') {
            Some((name, port)) => (name, port.parse().map_err(|_| failed(format!("`{port}` is no port")))?),
            None => (authority, 80),
        };
        let dns = if name.contains('.') {
            name.to_owned()
        } else {
            let found = Known::default().object(api, "LoadBalancer", name).await;
            let found = found.map_err(|trouble| failure(what.clone(), &self.cannot(&what, trouble)))?;
            match found.as_ref().and_then(|it| it.get("DNSName")).and_then(Value::as_str) {
                Some(dns) => dns.to_owned(),
                // A balancer that is gone takes its name with it.
                None => return Ok((Outcome::NameUnknown, Duration::ZERO)),
            }
        };
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        let sent = breakfix_workload::Request {
            method: request.method.as_str().to_owned(),
            target,
            headers: request.headers.clone(),
            body: request.body.clone().unwrap_or_default().into_bytes(),
        };
        Ok(self.host.ask_balancer(&dns, port, &sent, timeout).await)
    }

    async fn decide(&self, api: &Api, role: &str, grants: &[Grant]) -> Result<Fetched, Trouble> {
        let mut known = Known::default();
        let Some(object) = known.object(api, "Role", role).await? else { return Ok(Fetched::Decisions(None)) };
        let mut decisions = Vec::new();
        for grant in grants {
            let mut resource = Value::from(grant.resource.clone().unwrap_or_else(|| "*".to_owned()));
            known.fill(api, &mut resource).await?;
            let context: Vec<Value> = grant
                .context
                .iter()
                .map(|(key, value)| json!({"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}))
                .collect();
            let input = json!({
                "PolicySourceArn": object.get("Arn"),
                "ActionNames": [grant.action],
                "ResourceArns": [resource],
                "ContextEntries": context,
            });
            let answer = api.call(Iam, "SimulatePrincipalPolicy", input).await?;
            let said = answer.pointer("/EvaluationResults/0/EvalDecision").and_then(Value::as_str);
            let said = said.ok_or_else(|| Trouble::Odd("a simulation without a decision".to_owned()))?;
            decisions.push(Decision { allowed: said == "allowed", said: said.to_owned() });
        }
        Ok(Fetched::Decisions(Some(decisions)))
    }

    /// What the present tasks of a service wrote, a log for each task and container.
    async fn logs(&self, api: &Api, of: &Owner, container: Option<&str>) -> Result<Vec<Log>, TargetError> {
        let what = format!("read the logs of {} {}", of.kind, of.name);
        let cannot = |trouble: Trouble| self.cannot(&what, trouble);
        let mut known = Known::default();
        let tasks = self.owned(api, &mut known, of).await?;
        let services = known.list(api, "Service").await.map_err(cannot)?.to_vec();
        let mut logs = Vec::new();
        for task in &tasks {
            let id = task.get("Name").and_then(Value::as_str).unwrap_or("");
            let definition = services.iter().find(|it| it.get("Name") == Some(&json!(of.name)));
            let containers = definition.and_then(|it| it.pointer("/TaskDefinition/containerDefinitions"));
            for one in containers.and_then(Value::as_array).into_iter().flatten() {
                let text = |pointer: &str| one.pointer(pointer).and_then(Value::as_str).unwrap_or("");
                let name = text("/name");
                if container.is_some_and(|wanted| wanted != name) {
                    continue;
                }
                let group = text("/logConfiguration/options/awslogs-group");
                let stream = format!("{}/{name}/{id}", text("/logConfiguration/options/awslogs-stream-prefix"));
                let input = json!({"logGroupName": group, "logStreamName": stream, "limit": LOG_EVENTS_MAX});
                let lines = match api.call(Logs, "GetLogEvents", input).await {
                    Err(trouble) if trouble.is_missing() => Vec::new(),
                    Err(trouble) => return Err(cannot(trouble)),
                    Ok(answer) => answer.get("events").and_then(Value::as_array).cloned().unwrap_or_default(),
                };
                let lines: Vec<&str> =
                    lines.iter().filter_map(|it| it.get("message").and_then(Value::as_str)).collect();
                logs.push(Log { pod: id.to_owned(), text: lines.join("\n") });
            }
        }
        Ok(logs)
    }
}

/// The request with a value of its own for `${nonce}`.
fn with_nonce(request: &Request, nonce: &str) -> Request {
    let fill = |text: &str| text.replace("${nonce}", nonce);
    Request { url: fill(&request.url), body: request.body.as_deref().map(fill), ..request.clone() }
}

fn failure(what: String, error: &TargetError) -> Failure {
    Failure { what, why: error.chain(), hint: error.hints.first().cloned() }
}
