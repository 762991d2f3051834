//! Changes of the running system.

use std::{collections::BTreeMap, time::Duration};

use breakfix_lab::{
    Change, Document,
    change::{Delete, Load, ObjectRef, Patch, Scale, With},
    check::Owner,
    visit,
};
use serde_json::{Value, json};

use super::{
    api::Api,
    kind::Kind,
    resolve::Known,
    target::AwsTarget,
    trouble::Trouble,
    wire::{Credentials, Service::Sts},
};
use crate::{
    journal::Undo,
    life::edit,
    target::{Cause, TargetError},
};

/// How long a role is taken for: the shortest time that STS knows.
const ROLE_SECONDS: u32 = 900;
/// How often, and with which pauses, a role is given another chance on a system whose rights take their time to come round.
const RIGHTS_TRIES: u32 = 5;
const RIGHTS_PAUSE: Duration = Duration::from_secs(3);
/// How long one request of a load may take.
const LOAD_PATIENCE: Duration = Duration::from_secs(10);

impl AwsTarget {
    pub(super) async fn make_change(&self, change: &Change, undo: &dyn Undo) -> Result<(), TargetError> {
        let api = &*self.api().await?;
        match change {
            Change::With(with) => self.with(api, with).await,
            Change::Outage(outage) => self.fail(api, outage, undo).await,
            Change::Drain(nodes) => self.drain(api, nodes, undo).await,
            other => self.one(api, other, &BTreeMap::new()).await,
        }
    }

    async fn one(&self, api: &Api, change: &Change, live: &BTreeMap<String, String>) -> Result<(), TargetError> {
        match change {
            Change::Apply(path) => self.apply(api, path, live).await,
            Change::Patch(patch) => self.patch(api, patch).await,
            Change::Delete(delete) => self.delete_chosen(api, delete).await,
            Change::Scale(scale) => self.scale(api, scale).await,
            Change::Restart(object) => self.deploy_again(api, object).await,
            Change::Request(load) => self.load(api, load).await,
            Change::Wait(span) => self.host.pass(span.0).await,
            other => {
                let what = format!("make the change `{}`: it is not one of an ECS lab", visit::change_word(other));
                Err(TargetError::new(Cause::Refused, what))
            }
        }
    }

    async fn with(&self, api: &Api, with: &With) -> Result<(), TargetError> {
        let mut values = BTreeMap::new();
        let mut known = Known::default();
        for (name, value) in &with.live {
            let what = format!("look up the live value `{name}`");
            let cannot = |trouble: Trouble| self.cannot(&what, trouble);
            let object = match (&value.name, &value.owned_by) {
                (Some(of), _) => known.object(api, &value.kind, of).await.map_err(cannot)?,
                (None, Some(owner)) => self.owned(api, &mut known, owner).await?.into_iter().next(),
                (None, None) => None,
            };
            let object = object
                .ok_or_else(|| TargetError::new(Cause::Answered, format!("{what}: there is no such {}", value.kind)))?;
            let text = value.of(&object).map_err(|error| TargetError::new(Cause::Answered, &what).because(error))?;
            values.insert(name.clone(), text);
        }
        let changes = with.filled(&values);
        let changes = changes.map_err(|error| TargetError::new(Cause::Local, "fill live values in").because(error))?;
        for change in &changes {
            Box::pin(self.one(api, change, &values)).await?;
        }
        Ok(())
    }

    async fn apply(&self, api: &Api, path: &str, live: &BTreeMap<String, String>) -> Result<(), TargetError> {
        let documents = self.place.files.get(path);
        let documents = documents.ok_or_else(|| TargetError::new(Cause::Local, format!("find {path} in the lab")))?;
        let mut known = Known::default();
        for document in super::resolve::in_order(documents) {
            let mut document: Document = document.clone();
            breakfix_lab::live::fill(&mut document.body, live);
            self.make(api, &mut known, &document).await?;
        }
        Ok(())
    }

    async fn patch(&self, api: &Api, patch: &Patch) -> Result<(), TargetError> {
        let name = patch.name.as_deref().unwrap_or("");
        let what = format!("patch {} {name}", patch.kind);
        let cannot = |trouble: Trouble| self.cannot(&what, trouble);
        if patch.json.is_some() || patch.owned_by.is_some() {
            let what = format!("{what}: an ECS lab patches by name, with `merge` or `strategic`");
            return Err(TargetError::new(Cause::Refused, what));
        }
        let kind = self.kind(&patch.kind)?;
        let mut known = Known::default();
        let found = known.object(api, &patch.kind, name).await.map_err(cannot)?;
        let object = found.ok_or_else(|| TargetError::new(Cause::Denied, format!("{what}: there is none")))?;
        let mut document = kind.document(&object);
        for (edits, merged) in [(&patch.merge, true), (&patch.strategic, false)] {
            let Some(mut edits) = edits.clone() else { continue };
            known.fill(api, &mut edits).await.map_err(cannot)?;
            if merged {
                edit::merge(&mut document, &edits);
            } else {
                edit::strategic(&mut document, &edits);
            }
        }
        match &patch.account {
            None => kind.update(api, &object, &document).await.map_err(cannot),
            Some(role) => self.update_as(api, &role.name, kind, (&object, &document), &what).await,
        }
    }

    /// Makes an edit as a role, with nothing but its rights. That these do not suffice is an answer.
    async fn update_as(
        &self,
        api: &Api,
        role: &str,
        kind: &dyn Kind,
        (object, document): (&Value, &Value),
        what: &str,
    ) -> Result<(), TargetError> {
        let what = format!("{what} as Role {role}");
        let mut tries = 0;
        loop {
            let done = async { kind.update(&self.taken_role(api, role).await?, object, document).await }.await;
            match done {
                // A right that was given a moment ago may not have come round yet.
                Err(trouble) if trouble.is_forbidden() && tries < RIGHTS_TRIES && !self.host.skips_time() => {
                    self.host.pass(RIGHTS_PAUSE).await?;
                    tries += 1;
                }
                Err(trouble) if trouble.is_forbidden() || matches!(trouble, Trouble::NoReference(_)) => {
                    return Err(TargetError::new(Cause::Denied, what).because(trouble));
                }
                done => return done.map_err(|trouble| self.cannot(&what, trouble)),
            }
        }
    }

    /// The account as a role sees it, taken as the learner would take it.
    async fn taken_role(&self, api: &Api, role: &str) -> Result<Api, Trouble> {
        let found = Known::default().object(api, "Role", role).await?;
        let found = found.ok_or_else(|| Trouble::NoReference(format!("Role/{role}.arn")))?;
        let learner = self.host.learner().map_err(|error| Trouble::Odd(error.chain()))?;
        let learner = learner.map(|credentials| api.seen_by(credentials));
        let input = json!({
            "RoleArn": found.get("Arn"), "RoleSessionName": "breakfix", "DurationSeconds": ROLE_SECONDS,
        });
        let answer = learner.as_ref().unwrap_or(api).call(Sts, "AssumeRole", input).await?;
        let part = |name: &str| answer.pointer(&format!("/Credentials/{name}")).and_then(Value::as_str);
        match (part("AccessKeyId"), part("SecretAccessKey"), part("SessionToken")) {
            (Some(id), Some(secret), Some(token)) => {
                Ok(api.seen_by(Credentials::new(id, secret, Some(token.to_owned()), None, "breakfix")))
            }
            _ => Err(Trouble::Odd("a role without credentials".to_owned())),
        }
    }

    async fn delete_chosen(&self, api: &Api, delete: &Delete) -> Result<(), TargetError> {
        let what = format!("delete {}", delete.kind);
        let cannot = |trouble: Trouble| self.cannot(&what, trouble);
        let kind = self.kind(&delete.kind)?;
        let mut known = Known::default();
        let chosen = match (&delete.owned_by, &delete.name) {
            (Some(owner), _) => self.belonging(api, &mut known, &delete.kind, owner).await?,
            (None, Some(name)) => known.object(api, &delete.kind, name).await.map_err(cannot)?.into_iter().collect(),
            (None, None) => Vec::new(),
        };
        if chosen.is_empty() {
            return Err(TargetError::new(Cause::Denied, format!("{what}: there is none")));
        }
        let count = delete.count.map_or(usize::MAX, |count| usize::try_from(count).unwrap_or(usize::MAX));
        for object in chosen.iter().take(count) {
            kind.delete(api, object).await.map_err(cannot)?;
        }
        Ok(())
    }

    /// The running tasks of a service, by id.
    pub(super) async fn owned(&self, api: &Api, known: &mut Known, owner: &Owner) -> Result<Vec<Value>, TargetError> {
        let what = format!("find the tasks of {} {}", owner.kind, owner.name);
        let tasks = known.list(api, "Task").await.map_err(|trouble| self.cannot(&what, trouble))?;
        let group = format!("service:{}", owner.name);
        let text = |task: &Value, key: &str| task.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
        let is_own = |task: &&Value| text(task, "group") == group && text(task, "desiredStatus") == "RUNNING";
        let mut own: Vec<Value> = tasks.iter().filter(is_own).cloned().collect();
        own.sort_by_key(|task| text(task, "taskArn"));
        Ok(own)
    }

    async fn scale(&self, api: &Api, scale: &Scale) -> Result<(), TargetError> {
        self.update_service(api, &scale.name, json!({"desiredCount": scale.replicas}), "scale").await
    }

    async fn deploy_again(&self, api: &Api, object: &ObjectRef) -> Result<(), TargetError> {
        self.update_service(api, &object.name, json!({"forceNewDeployment": true}), "deploy again").await
    }

    async fn update_service(&self, api: &Api, name: &str, document: Value, verb: &str) -> Result<(), TargetError> {
        let what = format!("{verb} Service {name}");
        let cannot = |trouble: Trouble| self.cannot(&what, trouble);
        let found = Known::default().object(api, "Service", name).await.map_err(cannot)?;
        let service = found.ok_or_else(|| TargetError::new(Cause::Denied, format!("{what}: there is none")))?;
        self.kind("Service")?.update(api, &service, &document).await.map_err(cannot)
    }

    /// Requests for their effect; what they answer is nobody's concern here.
    async fn load(&self, api: &Api, load: &Load) -> Result<(), TargetError> {
        let times = load.times.unwrap_or(1).max(1);
        let sent = self.send(api, &load.from, &load.request, (times, load.count), LOAD_PATIENCE, None).await;
        sent.map(drop).map_err(|failure| TargetError::new(Cause::Answered, failure.to_string()))
    }
}
