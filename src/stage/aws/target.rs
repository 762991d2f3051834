//! The ECS target: one client, whatever the account.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use breakfix_grade::{Baseline, Failure, Observation, Query};
use breakfix_lab::{Change, Document, lab::Capability};
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::Mutex;

use super::{
    api::Api,
    host::{Able, Host},
    kind,
    trouble::Trouble,
};
use crate::{
    journal::Undo,
    target::{Cause, Place, Reach, Target, TargetError, WayBack},
};

/// A lab's place in an account.
pub(super) struct AwsTarget {
    pub(super) host: Box<dyn Host>,
    pub(super) place: Place,
    api: Mutex<Option<Arc<Api>>>,
}

impl AwsTarget {
    /// Nothing is sent, started or read before it is needed.
    pub(super) fn new(host: Box<dyn Host>, place: Place) -> Self {
        Self { host, place, api: Mutex::default() }
    }

    /// The account, connected to at the first use.
    pub(super) async fn api(&self) -> Result<Arc<Api>, TargetError> {
        let mut known = self.api.lock().await;
        if let Some(api) = known.as_ref() {
            return Ok(Arc::clone(api));
        }
        let api = Arc::new(self.host.connect().await?);
        *known = Some(Arc::clone(&api));
        Ok(api)
    }

    /// Forgets the connection: the system behind it is no more.
    pub(super) async fn disconnect(&self) {
        *self.api.lock().await = None;
    }

    /// Trouble while doing `what`, with what to try on this kind of target.
    pub(super) fn cannot(&self, what: impl Into<String>, trouble: Trouble) -> TargetError {
        let error = trouble.on(what);
        if error.cause == Cause::Unreachable { error.hint(self.host.when_unreachable()) } else { error }
    }

    /// A kind that breakfix can make.
    pub(super) fn kind(&self, name: &str) -> Result<&'static dyn kind::Kind, TargetError> {
        kind::find(name).ok_or_else(|| {
            TargetError::new(Cause::Missing, format!("make a {name}: this breakfix does not know how yet"))
        })
    }
}

#[async_trait]
impl Target for AwsTarget {
    async fn capabilities(&self) -> Result<BTreeSet<Capability>, TargetError> {
        match self.host.able() {
            Able::Known(able) => Ok(able),
            Able::ToBeTried => self.probed().await,
        }
    }

    async fn clashes(&self, documents: &[Document]) -> Result<Vec<String>, TargetError> {
        self.find_clashes(documents).await
    }

    async fn create(&self, documents: &[Document]) -> Result<(), TargetError> {
        self.create_documents(documents).await
    }

    async fn delete(&self, documents: &[Document]) -> Result<(), TargetError> {
        self.delete_documents(documents).await
    }

    async fn change(&self, change: &Change, undo: &dyn Undo) -> Result<(), TargetError> {
        self.make_change(change, undo).await
    }

    async fn repair(&self, note: &Value) -> Result<(), TargetError> {
        self.put_right(note).await
    }

    async fn observe(&self, queries: &BTreeSet<Query>, _since: Timestamp) -> Observation {
        self.fetch(queries).await
    }

    async fn baseline(&self) -> Result<Baseline, TargetError> {
        let kinds = kind::in_order().into_iter().map(|kind| Query::Objects { kind: kind.to_owned(), namespace: None });
        let observation = self.fetch(&kinds.collect()).await;
        Baseline::from_observation(&observation)
            .map_err(|Failure { what, why, .. }| TargetError::new(Cause::Answered, format!("{what}: {why}")))
    }

    async fn hand_over(&self) -> Result<(), TargetError> {
        if self.host.hand_over().await? {
            self.disconnect().await;
        }
        Ok(())
    }

    fn is_there(&self) -> bool {
        self.host.is_there()
    }

    async fn pass(&self, time: Duration) -> Result<(), TargetError> {
        self.host.pass(time).await
    }

    async fn today(&self) -> Timestamp {
        // Any answer tells the time; that of a short list soonest.
        let query = Query::Objects { kind: "Cluster".to_owned(), namespace: None };
        self.fetch(&BTreeSet::from([query])).await.at
    }

    async fn epoch(&self) -> Option<Timestamp> {
        self.host.epoch().await
    }

    fn nonce(&self) -> String {
        self.host.nonce()
    }

    fn skips_time(&self) -> bool {
        self.host.skips_time()
    }

    fn way_back(&self) -> Option<WayBack> {
        self.host.way_back()
    }

    async fn clear(&self) -> Result<(), TargetError> {
        self.clear_all().await
    }

    async fn inventory(&self) -> Result<Vec<String>, TargetError> {
        let api = &*self.api().await?;
        let mut lines = Vec::new();
        for name in kind::in_order() {
            let kind = self.kind(name)?;
            let objects = match kind.list(api).await {
                // What the service does not know there cannot be.
                Err(trouble) if trouble.is_unknown_operation() => continue,
                objects => objects.map_err(|trouble| self.cannot(format!("list each {name}"), trouble))?,
            };
            let text = |object: &Value, key: &str| object.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
            let left = objects.iter().filter(|it| text(it, "lastStatus") != "STOPPED" && !kind.is_part(it));
            lines.extend(left.map(|it| format!("{name} {}", text(it, "Name"))));
        }
        lines.sort();
        Ok(lines)
    }

    async fn reach(&self) -> Result<Reach, TargetError> {
        let api = self.api().await?;
        self.host.reach(&api).await
    }
}
