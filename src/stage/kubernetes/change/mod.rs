//! Changes as requests: what each word of the change vocabulary is on Kubernetes.

mod apply;
mod edit;
mod remove;

use breakfix_grade::Query;
use breakfix_lab::{Change, change::Load, check::Owner};
use serde_json::Value;

pub(super) use apply::replacement;

use super::{object, resource::Resource, target::KubeTarget, trouble::Trouble};
use crate::target::{Cause, TargetError};

/// The time that a request sent for its effect may take.
const LOAD_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

impl KubeTarget {
    pub(super) async fn make_change(&self, change: &Change) -> Result<(), TargetError> {
        match change {
            Change::Apply(path) => self.apply(path).await,
            Change::Patch(patch) => self.patch(patch).await,
            Change::Delete(delete) => self.remove(delete).await,
            Change::Scale(scale) => self.scale(scale).await,
            Change::Restart(object) => self.restart(object).await,
            Change::Request(load) => self.request(load).await,
            Change::Wait(span) => self.host.pass(span.0).await,
            Change::Recreate(_) => Err(docker_only("recreate")),
            Change::Start(_) => Err(docker_only("start")),
            Change::Stop(_) => Err(docker_only("stop")),
        }
    }

    /// Requests for their effect: that they could be sent counts, not what they say.
    async fn request(&self, load: &Load) -> Result<(), TargetError> {
        let query = Query::Requests {
            from: load.from.clone(),
            request: load.request.clone(),
            times: 1,
            timeout: LOAD_TIMEOUT,
            control: None,
        };
        let sent = async { self.send_requests(&query, &self.probe(&load.from).await?).await };
        sent.await.map(drop).map_err(|failure| {
            let error = TargetError::new(Cause::Answered, failure.to_string());
            failure.hint.iter().fold(error, |error, hint| error.hint(hint.clone()))
        })
    }

    /// The objects of a kind that belong to a workload, first by name. None is an error: a change that hits nothing is not made.
    async fn belonging(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        owner: &Owner,
    ) -> Result<Vec<Value>, TargetError> {
        let what = || format!("find the {} of {} {}", resource.plural, owner.kind, owner.name);
        let api = &*self.api().await?;
        let home = owner.namespace.as_deref().or(namespace);
        let owner_resource = self.known_resource(None, &owner.kind).await?;
        let found =
            api.get(&owner_resource, home, &owner.name).await.map_err(|trouble| self.cannot(what(), trouble))?;
        let root = found.as_ref().and_then(object::uid).map(str::to_owned);
        let root =
            root.ok_or_else(|| TargetError::new(Cause::Answered, format!("{}: there is no such owner", what())))?;
        let between = super::delete::OWNED_KINDS.iter().filter(|kind| **kind != resource.kind);
        let between = between.filter_map(|kind| Resource::built_in(None, kind));
        let mut objects = Vec::new();
        for owned in between.chain([resource.clone()]) {
            match api.list(&owned, home, "").await {
                Ok((_, items)) => objects.extend(items),
                Err(Trouble::NotServed { .. }) => {}
                Err(trouble) => return Err(self.cannot(what(), trouble)),
            }
        }
        let mut chosen: Vec<Value> = object::descendants(&root, &objects)
            .into_iter()
            .filter(|object| object::text(object, "/kind") == Some(resource.kind.as_str()))
            .cloned()
            .collect();
        chosen.sort_by(|a, b| object::name(a).cmp(object::name(b)));
        if chosen.is_empty() {
            return Err(TargetError::new(Cause::Answered, format!("{}: there is none", what())));
        }
        Ok(chosen)
    }
}

fn docker_only(word: &str) -> TargetError {
    TargetError::new(Cause::Refused, format!("`{word}` is a change of Docker labs; Kubernetes has no such thing"))
        .hint("Use `restart`, `scale`, `delete` or `patch`.")
}
