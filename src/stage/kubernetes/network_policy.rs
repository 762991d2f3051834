//! Whether a NetworkPolicy has an effect here: tried with two pods of our own, for only that shows it.

use std::{collections::BTreeMap, time::Duration};

use breakfix_grade::{Exchange, Failure, Outcome, Query};
use breakfix_lab::check::{Caller, Request};
use serde_json::json;

use super::{api::Api, belongings, object, resource::Resource, target::KubeTarget, trouble::Trouble, wait::Wait};
use crate::target::{Cause, TargetError};

/// The label and value that the policy selects.
const LABEL: (&str, &str) = ("breakfix.dev/trial", "closed");
/// The name of the policy and of the pod that it closes.
const NAME: &str = "breakfix-trial";
/// How long a policy may take to have its effect.
const EFFECT: Duration = Duration::from_secs(20);
/// How long the pod may take to answer before the policy.
const ANSWER: Duration = Duration::from_secs(30);
/// The time allowed to one request.
const REQUEST: Duration = Duration::from_secs(1);
/// Where the workload listens when nothing else is said.
const PORT: u16 = 8080;

impl KubeTarget {
    /// Only a lab with a policy in its files can need one enforced.
    pub(super) fn needs_network_policy(&self) -> bool {
        let mut documents = self.place.documents.iter().chain(self.place.files.values().flatten());
        documents.any(|document| document.kind == "NetworkPolicy")
    }

    /// A pod answers, a policy closes it, and it answers no more.
    pub(super) async fn enforces_network_policy(&self, api: &Api) -> Result<bool, TargetError> {
        let (Some(policies), Some(pods)) = (Resource::built_in(None, "NetworkPolicy"), Resource::built_in(None, "Pod"))
        else {
            return Ok(false);
        };
        let namespace = belongings::probe_namespace(&self.place);
        match api.list(&policies, Some(&namespace), "").await {
            Ok(_) => {}
            Err(Trouble::NotServed { .. }) => return Ok(false),
            Err(trouble) => return Err(self.cannot("list networkpolicies", trouble)),
        }
        let tried = self.try_policy(api, &policies, &pods, &namespace).await;
        // Both lie in a namespace of ours, which goes with the session in any case.
        let _ = api.delete(&policies, Some(&namespace), NAME, None, None).await;
        let _ = api.delete(&pods, Some(&namespace), NAME, None, Some(0)).await;
        self.remove_probes().await;
        tried
    }

    async fn try_policy(
        &self,
        api: &Api,
        policies: &Resource,
        pods: &Resource,
        namespace: &str,
    ) -> Result<bool, TargetError> {
        let what = "try whether NetworkPolicy has an effect";
        // The caller's probe comes first: it makes the namespace and provides the image.
        self.probe(&Caller::default()).await.map_err(of_failure)?;
        let labels = BTreeMap::from([(LABEL.0.to_owned(), LABEL.1.to_owned())]);
        let caller = Caller { labels, ..Caller::default() };
        let mut body = super::probe::manifest(&self.place, &caller, namespace, NAME, self.host.pull_policy());
        if let Some(command) = body.pointer_mut("/spec/containers/0/command") {
            *command = json!(["/workload", "serve"]);
        }
        self.host.adapt(&mut body);
        api.create(pods, Some(namespace), &body).await.map_err(|trouble| self.cannot(what, trouble))?;
        let address = self.address_of(api, pods, namespace).await?;
        let request: Request = Request { url: format!("http://{address}/"), ..plain_request() };
        if !self.becomes(&request, true, ANSWER).await? {
            return Err(TargetError::new(
                Cause::Answered,
                format!("{what}: one pod does not reach another even without a policy"),
            )
            .hint("The cluster's network has trouble of its own."));
        }
        let policy = json!({
            "apiVersion": policies.api_version,
            "kind": policies.kind,
            "metadata": {"name": NAME, "namespace": namespace},
            "spec": {"podSelector": {"matchLabels": {LABEL.0: LABEL.1}}, "policyTypes": ["Ingress"]},
        });
        api.create(policies, Some(namespace), &policy).await.map_err(|trouble| self.cannot(what, trouble))?;
        self.becomes(&request, false, EFFECT).await
    }

    async fn address_of(&self, api: &Api, pods: &Resource, namespace: &str) -> Result<String, TargetError> {
        let what = "start a pod to try NetworkPolicy on";
        let mut wait = Wait::up_to(ANSWER);
        loop {
            let found = api.get(pods, Some(namespace), NAME).await.map_err(|trouble| self.cannot(what, trouble))?;
            if let Some(address) = found.as_ref().and_then(|pod| object::text(pod, "/status/podIP")) {
                let host = if address.contains(':') { format!("[{address}]") } else { address.to_owned() };
                return Ok(format!("{host}:{PORT}"));
            }
            if !wait.next(self.host.as_ref()).await? {
                return Err(TargetError::new(Cause::Slow, what));
            }
        }
    }

    /// Whether requests come to be answered, or not, within a time.
    async fn becomes(&self, request: &Request, answered: bool, limit: Duration) -> Result<bool, TargetError> {
        let query = Query::Requests {
            from: Caller::default(),
            request: request.clone(),
            times: 1,
            timeout: REQUEST,
            control: None,
        };
        let probe = self.probe(&Caller::default()).await.map_err(of_failure)?;
        let mut wait = Wait::up_to(limit);
        loop {
            let exchanges = self.send_requests(&query, &probe).await.map_err(of_failure)?;
            let is_answered = |exchange: &Exchange| matches!(exchange.outcome, Outcome::Answered { .. });
            if exchanges.iter().all(is_answered) == answered {
                return Ok(true);
            }
            if !wait.next(self.host.as_ref()).await? {
                return Ok(false);
            }
        }
    }
}

fn plain_request() -> Request {
    Request { url: String::new(), method: Default::default(), headers: BTreeMap::new(), body: None, each: None }
}

fn of_failure(failure: Failure) -> TargetError {
    let error = TargetError::new(Cause::Answered, failure.to_string());
    failure.hint.into_iter().fold(error, TargetError::hint)
}
