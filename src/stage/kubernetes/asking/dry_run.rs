//! Requests with `dryRun=All`: everything has its say and nothing changes.

use std::sync::Arc;

use breakfix_grade::{Admission, Failure, Fetched};
use breakfix_lab::check::{Account, Owner};
use http::Method;
use serde_json::{Value, json};

use crate::{
    kubernetes::{
        api::Api,
        belongings, object,
        probe::{bare, failure},
        resource::Resource,
        target::KubeTarget,
        trouble::Trouble,
    },
    target::TargetError,
};

impl KubeTarget {
    /// Answers `Query::DryCreate`: the first refusal, or that everything is admitted.
    pub(in crate::kubernetes) async fn dry_create(
        &self,
        file: &str,
        account: Option<&Account>,
        what: &str,
    ) -> Result<Fetched, Failure> {
        let documents = self.place.files.get(file).ok_or_else(|| bare(what, "the lab has no such file"))?;
        let Some(api) = self.asker(account).await.map_err(|error| failure(&error))? else { return Ok(nobody()) };
        for document in documents {
            let resource = self.served(document).await.map_err(|error| failure(&error))?;
            let mut body = belongings::body_of(&self.place, &resource, document);
            self.host.adapt(&mut body);
            let namespace = object::namespace(&body).map(str::to_owned);
            let path = format!("{}?dryRun=All", resource.path(namespace.as_deref(), None, None));
            let admission = admission(api.send(Method::POST, &path, Some(("application/json", &body))).await.map(drop));
            let admission = admission.map_err(|trouble| trouble.failure(what))?;
            if admission != Admission::Admitted {
                return Ok(Fetched::Admission(admission));
            }
        }
        Ok(Fetched::Admission(Admission::Admitted))
    }

    /// Answers `Query::DryEvict`.
    pub(in crate::kubernetes) async fn dry_evict(
        &self,
        of: &Owner,
        account: Option<&Account>,
        what: &str,
    ) -> Result<Fetched, Failure> {
        let pods = self.running_pods(of).await.map_err(|trouble| trouble.failure(what))?;
        // A pod that is not ready may go under any budget: it says nothing of the rail.
        let ready = |pod: &&Value| object::is_ready(pod);
        let Some(pod) = pods.iter().find(ready).or_else(|| pods.first()) else {
            return Ok(Fetched::Admission(Admission::Nothing));
        };
        let Some(api) = self.asker(account).await.map_err(|error| failure(&error))? else { return Ok(nobody()) };
        let done = evict(&api, pod, true).await;
        admission(done).map(Fetched::Admission).map_err(|trouble| trouble.failure(what))
    }

    async fn asker(&self, account: Option<&Account>) -> Result<Option<Arc<Api>>, TargetError> {
        match account {
            Some(account) => self.api_as(account).await,
            None => self.api().await.map(Some),
        }
    }
}

fn nobody() -> Fetched {
    Fetched::Admission(Admission::Refused { code: 401, message: "there is no such account".to_owned() })
}

/// Asks for a pod's eviction.
pub(in crate::kubernetes) async fn evict(api: &Api, pod: &Value, dry: bool) -> Result<(), Trouble> {
    let Some(pods) = Resource::built_in(None, "Pod") else { return Ok(()) };
    let (name, namespace) = (object::name(pod), object::namespace(pod));
    let body = json!({
        "apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": namespace},
    });
    let query = if dry { "?dryRun=All" } else { "" };
    let path = format!("{}{query}", pods.path(namespace, Some(name), Some("eviction")));
    api.send(Method::POST, &path, Some(("application/json", &body))).await.map(drop)
}

/// A refusal is an answer; trouble of the server's own is not. A webhook that cannot be called answers 500 and is a refusal all the
/// same (k8s.io/apiserver, webhook errors).
fn admission(answer: Result<(), Trouble>) -> Result<Admission, Trouble> {
    match answer {
        Ok(()) => Ok(Admission::Admitted),
        Err(Trouble::Said { code, message, .. })
            if (400..500).contains(&code) && code != 401 || message.contains("failed calling webhook") =>
        {
            Ok(Admission::Refused { code, message })
        }
        Err(trouble) => Err(trouble),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_an_answer_and_trouble_is_none() {
        let said =
            |code: u16, message: &str| Err(Trouble::Said { code, reason: String::new(), message: message.to_owned() });
        assert_eq!(admission(Ok(())).unwrap(), Admission::Admitted);
        for (code, message) in [(403, "violates PodSecurity"), (429, "budget"), (500, "failed calling webhook \"g\"")] {
            assert_eq!(
                admission(said(code, message)).unwrap(),
                Admission::Refused { code, message: message.to_owned() }
            );
        }
        assert!(admission(said(500, "etcd is away")).is_err());
        assert!(admission(said(401, "Unauthorized")).is_err());
    }
}
