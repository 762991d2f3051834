//! Changes, carried out through the engine's API.

use std::collections::BTreeMap;

use bollard::models::ContainerUpdateBody;
use breakfix_lab::{
    Change,
    change::{Delete, Load, ObjectRef, Patch},
    live::fill,
};
use serde_json::Value;

use super::{
    DockerTarget,
    belongs::{self, label},
    direct::LEG,
    engine::{escaped, whole},
};
use crate::{
    asking::{Run, filled},
    journal::Undo,
    target::{Cause, TargetError},
    work,
};
use breakfix_grade::Outcome;

/// A request that is sent for its effect is sent again while its receiver is only just starting.
const LOAD_TRIES: u32 = 5;
const LOAD_PAUSE: std::time::Duration = std::time::Duration::from_millis(200);

impl DockerTarget {
    pub(super) async fn carry_out(&self, change: &Change, undo: &dyn Undo) -> Result<(), TargetError> {
        match change {
            Change::Apply(file) => self.apply(file, &BTreeMap::new()).await,
            Change::With(with) => Box::pin(crate::with::carry_out(self, with, undo)).await,
            Change::Patch(patch) => self.patch(patch, undo).await,
            Change::Delete(delete) => self.delete_some(delete).await,
            Change::Recreate(it) => self.recreate(&it.name, it.merge.as_ref(), it.new_address, undo).await,
            Change::Restart(which) => self.restart(container(which)?).await,
            Change::Start(which) => self.start(container(which)?).await,
            Change::Stop(which) => self.stop(container(which)?).await,
            Change::Tag(tag) => self.engine.tag(&self.place, &tag.image, &tag.name).await,
            Change::Write(write) => work::edit(&self.place, write),
            Change::Build(build) => self.build(build).await,
            Change::Rebuild(rebuild) => self.rebuild(rebuild).await,
            Change::Up(up) => self.up(&up.variables, undo).await,
            Change::Request(load) => self.load_with(load).await,
            Change::Wait(span) => {
                tokio::time::sleep(span.0).await;
                Ok(())
            }
            Change::Await(_) => Err(refused("await a check".to_owned(), "Whoever makes the changes does the waiting.")),
            Change::Evict(_)
            | Change::Cordon(_)
            | Change::Uncordon(_)
            | Change::Drain(_)
            | Change::Node(_)
            | Change::Outage(_)
            | Change::Sync(_)
            | Change::CreateJob(_) => {
                Err(refused("change a node or a Job".to_owned(), "That is a change of Kubernetes labs."))
            }
            Change::Scale(scale) => Err(refused(
                format!("scale {} {}", scale.kind, scale.name),
                "`scale` is not a change of Docker labs; create or delete containers.",
            )),
        }
    }

    /// Creates a file's documents, with live values filled in.
    pub(super) async fn apply(&self, file: &str, live: &BTreeMap<String, String>) -> Result<(), TargetError> {
        let documents = self.place.files.get(file);
        let documents =
            documents.ok_or_else(|| refused(format!("apply {file}"), "The lab's folder has no such file."))?;
        for document in documents {
            let mut document = document.clone();
            fill(&mut document.body, live);
            self.create_one(&document).await?;
        }
        Ok(())
    }

    async fn patch(&self, patch: &Patch, undo: &dyn Undo) -> Result<(), TargetError> {
        let what = format!("patch {} {}", patch.kind, patch.name.as_deref().unwrap_or_default());
        let (Some(name), Some(merge)) = (&patch.name, &patch.merge) else {
            return Err(refused(what, "A patch of a Docker lab has a `name` and a `merge`."));
        };
        match (patch.kind.as_str(), patch.subresource.as_deref()) {
            ("Container", None) => self.recreate(name, Some(merge), false, undo).await,
            ("Container", Some("update")) => {
                let name = &escaped(name);
                let done = match whole::<ContainerUpdateBody>(merge) {
                    Some(model) => self.engine.ask(self.engine.docker.update_container(name, model)).await,
                    None => self.engine.post(&format!("/containers/{name}/update"), merge).await.map(drop),
                };
                // Podman before 5 has no such call: "Not Found", without the container's name.
                done.map_err(|error| match error.is_missing() && !error.words().contains("container") {
                    true => self
                        .engine
                        .trouble(what, error)
                        .hint("This engine cannot change a running container: remove it and make it again."),
                    false => self.engine.trouble(what, error),
                })
            }
            ("Container", Some(other)) => Err(refused(
                what,
                format!("A container has no subresource `{other}`; there is `update` (docker update)."),
            )),
            _ => Err(refused(what, "Docker can change containers only; delete it and apply another.")),
        }
    }

    async fn delete_some(&self, delete: &Delete) -> Result<(), TargetError> {
        let what = format!("delete {} {}", delete.kind, delete.name.as_deref().unwrap_or_default());
        if delete.owned_by.is_some() {
            return Err(refused(what, "Nothing owns anything on Docker; delete by name or by labels."));
        }
        let mut names: Vec<String> = match &delete.name {
            Some(name) => vec![name.clone()],
            None => {
                let look = self.engine.lab(&self.place).await?;
                let objects = self.engine.objects(&self.place, &look, &delete.kind).await?;
                let carries = |it: &&Value| delete.labels.iter().all(|(key, value)| label(it, key) == Some(value));
                objects.iter().filter(carries).filter_map(belongs::name).map(str::to_owned).collect()
            }
        };
        names.truncate(delete.count.and_then(|count| usize::try_from(count).ok()).unwrap_or(usize::MAX));
        for name in names {
            self.delete_one(&delete.kind, &name, false).await?;
        }
        Ok(())
    }

    /// Deletes by kind and name. Gone already is fine. `volumes`: a container's anonymous volumes with it.
    pub(super) async fn delete_one(&self, kind: &str, name: &str, volumes: bool) -> Result<(), TargetError> {
        match kind {
            "Container" => self.remove_container(name, volumes).await,
            "Network" => self.remove_network(name).await,
            "Volume" => self.remove_volume(name).await,
            "Image" => {
                let gone = self.engine.remove_image(name).await;
                gone.map_err(|error| self.engine.trouble(format!("remove the image {name}"), error))
            }
            other => Err(refused(format!("delete {other} {name}"), format!("Docker has no kind `{other}`."))),
        }
    }

    /// Sends requests for their effect; what comes back does not matter.
    async fn load_with(&self, load: &Load) -> Result<(), TargetError> {
        let what = format!("send {} {}", load.request.method.as_str(), load.request.url);
        let request = filled(&load.request, &super::observe::nonce());
        let run = Run { request: &request, urls: Vec::new(), times: 1, timeout: 2 * LEG, control: None };
        for _ in 0..LOAD_TRIES {
            let look = self.look(request.each.is_some()).await;
            let sent = self.ask(&load.from, run.clone(), &look, &what).await;
            let sent = sent.map_err(|failure| TargetError::new(Cause::Answered, what.clone()).because(failure))?;
            let starting = |outcome: &Outcome| matches!(outcome, Outcome::Refused | Outcome::Reset);
            if !sent.iter().any(|exchange| starting(&exchange.outcome)) {
                break;
            }
            tokio::time::sleep(LOAD_PAUSE).await;
        }
        Ok(())
    }
}

fn container(which: &ObjectRef) -> Result<&str, TargetError> {
    if which.kind == "Container" {
        return Ok(&which.name);
    }
    Err(refused(format!("change {} {}", which.kind, which.name), "Only containers are started, stopped and restarted."))
}

fn refused(what: String, hint: impl Into<String>) -> TargetError {
    TargetError::new(Cause::Refused, what).hint(hint)
}
