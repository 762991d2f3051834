//! The Kubernetes target: one client, whatever the cluster.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use breakfix_grade::{Baseline, Observation, Query};
use breakfix_lab::{Change, Document, lab::Capability};
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::Mutex;

use super::{api::Api, delete::Gone, discovery, host::Host, probe::Probes, resource::Resource, trouble::Trouble};
use crate::{
    journal::Undo,
    target::{Cause, Changes, NodeOutput, Place, Reach, Target, TargetError, WayBack},
    work,
};

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// A lab's place on a cluster.
pub(crate) struct KubeTarget {
    pub(super) host: Box<dyn Host>,
    pub(super) place: Place,
    pub(super) probes: Mutex<Probes>,
    /// What was deleted to be made anew; see `delete`.
    pub(super) gone: Mutex<Gone>,
    api: Mutex<Option<Arc<Api>>>,
    patience: Duration,
}

impl KubeTarget {
    /// Nothing is sent, started or read before it is needed.
    pub(crate) fn new(host: Box<dyn Host>, place: Place) -> Self {
        Self {
            host,
            place,
            probes: Mutex::default(),
            gone: Mutex::default(),
            api: Mutex::default(),
            patience: PATIENCE,
        }
    }

    /// With another limit for one request.
    #[cfg(test)]
    pub(crate) fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// How long one request may take.
    pub(super) fn patience(&self) -> Duration {
        self.patience
    }

    /// The API server, connected to at the first use.
    pub(super) async fn api(&self) -> Result<Arc<Api>, TargetError> {
        let mut known = self.api.lock().await;
        if let Some(api) = known.as_ref() {
            return Ok(Arc::clone(api));
        }
        let api = Arc::new(self.api_of(self.host.connect().await?));
        *known = Some(Arc::clone(&api));
        Ok(api)
    }

    pub(super) fn api_of(&self, client: kube::Client) -> Api {
        Api::new(client, self.patience, self.host.clock())
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

    /// Where a kind is served. `None`: not at all.
    pub(super) async fn resource(
        &self,
        api_version: Option<&str>,
        kind: &str,
    ) -> Result<Option<Resource>, TargetError> {
        match Resource::built_in(api_version, kind) {
            Some(resource) => Ok(Some(resource)),
            None => discovery::find(&*self.api().await?, api_version, kind)
                .await
                .map_err(|trouble| self.cannot(format!("find out where {kind} is served"), trouble)),
        }
    }

    /// A kind that must be served.
    pub(super) async fn known_resource(&self, api_version: Option<&str>, kind: &str) -> Result<Resource, TargetError> {
        self.resource(api_version, kind).await?.ok_or_else(|| {
            let version = api_version.map(|version| format!(" in version \"{version}\"")).unwrap_or_default();
            TargetError::new(
                Cause::Missing,
                format!("find out where {kind} is served: no matches for kind \"{kind}\"{version}"),
            )
            .hint("The cluster does not serve this kind.")
        })
    }
}

#[async_trait]
impl Target for KubeTarget {
    async fn capabilities(&self) -> Result<BTreeSet<Capability>, TargetError> {
        self.probe_capabilities().await
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
        // Nearly every change is one request an object, done or not. What must not outlast its objective is noted.
        let made = self.make_change(change, undo).await;
        made.map_err(|error| {
            let trouble = error.source.as_deref().and_then(|source| source.downcast_ref::<Trouble>());
            // What is to be changed is gone: that is how the system is.
            let is_gone = trouble.is_some_and(Trouble::is_not_found);
            if is_gone { TargetError { cause: Cause::Denied, ..error } } else { error }
        })
    }

    async fn repair(&self, note: &Value) -> Result<(), TargetError> {
        self.put_right(note).await
    }

    async fn observe(&self, queries: &BTreeSet<Query>, _since: Timestamp) -> Observation {
        self.fetch(queries).await
    }

    async fn baseline(&self) -> Result<Baseline, TargetError> {
        self.take_baseline().await
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
        self.now().await
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
        // Files on the learner's machine do not go back with the system.
        if work::is_wanted(&self.place) { None } else { self.host.way_back() }
    }

    async fn clear(&self) -> Result<(), TargetError> {
        self.remove_session().await
    }

    async fn inventory(&self) -> Result<Vec<String>, TargetError> {
        self.take_inventory().await
    }

    async fn reach(&self) -> Result<Reach, TargetError> {
        let mut reach = self.host.reach().await?;
        self.add_contexts(&mut reach).await?;
        work::tell(&self.place, &mut reach);
        if self.place.requires.contains(&Capability::NodeAccess) {
            reach.notes.push(
                "`breakfix node NODE COMMAND` runs a command on a node, such as `systemctl status kubelet`.".to_owned(),
            );
        }
        Ok(reach)
    }

    async fn on_node(&self, node: &str, command: &[String]) -> Result<NodeOutput, TargetError> {
        self.run_on(node, command).await
    }

    async fn rest(&self) {
        self.remove_probes().await;
    }

    fn changes(&self) -> Box<dyn Changes + '_> {
        self.watch_changes()
    }
}
