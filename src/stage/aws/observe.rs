//! Fetching what checks ask for. Nothing is judged here.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use breakfix_grade::{Decision, Failure, Fetched, Log, Observation, Outcome, Query};
use breakfix_lab::check::{Grant, Owner, Request};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    api::Api,
    asking::in_words,
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
                let silences = api.silences();
                for query in queries {
                    // Whoever is silent once is waited for once: each further question would only take as long.
                    let answer = match api.silences() > silences {
                        true => Err(Failure {
                            what: query.to_string(),
                            why: "not asked: the account did not answer another question a moment ago".to_owned(),
                            hint: Some(self.host.when_unreachable()),
                        }),
                        false => self.answer(&api, query).await,
                    };
                    answers.insert(query.clone(), answer);
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
            Query::Objects { kind: name, .. } => match super::kind::find(name) {
                Some(kind) => match kind.list(api).await {
                    // A kind that is not served is one of which there can be none, unless the lab has made some: then it is only not seen.
                    Err(trouble) if trouble.is_unknown_operation() && !self.has_made(name) => {
                        Ok(Fetched::Objects(Vec::new()))
                    }
                    found => found.map(Fetched::Objects).map_err(failed),
                },
                None => Ok(Fetched::Objects(Vec::new())),
            },
            Query::Requests { from, request, times, timeout, control } => {
                let sent = self.send(api, from, request, (*times, None), *timeout, control.as_deref()).await;
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
                    let sent = self.send(api, &leg.from, &request, (1, None), Duration::from_secs(5), None).await?;
                    sent.into_iter().next().ok_or_else(|| Failure {
                        what: what.clone(),
                        why: "nothing was sent".into(),
                        hint: None,
                    })
                };
                let write = send(write).await?;
                let answered = matches!(write.outcome, Outcome::Answered { status: 200..=299, .. });
                let read = if answered { Some(Box::new(send(read).await?)) } else { None };
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

    fn has_made(&self, kind: &str) -> bool {
        self.place.documents.iter().any(|document| document.kind == kind)
    }

    async fn decide(&self, api: &Api, role: &str, grants: &[Grant]) -> Result<Fetched, Trouble> {
        let mut known = Known::default();
        let Some(object) = known.object(api, "Role", role).await? else { return Ok(Fetched::Decisions(None)) };
        let mut decisions = Vec::new();
        for grant in grants {
            let mut resource = Value::from(grant.resource.clone().unwrap_or_else(|| "*".to_owned()));
            match known.fill(api, &mut resource).await {
                // Nobody may do anything with what somebody has deleted.
                Err(Trouble::NoReference(inside)) => {
                    let gone = in_words(&inside);
                    decisions.push(Decision { allowed: false, said: format!("{gone} is gone"), on: Some(gone) });
                    continue;
                }
                filled => filled?,
            }
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
            let on = grant.resource.as_ref().and_then(|_| resource.as_str()).map(str::to_owned);
            decisions.push(Decision { allowed: said == "allowed", said: said.to_owned(), on });
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
pub(super) fn with_nonce(request: &Request, nonce: &str) -> Request {
    let fill = |text: &str| text.replace("${nonce}", nonce);
    Request { url: fill(&request.url), body: request.body.as_deref().map(fill), ..request.clone() }
}

pub(super) fn failure(what: String, error: &TargetError) -> Failure {
    Failure { what, why: error.chain(), hint: error.hints.first().cloned() }
}
