//! The target itself: what a session asks, and where it is answered.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use async_trait::async_trait;
use breakfix_grade::{Baseline, Observation, Query, observation::ImageContent};
use breakfix_lab::{Change, Document, document::DOCKER_KINDS, lab::Capability};
use futures::future::join_all;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::Mutex;

use super::{
    build::{Outcome, is_built},
    endpoint::Origin,
    engine::{Engine, found},
    events::Seen,
    observe::needs_look,
    probe::Probes,
    things::Lists,
};
use crate::{
    journal::Undo,
    target::{Changes, Place, Reach, Target, TargetError},
    work,
};

/// An engine, and one session's place on it.
pub struct DockerTarget {
    pub(super) engine: Engine,
    pub(super) place: Place,
    pub(super) probes: Mutex<Probes>,
    pub(super) seen: Mutex<Seen>,
    /// The addresses that containers had, by id, when they were stopped through this value: the engine forgets them then.
    pub(super) given_up: Mutex<BTreeMap<String, BTreeMap<String, String>>>,
    /// The grader's own builds, by name.
    pub(super) rebuilt: Mutex<BTreeMap<String, Outcome>>,
    /// Images that were looked into, by id.
    pub(super) unpacked: Mutex<BTreeMap<String, ImageContent>>,
    /// What there was when the session looked for what is in its way: nothing was made since.
    pub(super) listed: Mutex<Option<Lists>>,
}

impl DockerTarget {
    pub(super) fn new(engine: Engine, place: Place) -> Self {
        Self {
            engine,
            place,
            probes: Mutex::default(),
            seen: Mutex::default(),
            given_up: Mutex::default(),
            rebuilt: Mutex::default(),
            unpacked: Mutex::default(),
            listed: Mutex::default(),
        }
    }
}

#[async_trait]
impl Target for DockerTarget {
    async fn capabilities(&self) -> Result<BTreeSet<Capability>, TargetError> {
        let trouble = |error| self.engine.trouble("ask what the engine can do", error);
        let docker = &self.engine.docker;
        let info = self.engine.ask(docker.info());
        let bridge = async { found(self.engine.ask(docker.inspect_network("bridge", None)).await) };
        let (info, bridge) = futures::try_join!(info, bridge).map_err(trouble)?;
        let mut capabilities = BTreeSet::new();
        if info.memory_limit == Some(true) {
            capabilities.insert(Capability::MemoryLimit);
        }
        let options = bridge.and_then(|it| it.options).unwrap_or_default();
        if options.contains_key("com.docker.network.bridge.default_bridge") {
            capabilities.insert(Capability::DefaultBridge);
        }
        Ok(capabilities)
    }

    async fn clashes(&self, documents: &[Document]) -> Result<Vec<String>, TargetError> {
        self.in_the_way(documents).await
    }

    async fn create(&self, documents: &[Document]) -> Result<(), TargetError> {
        let containers = documents.iter().filter(|document| document.kind == "Container");
        let names = containers.map(|document| document.name.as_str());
        let listed = self.listed.lock().await.take();
        self.engine.remember_what_was_before(&self.place, listed, names).await?;
        // What stands before the first container needs no image.
        work::lay_out(&self.place)?;
        let needs_image = |document: &Document| document.kind == "Container" || is_built(document);
        let first = documents.iter().position(needs_image).unwrap_or(documents.len());
        let (before, rest) = documents.split_at(first);
        futures::try_join!(self.engine.load_images(&self.place), self.create_all(before))?;
        self.create_all(rest).await
    }

    async fn delete(&self, documents: &[Document]) -> Result<(), TargetError> {
        let (containers, rest): (Vec<&Document>, Vec<&Document>) =
            documents.iter().rev().partition(|document| document.kind == "Container");
        let gone = containers.into_iter().map(|it| self.delete_one(&it.kind, &it.name, true));
        // They hold the rest.
        join_all(gone).await.into_iter().collect::<Result<(), _>>()?;
        for document in rest {
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
        Ok(Baseline { objects, ..Baseline::empty(taken) })
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
        self.remove_rebuilt().await;
        self.clear_all().await
    }

    async fn rest(&self) {
        self.remove_probes().await;
        self.remove_rebuilt().await;
    }

    fn changes(&self) -> Box<dyn Changes + '_> {
        self.watch_changes()
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
        let mut reach = Reach { env, notes };
        work::tell(&self.place, &mut reach);
        Ok(reach)
    }
}
