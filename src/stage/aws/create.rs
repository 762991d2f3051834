//! Building a lab's system, in an order in which each thing finds what it needs, and finding what is in the way.

use std::time::Duration;

use breakfix_lab::Document;
use serde_json::Value;

use super::{
    api::Api,
    images, kind,
    resolve::{Known, in_order},
    target::AwsTarget,
    trouble::Trouble,
};
use crate::target::{Cause, TargetError};

/// How long a thing may take to be what it is going to be: a NAT gateway, a load balancer, an interface endpoint.
const READY_WITHIN: Duration = Duration::from_secs(600);
/// How long a thing may take to go: a service drains, a gateway takes a minute, a network interface outlives its task for a while.
const GONE_WITHIN: Duration = Duration::from_secs(900);
/// The pause between two looks.
const PAUSE: Duration = Duration::from_secs(5);
/// What runs, and must find everything else ready.
const RUNNING: [&str; 2] = ["Service", "Task"];

impl AwsTarget {
    pub(super) async fn find_clashes(&self, documents: &[Document]) -> Result<Vec<String>, TargetError> {
        // An account of the session's own holds nothing of anybody else.
        let api = self.api().await?;
        if api.own_account {
            return Ok(Vec::new());
        }
        let mut clashes = Vec::new();
        let everything = api.seeing_everything();
        let mut known = Known::default();
        for document in documents {
            let Some(object) = self.found(&everything, &mut known, &document.kind, &document.name).await? else {
                continue;
            };
            // Names of what EC2 makes are tags, and two things may bear the same.
            if !api.is_tagged(&object) && !super::has_free_name(&document.kind) {
                clashes.push(named(document));
            }
        }
        Ok(clashes)
    }

    async fn found(&self, api: &Api, known: &mut Known, kind: &str, name: &str) -> Result<Option<Value>, TargetError> {
        let found = known.object(api, kind, name).await;
        found.map_err(|trouble| self.cannot(format!("look for {kind} {name}"), trouble))
    }

    pub(super) async fn create_documents(&self, documents: &[Document]) -> Result<(), TargetError> {
        let api = &*self.api().await?;
        let mut known = Known::default();
        let mut waited = false;
        for document in in_order(documents) {
            if RUNNING.contains(&document.kind.as_str()) && !waited {
                self.await_ready(api, documents).await?;
                waited = true;
            }
            self.make(api, &mut known, document).await?;
            if document.kind == "Repository" {
                for image in images::of_repository(&self.place.images, &document.name) {
                    let pushed = images::push(api, image, &images::platforms(&document.body, image)).await;
                    pushed.map_err(|trouble| self.cannot(format!("push the image {image}"), trouble))?;
                }
            }
        }
        if waited { Ok(()) } else { self.await_ready(api, documents).await }
    }

    /// Creates what a document says, or makes what is there like it.
    pub(super) async fn make(&self, api: &Api, known: &mut Known, document: &Document) -> Result<(), TargetError> {
        let what = format!("create {}", named(document));
        let kind = self.kind(&document.kind)?;
        let mut body = document.body.clone();
        let cannot = |trouble: Trouble| self.cannot(&what, trouble);
        known.fill(api, &mut body).await.map_err(cannot)?;
        match known.object(api, &document.kind, &document.name).await.map_err(cannot)? {
            Some(object) => kind.update(api, &object, &body).await.map_err(cannot)?,
            None => kind.create(api, &document.name, &body).await.map_err(cannot)?,
        }
        known.forget(&document.kind);
        Ok(())
    }

    /// Waits until everything that takes its time is there.
    async fn await_ready(&self, api: &Api, documents: &[Document]) -> Result<(), TargetError> {
        let mut passed = Duration::ZERO;
        for name in kind::in_order() {
            if !documents.iter().any(|document| document.kind == name) {
                continue;
            }
            let kind = self.kind(name)?;
            loop {
                let all = kind.list(api).await;
                let all = all.map_err(|trouble| self.cannot(format!("see whether each {name} is ready"), trouble))?;
                let Some(late) = all.iter().find(|object| !kind.is_ready(object)) else { break };
                if passed >= READY_WITHIN {
                    let late = late.get("Name").and_then(Value::as_str).unwrap_or("");
                    let what = format!("wait for {name} {late}: it is not ready after {} s", READY_WITHIN.as_secs());
                    return Err(TargetError::new(Cause::Slow, what));
                }
                self.host.pass(PAUSE).await?;
                passed += PAUSE;
            }
        }
        Ok(())
    }

    /// Removes these documents' objects, those that need others first, and waits until they are gone.
    pub(super) async fn delete_documents(&self, documents: &[Document]) -> Result<(), TargetError> {
        let api = &*self.api().await?;
        for document in in_order(documents).into_iter().rev() {
            let kind = self.kind(&document.kind)?;
            self.remove_all(api, kind, &document.kind, &|object| {
                object.get("Name").and_then(Value::as_str) == Some(document.name.as_str())
            })
            .await?;
        }
        Ok(())
    }

    /// Removes everything of the session, what the learner added to its network and clusters included.
    pub(super) async fn clear_all(&self) -> Result<(), TargetError> {
        if self.host.wipe().await? {
            self.disconnect().await;
            return Ok(());
        }
        let api = &*self.api().await?;
        for name in kind::in_order().into_iter().rev() {
            // Images go with their repository.
            if name != "Image" {
                self.remove_all(api, self.kind(name)?, name, &|_| true).await?;
            }
        }
        Ok(())
    }

    async fn remove_all(
        &self,
        api: &Api,
        kind: &'static dyn kind::Kind,
        name: &str,
        chosen: &(dyn Fn(&Value) -> bool + Sync),
    ) -> Result<(), TargetError> {
        let mut passed = Duration::ZERO;
        loop {
            let all = match kind.list(api).await {
                // What the service does not know there cannot be.
                Err(trouble) if trouble.is_unknown_operation() => return Ok(()),
                all => all.map_err(|trouble| self.cannot(format!("list each {name}"), trouble))?,
            };
            let all: Vec<Value> = all.into_iter().filter(|it| !kind.is_part(it)).collect();
            let left: Vec<&Value> = all.iter().filter(|it| chosen(it) && !is_going(it)).collect();
            let mut busy = None;
            for object in &left {
                match kind.delete(api, object).await {
                    Err(trouble) if trouble.is_busy() => busy = Some(trouble),
                    done => {
                        done.map_err(|trouble| self.cannot(format!("delete {name} {}", name_of(object)), trouble))?
                    }
                }
            }
            let going = all.iter().any(|it| chosen(it) && (is_going(it) && !is_stopped_task(it)));
            if left.is_empty() && !going {
                return Ok(());
            }
            if passed >= GONE_WITHIN {
                let what = format!("delete each {name}: not gone after {} s", GONE_WITHIN.as_secs());
                let error = TargetError::new(Cause::Slow, what);
                return Err(match busy {
                    Some(trouble) => error.because(trouble),
                    None => error,
                });
            }
            self.host.pass(if passed.is_zero() { Duration::from_secs(1) } else { PAUSE }).await?;
            passed += PAUSE;
        }
    }
}

/// On its way out already.
fn is_going(object: &Value) -> bool {
    let is = |key: &str, words: &[&str]| object.get(key).and_then(Value::as_str).is_some_and(|it| words.contains(&it));
    is("status", &["DRAINING", "INACTIVE", "DEPROVISIONING"])
        || is("State", &["deleting", "deleted", "Deleting", "Deleted"])
        || is("desiredStatus", &["STOPPED"])
}

/// A task that has stopped stays in the lists for an hour and holds nothing.
fn is_stopped_task(object: &Value) -> bool {
    object.get("lastStatus").and_then(Value::as_str) == Some("STOPPED")
}

fn name_of(object: &Value) -> &str {
    object.get("Name").and_then(Value::as_str).unwrap_or("")
}

/// `TargetGroup web`.
pub(super) fn named(document: &Document) -> String {
    format!("{} {}", document.kind, document.name)
}
