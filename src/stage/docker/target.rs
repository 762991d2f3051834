//! The target itself: what a session asks, and where it is answered.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use async_trait::async_trait;
use breakfix_grade::{Baseline, Observation, Query};
use breakfix_lab::{Change, Document, document::DOCKER_KINDS, lab::Capability};
use futures::future::join_all;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::Mutex;

use super::{endpoint::Origin, engine::Engine, events::Seen, observe::needs_look, probe::Probes};
use crate::{
    journal::Undo,
    target::{Place, Reach, Target, TargetError},
};

/// An engine, and one session's place on it.
pub struct DockerTarget {
    pub(super) engine: Engine,
    pub(super) place: Place,
    pub(super) probes: Mutex<Probes>,
    pub(super) seen: Mutex<Seen>,
}

impl DockerTarget {
    pub(super) fn new(engine: Engine, place: Place) -> Self {
        Self { engine, place, probes: Mutex::default(), seen: Mutex::default() }
    }
}

#[async_trait]
impl Target for DockerTarget {
    async fn capabilities(&self) -> Result<BTreeSet<Capability>, TargetError> {
        let trouble = |error| self.engine.trouble("ask what the engine can do", error);
        let (info, bridge) =
            futures::try_join!(self.engine.get("/info"), self.engine.find("/networks/bridge")).map_err(trouble)?;
        let mut capabilities = BTreeSet::new();
        if info.get("MemoryLimit") == Some(&Value::Bool(true)) {
            capabilities.insert(Capability::MemoryLimit);
        }
        let default = |it: &Value| it.pointer("/Options/com.docker.network.bridge.default_bridge").is_some();
        if bridge.is_some_and(|it| default(&it)) {
            capabilities.insert(Capability::DefaultBridge);
        }
        Ok(capabilities)
    }

    async fn clashes(&self, documents: &[Document]) -> Result<Vec<String>, TargetError> {
        self.in_the_way(documents).await
    }

    async fn create(&self, documents: &[Document]) -> Result<(), TargetError> {
        self.engine.remember_what_was_before(&self.place).await?;
        // What stands before the first container needs no image.
        let first = documents.iter().position(|document| document.kind == "Container").unwrap_or(documents.len());
        let (before, rest) = documents.split_at(first);
        futures::try_join!(self.engine.load_images(&self.place), self.create_all(before))?;
        self.create_all(rest).await
    }

    async fn delete(&self, documents: &[Document]) -> Result<(), TargetError> {
        for document in documents.iter().rev() {
            self.delete_one(&document.kind, &document.name, true).await?;
        }
        Ok(())
    }

    async fn change(&self, change: &Change, undo: &dyn Undo) -> Result<(), TargetError> {
        self.carry_out(change, undo).await
    }

    async fn repair(&self, note: &Value) -> Result<(), TargetError> {
        self.finish(note).await
    }

    async fn observe(&self, queries: &BTreeSet<Query>, since: Timestamp) -> Observation {
        let at = self.engine.now();
        let look = self.look(queries.iter().any(needs_look)).await;
        let look = &look;
        let answers = queries.iter().map(|query| async move { (query.clone(), self.answer(query, look, since).await) });
        let answers = join_all(answers).await.into_iter().collect();
        Observation { at, answers }
    }

    async fn baseline(&self) -> Result<Baseline, TargetError> {
        let taken = self.engine.now();
        let look = self.engine.lab(&self.place).await?;
        let mut objects = BTreeMap::new();
        for kind in DOCKER_KINDS {
            objects.insert(kind.to_owned(), self.engine.objects(&self.place, &look, kind).await?);
        }
        Ok(Baseline { taken, objects })
    }

    async fn pass(&self, time: Duration) -> Result<(), TargetError> {
        tokio::time::sleep(time).await;
        Ok(())
    }

    async fn today(&self) -> Timestamp {
        self.engine.exactly_now().await
    }

    async fn clear(&self) -> Result<(), TargetError> {
        self.remove_probes().await;
        self.clear_all().await
    }

    async fn rest(&self) {
        self.remove_probes().await;
    }

    async fn inventory(&self) -> Result<Vec<String>, TargetError> {
        self.engine.inventory().await
    }

    async fn reach(&self) -> Result<Reach, TargetError> {
        let endpoint = &self.engine.endpoint;
        let mut env = BTreeMap::new();
        // Docker's own programs find the usual socket and their own context by themselves.
        if matches!(endpoint.origin, Origin::Variable | Origin::Found) {
            env.insert("DOCKER_HOST".to_owned(), endpoint.address.to_string());
            if let Some(folder) = &endpoint.tls {
                env.insert("DOCKER_TLS_VERIFY".to_owned(), "1".to_owned());
                env.insert("DOCKER_CERT_PATH".to_owned(), folder.display().to_string());
            }
        }
        let names: Vec<String> = self
            .place
            .documents
            .iter()
            .filter(|document| document.kind == "Container")
            .map(|document| format!("`{}`", document.name))
            .collect();
        let of_engine = match &endpoint.origin {
            Origin::Context(name) => format!("the engine of your Docker context `{name}`"),
            Origin::Usual => "your Docker engine".to_owned(),
            Origin::Variable | Origin::Found => format!("the Docker engine at {}", endpoint.address),
        };
        let mut notes = vec![format!("The lab runs on {of_engine}: `docker ps --all` shows {}.", names.join(", "))];
        if !matches!(endpoint.address, super::Address::Unix(_)) {
            notes.push(
                "Ports that the lab publishes at 127.0.0.1 are those of the machine on which the engine runs.".into(),
            );
        }
        Ok(Reach { env, notes })
    }
}
