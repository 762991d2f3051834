//! Changes as requests: what each word of the change vocabulary is on Kubernetes.

mod apply;
mod edit;
mod job;
mod live;
mod nodes;
mod remove;

use std::collections::BTreeMap;

use breakfix_lab::{Change, change::Load, check::Owner};
use serde_json::Value;

pub(super) use apply::replacement;

use super::{object, resource::Resource, target::KubeTarget, trouble::Trouble};
use crate::{
    journal::Undo,
    target::{Cause, TargetError},
    work,
};

/// The time that a request sent for its effect may take.
const LOAD_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

impl KubeTarget {
    pub(super) async fn make_change(&self, change: &Change, undo: &dyn Undo) -> Result<(), TargetError> {
        match change {
            Change::Apply(path) => self.apply(path, &BTreeMap::new()).await,
            Change::With(with) => Box::pin(crate::with::carry_out(self, with, undo)).await,
            Change::Patch(patch) => self.patch(patch).await,
            Change::Delete(delete) => self.remove(delete).await,
            Change::Scale(scale) => self.scale(scale).await,
            Change::Restart(object) => self.restart(object).await,
            Change::Request(load) => self.request(load).await,
            Change::Wait(span) => self.host.pass(span.0).await,
            Change::Evict(evict) => self.evict_some(evict).await,
            Change::Cordon(nodes) => self.cordon(nodes, undo).await,
            Change::Uncordon(nodes) => self.uncordon(nodes).await,
            Change::Drain(nodes) => self.drain(nodes, undo).await,
            Change::Node(command) => self.command_nodes(command, undo).await,
            Change::Sync(_) => self.sync().await,
            Change::Write(write) => work::edit(&self.place, write),
            Change::CreateJob(job) => self.create_job(job, undo).await,
            Change::Await(_) => Err(TargetError::new(Cause::Local, "await a check: whoever makes the changes waits")),
            Change::Outage(_) => {
                Err(TargetError::new(Cause::Refused, "make the change `outage`: it is one of an ECS lab"))
            }
            Change::Recreate(_) => Err(docker_only("recreate")),
            Change::Start(_) => Err(docker_only("start")),
            Change::Stop(_) => Err(docker_only("stop")),
            Change::Tag(_) => Err(docker_only("tag")),
            Change::Build(_) => Err(docker_only("build")),
            Change::Rebuild(_) => Err(docker_only("rebuild")),
            Change::Up(_) => Err(docker_only("up")),
        }
    }

    /// Requests for their effect: that they could be sent counts, not what they say.
    async fn request(&self, load: &Load) -> Result<(), TargetError> {
        let what = format!("{} {}", load.request.method.as_str(), load.request.url);
        let sent = async {
            for probe in self.probes(&load.from).await? {
                self.send_load(load, LOAD_TIMEOUT, &probe, &what).await?;
            }
            Ok(())
        };
        sent.await.map_err(|failure: breakfix_grade::Failure| {
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
            root.ok_or_else(|| TargetError::new(Cause::Denied, format!("{}: there is no such owner", what())))?;
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
            return Err(TargetError::new(Cause::Denied, format!("{}: there is none", what())));
        }
        Ok(chosen)
    }
}

impl KubeTarget {
    /// Puts right what a change noted: what was made for a while goes, what was closed for a while is opened.
    pub(super) async fn put_right(&self, note: &Value) -> Result<(), TargetError> {
        if let Some(node) = object::text(note, "/uncordon") {
            return self.set_unschedulable(node, false).await;
        }
        if note.get("node").is_some() {
            return self.take_back(note).await;
        }
        if let (Some(kind), Some(name)) = (object::text(note, "/delete/kind"), object::text(note, "/delete/name")) {
            let resource = self.known_resource(None, kind).await?;
            let done =
                self.api().await?.delete(&resource, object::text(note, "/delete/namespace"), name, None, None).await;
            return done.map_err(|trouble| self.cannot(format!("delete {kind} {name}"), trouble));
        }
        Err(TargetError::new(Cause::Local, format!("the journal has a note that no Kubernetes target writes: {note}"))
            .hint("`breakfix stop` removes the session as a whole."))
    }
}

/// Where objects are that belong to a workload: with it, unless a change says otherwise.
fn home<'a>(named: Option<&'a str>, owner: Option<&'a Owner>) -> Option<&'a str> {
    named.or_else(|| owner.and_then(|owner| owner.namespace.as_deref()))
}

/// Tells the journal what the next mutation needs if it is to be undone.
pub(super) fn noted(undo: &dyn Undo, note: Value) -> Result<(), TargetError> {
    undo.note(note).map_err(|error| TargetError::new(Cause::Local, "write the journal").because(error))
}

fn docker_only(word: &str) -> TargetError {
    TargetError::new(Cause::Refused, format!("`{word}` is a change of Docker labs; Kubernetes has no such thing"))
        .hint("Use `restart`, `scale`, `delete` or `patch`.")
}
