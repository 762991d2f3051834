//! Creating a lab's objects so that each looks as if it had been made once, plainly, and finding what is in the way.

use std::time::Duration;

use breakfix_lab::Document;
use serde_json::Value;

use super::{api::Api, belongings, object, resource::Resource, target::KubeTarget, wait::Wait};
use crate::{
    target::{Cause, TargetError},
    work,
};

/// How long a new namespace may take until pods can be made in it.
const NAMESPACE_READY: Duration = Duration::from_secs(30);
/// How long a custom kind may take from its definition until it is served.
const KIND_SERVED: Duration = Duration::from_secs(10);
/// How long a namespace that is being deleted may take.
const NAMESPACE_GONE: Duration = Duration::from_secs(120);

impl KubeTarget {
    pub(super) async fn find_clashes(&self, documents: &[Document]) -> Result<Vec<String>, TargetError> {
        let mut clashes = Vec::new();
        for document in documents {
            // A kind that is not served (yet) has no objects.
            let Some(resource) = self.resource(document.api_version.as_deref(), &document.kind).await? else {
                continue;
            };
            let namespace = belongings::namespace_of(&self.place, &resource, document.namespace.as_deref());
            if !belongings::needs_label(&self.place, &resource, namespace) {
                continue;
            }
            let found = self.api().await?.get(&resource, namespace, &document.name).await;
            let found = found.map_err(|trouble| self.cannot(format!("look for {}", named(document)), trouble))?;
            if found.is_some_and(|found| !object::is_of_session(&found, &self.place.session)) {
                clashes.push(match namespace {
                    Some(namespace) => format!("{} in namespace {namespace}", named(document)),
                    None => named(document),
                });
            }
        }
        Ok(clashes)
    }

    pub(super) async fn create_documents(&self, documents: &[Document]) -> Result<(), TargetError> {
        let api = &*self.api().await?;
        self.remember_cluster(api).await?;
        work::lay_out(&self.place)?;
        self.set_zones(api).await?;
        self.host.provide_images(api, &self.place.images).await?;
        for document in belongings::in_order(documents) {
            let resource = self.served(document).await?;
            self.check_allowed(&resource, document)?;
            self.create_document(api, &resource, document).await?;
        }
        // Nodes report on what they stop a moment late.
        self.forget_late_events(api).await
    }

    /// The kind of a document; one whose definition has just been made may need a moment.
    pub(super) async fn served(&self, document: &Document) -> Result<Resource, TargetError> {
        let mut wait = Wait::up_to(KIND_SERVED);
        let (api_version, kind) = (document.api_version.as_deref(), document.kind.as_str());
        let documents = || self.place.documents.iter().chain(self.place.files.values().flatten());
        loop {
            match self.known_resource(api_version, kind).await {
                Err(error) if error.cause == Cause::Missing => {
                    let defined = documents().any(|document| document.kind == "CustomResourceDefinition");
                    if !defined || !wait.next(self.host.as_ref()).await? {
                        return Err(error);
                    }
                }
                answer => return answer,
            }
        }
    }

    /// On a cluster of the learner's only what stays inside the lab's namespaces is made, unless more was allowed.
    pub(super) fn check_allowed(&self, resource: &Resource, document: &Document) -> Result<(), TargetError> {
        let namespace = belongings::namespace_of(&self.place, resource, document.namespace.as_deref());
        let own = document.kind == "Namespace" || !belongings::needs_label(&self.place, resource, namespace);
        if own || self.host.allows_cluster_scoped() {
            return Ok(());
        }
        let what = format!("create {}: it lies outside the lab's own namespaces", named(document));
        Err(TargetError::new(Cause::Refused, what)
            .hint("Allow it with `--allow-cluster-scoped`, or open the lab on `--target sim` or `--target kind`."))
    }

    async fn create_document(&self, api: &Api, resource: &Resource, document: &Document) -> Result<(), TargetError> {
        let mut body = belongings::body_of(&self.place, resource, document);
        self.host.adapt(&mut body);
        let namespace = object::namespace(&body).map(str::to_owned);
        let namespace = namespace.as_deref();
        let what = format!("create {}", named(document));
        match api.create(resource, namespace, &body).await {
            Ok(_) => {}
            Err(trouble) if trouble.is_already_exists() => {
                self.create_over(api, resource, namespace, document, &body).await?;
            }
            Err(trouble) => return Err(self.cannot(what, trouble)),
        }
        match document.kind.as_str() {
            "Namespace" => self.await_namespace(api, &document.name).await,
            "ResourceQuota" => self.await_quota(api, resource, namespace, &document.name).await,
            _ => Ok(()),
        }
    }

    /// A quota binds nobody before its controller has put its bounds into its status: a pod that comes earlier is let in (admission reads
    /// `status.hard`; 42 ms on a real cluster).
    async fn await_quota(
        &self,
        api: &Api,
        resource: &Resource,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<(), TargetError> {
        let mut wait = Wait::up_to(NAMESPACE_READY);
        loop {
            let found = api.get(resource, namespace, name).await;
            let found = found.map_err(|trouble| self.cannot(format!("look for the quota {name}"), trouble))?;
            let binds = |quota: &Value| quota.pointer("/status/hard") == quota.pointer("/spec/hard");
            if found.as_ref().is_none_or(binds) {
                return Ok(());
            }
            if !wait.next(self.host.as_ref()).await? {
                let what = format!("make the quota {name} ready: its status says nothing of its bounds");
                return Err(TargetError::new(Cause::Slow, what).hint("Does the cluster's controller manager run?"));
            }
        }
    }

    /// The name is taken: by this session's earlier attempt, or by somebody else.
    async fn create_over(
        &self,
        api: &Api,
        resource: &Resource,
        namespace: Option<&str>,
        document: &Document,
        body: &Value,
    ) -> Result<(), TargetError> {
        let what = format!("create {}", named(document));
        let found = api.get(resource, namespace, &document.name).await;
        let found = found.map_err(|trouble| self.cannot(&what, trouble))?;
        if let Some(found) = &found {
            let own = !belongings::needs_label(&self.place, resource, namespace)
                || object::is_of_session(found, &self.place.session);
            if !own {
                return Err(TargetError::new(
                    Cause::Refused,
                    format!("{what}: there is one that is not this session's"),
                )
                .hint("Rename or remove it, or open the lab on another target."));
            }
            let stays = document.kind == "Namespace" && !object::is_going(found) || is_furniture(document);
            if stays {
                let body = super::change::replacement(found, body);
                let done = api.replace(resource, namespace, &document.name, &body).await;
                return done.map(drop).map_err(|trouble| self.cannot(what, trouble));
            }
            let deleted = api.delete(resource, namespace, &document.name, object::uid(found), None).await;
            deleted.map_err(|trouble| self.cannot(&what, trouble))?;
        }
        let mut wait = Wait::up_to(NAMESPACE_GONE);
        loop {
            match api.create(resource, namespace, body).await {
                Ok(_) => return Ok(()),
                Err(trouble) if trouble.is_already_exists() || trouble.is_conflict() => {
                    if !wait.next(self.host.as_ref()).await? {
                        return Err(self.cannot(what, trouble));
                    }
                }
                Err(trouble) => return Err(self.cannot(what, trouble)),
            }
        }
    }

    /// Pods can be made once the namespace has its default account.
    pub(super) async fn await_namespace(&self, api: &Api, name: &str) -> Result<(), TargetError> {
        let Some(accounts) = Resource::built_in(None, "ServiceAccount") else { return Ok(()) };
        let mut wait = Wait::up_to(NAMESPACE_READY);
        loop {
            let found = api.get(&accounts, Some(name), "default").await;
            if found
                .map_err(|trouble| self.cannot(format!("look for the default account of {name}"), trouble))?
                .is_some()
            {
                return Ok(());
            }
            if !wait.next(self.host.as_ref()).await? {
                let what = format!("make namespace {name} ready: its account `default` does not appear");
                return Err(TargetError::new(Cause::Slow, what).hint("Does the cluster's controller manager run?"));
            }
        }
    }
}

/// `Deployment shop`.
pub(super) fn named(document: &Document) -> String {
    format!("{} {}", document.kind, document.name)
}

/// Objects that a namespace comes with: they cannot be deleted for good, so a document of the name edits them.
fn is_furniture(document: &Document) -> bool {
    matches!(
        (document.kind.as_str(), document.name.as_str()),
        ("ServiceAccount", "default") | ("ConfigMap", "kube-root-ca.crt")
    )
}
