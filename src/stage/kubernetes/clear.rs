//! Removing a session: its namespaces with everything in them, and what it made elsewhere. Found by labels alone.

use std::{collections::BTreeSet, time::Duration};

use futures::future::join_all;
use serde_json::{Value, json};

use super::{
    api::{Api, PatchKind},
    belongings, delete,
    object::{self, SESSION_LABEL},
    resource::{Resource, escape},
    target::KubeTarget,
    trouble::Trouble,
    wait::Wait,
};
use crate::target::{Cause, TargetError};

/// How long namespaces may take to go.
const GONE: Duration = Duration::from_secs(180);
/// How long whoever provisioned a volume may take to take it away.
const PROVISIONER: Duration = Duration::from_secs(60);
/// How long a volume may take that is deleted by force.
const FORCED: Duration = Duration::from_secs(15);
/// The mark of a volume that a provisioner made.
const PROVISIONED: &str = "pv.kubernetes.io/provisioned-by";
/// Cluster-scoped kinds that labs and learners make.
pub(super) const CLUSTER_KINDS: [&str; 11] = [
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "IngressClass",
    "MutatingWebhookConfiguration",
    "PersistentVolume",
    "PriorityClass",
    "StorageClass",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
];

impl KubeTarget {
    pub(super) async fn remove_session(&self) -> Result<(), TargetError> {
        if self.host.wipe().await? {
            self.probes.lock().await.forget();
            self.disconnect().await;
            return Ok(());
        }
        match self.remove_all().await {
            Err(error) if error.cause == Cause::Unreachable && self.host.is_gone().await => Ok(()),
            done => done,
        }
    }

    async fn remove_all(&self) -> Result<(), TargetError> {
        self.remove_probes().await;
        let api = &*self.api().await?;
        // Pods of a node that is silent would never end.
        self.mend_machines(api).await?;
        let what = "remove the session's objects";
        // Webhooks and the like first: while they are there, they may be in the way of everything else.
        self.remove_labelled(api).await.map_err(|trouble| self.cannot(what, trouble))?;
        let namespaces = self.own_namespaces(api).await.map_err(|trouble| self.cannot(what, trouble))?;
        self.remove_grants(api, &namespaces).await.map_err(|trouble| self.cannot(what, trouble))?;
        self.remove_namespaces(api, &namespaces).await?;
        self.remove_volumes(api, &namespaces).await?;
        self.restore_cluster(api).await
    }

    /// The namespaces that carry the session's label, by name.
    async fn own_namespaces(&self, api: &Api) -> Result<BTreeSet<String>, Trouble> {
        let Some(resource) = Resource::built_in(None, "Namespace") else { return Ok(BTreeSet::new()) };
        match api.list(&resource, None, &self.session_query()).await {
            Ok((_, found)) => Ok(found.iter().map(|namespace| object::name(namespace).to_owned()).collect()),
            // An account that may not list namespaces can still name its own.
            Err(trouble) if trouble.is_forbidden() => {
                let mut own = BTreeSet::new();
                let probes = belongings::probe_namespace(&self.place);
                for name in belongings::namespaces(&self.place).into_iter().chain([probes.as_str()]) {
                    let found = api.get(&resource, None, name).await?;
                    if found.is_some_and(|found| object::is_of_session(&found, &self.place.session)) {
                        own.insert(name.to_owned());
                    }
                }
                Ok(own)
            }
            Err(trouble) => Err(trouble),
        }
    }

    fn session_query(&self) -> String {
        format!("labelSelector={}", escape(&format!("{SESSION_LABEL}={}", self.place.session)))
    }

    /// Deletes everything outside the session's namespaces that carries its label.
    async fn remove_labelled(&self, api: &Api) -> Result<(), Trouble> {
        let query = self.session_query();
        let resources = self.swept_kinds().await;
        let lists = join_all(resources.iter().map(|resource| api.list(resource, None, &query))).await;
        for (resource, answer) in resources.iter().zip(lists) {
            let found = match answer {
                Ok((_, found)) => found,
                Err(Trouble::NotServed { .. }) => continue,
                // Where the account may not look, it cannot have made anything.
                Err(trouble) if trouble.is_forbidden() => continue,
                Err(trouble) => return Err(trouble),
            };
            for object in &found {
                self.free(api, resource, object).await?;
                api.delete(resource, object::namespace(object), object::name(object), object::uid(object), None)
                    .await?;
            }
        }
        Ok(())
    }

    /// The kinds that may carry the label: the usual ones, and those of the lab's own files. Namespaces have their own turn.
    async fn swept_kinds(&self) -> BTreeSet<Resource> {
        let mut kinds: BTreeSet<Resource> =
            CLUSTER_KINDS.iter().filter_map(|kind| Resource::built_in(None, kind)).collect();
        kinds.extend(Resource::built_in(None, "Pod"));
        for document in self.place.documents.iter().chain(self.place.files.values().flatten()) {
            if document.kind == "Namespace" {
                continue;
            }
            // A kind whose definition is gone has no objects any more.
            if let Ok(Some(resource)) = self.resource(document.api_version.as_deref(), &document.kind).await {
                kinds.insert(resource);
            }
        }
        kinds
    }

    /// Takes the finalizers off an object of the session: nobody would do what they stand for.
    async fn free(&self, api: &Api, resource: &Resource, object: &Value) -> Result<(), Trouble> {
        if object::list(object, "/metadata/finalizers").is_empty() {
            return Ok(());
        }
        let body = json!({"metadata": {"finalizers": null}});
        let (namespace, name) = (object::namespace(object), object::name(object));
        match api.patch(resource, namespace, name, None, PatchKind::Merge, &body).await {
            Err(trouble) if !trouble.is_not_found() => Err(trouble),
            _ => Ok(()),
        }
    }

    async fn remove_namespaces(&self, api: &Api, namespaces: &BTreeSet<String>) -> Result<(), TargetError> {
        let Some(resource) = Resource::built_in(None, "Namespace") else { return Ok(()) };
        for name in namespaces {
            let done = api.delete(&resource, None, name, None, None).await;
            done.map_err(|trouble| self.cannot(format!("delete namespace {name}"), trouble))?;
        }
        let mut wait = Wait::up_to(GONE);
        loop {
            let mut left = None;
            for name in namespaces {
                let what = || format!("delete namespace {name}");
                if api.get(&resource, None, name).await.map_err(|trouble| self.cannot(what(), trouble))?.is_some() {
                    self.hurry(api, name).await.map_err(|trouble| self.cannot(what(), trouble))?;
                    left.get_or_insert(name);
                }
            }
            let Some(left) = left else { return Ok(()) };
            if !wait.next(self.host.as_ref()).await? {
                let what = format!("delete namespace {left}: it does not go");
                return Err(TargetError::new(Cause::Slow, what).hint(format!(
                    "`kubectl get namespace {left} -o yaml` says what holds it; then `breakfix stop` again."
                )));
            }
        }
    }

    /// Frees what holds a namespace that is going: pods past their grace, and finalizers in the lab's own documents.
    async fn hurry(&self, api: &Api, namespace: &str) -> Result<(), Trouble> {
        if let Some(pods) = Resource::built_in(None, "Pod") {
            let (now, found) = api.list(&pods, Some(namespace), "").await?;
            for pod in &found {
                if delete::hangs(pod, now) {
                    api.delete(&pods, Some(namespace), object::name(pod), object::uid(pod), Some(0)).await?;
                } else if !object::is_going(pod) {
                    // No need to let programs of a lab that is over end in peace.
                    api.delete(&pods, Some(namespace), object::name(pod), object::uid(pod), Some(1)).await?;
                }
            }
        }
        for document in self.place.documents.iter().chain(self.place.files.values().flatten()) {
            if !object::has_finalizers(&document.body) {
                continue;
            }
            let Some(resource) = Resource::built_in(document.api_version.as_deref(), &document.kind) else { continue };
            if !resource.namespaced {
                continue;
            }
            // A learner may have put a copy into another namespace of the lab.
            if let Some(found) = api.get(&resource, Some(namespace), &document.name).await? {
                self.free(api, &resource, &found).await?;
            }
        }
        Ok(())
    }

    /// Cluster-wide rights that the learner gave to accounts of the lab's namespaces, and to nobody else.
    async fn remove_grants(&self, api: &Api, namespaces: &BTreeSet<String>) -> Result<(), Trouble> {
        let Some(resource) = Resource::built_in(None, "ClusterRoleBinding") else { return Ok(()) };
        self.remove_where(api, &resource, |binding| is_grant_to(binding, namespaces)).await
    }

    /// Volumes that were bound to claims of the lab's namespaces. Who provisioned one takes it away, a little after its claim; one that is kept,
    /// or that nobody takes away, is deleted.
    async fn remove_volumes(&self, api: &Api, namespaces: &BTreeSet<String>) -> Result<(), TargetError> {
        let Some(resource) = Resource::built_in(None, "PersistentVolume") else { return Ok(()) };
        let trouble = |trouble| self.cannot("remove the volumes of the lab", trouble);
        // On a cluster of the learner's a volume may have waited for a claim of that name since long before.
        let at_any_age = self.host.owns_cluster() || self.host.skips_time();
        let of_ours = |volume: &Value| {
            let created = object::text(volume, "/metadata/creationTimestamp").and_then(|text| text.parse().ok());
            let is_young =
                created.is_some_and(|created: jiff::Timestamp| created.as_second() >= self.place.opened.as_second());
            let claimed = object::text(volume, "/spec/claimRef/namespace").is_some_and(|it| namespaces.contains(it));
            claimed && (at_any_age || is_young)
        };
        let (mut wait, mut is_late) = (Wait::up_to(PROVISIONER), false);
        loop {
            let found = match api.list(&resource, None, "").await {
                Ok((_, found)) => found,
                Err(Trouble::NotServed { .. }) => return Ok(()),
                Err(trouble) if trouble.is_forbidden() => return Ok(()),
                Err(error) => return Err(trouble(error)),
            };
            let left: Vec<Value> = found.into_iter().filter(of_ours).collect();
            if left.is_empty() {
                return Ok(());
            }
            for volume in left.iter().filter(|volume| is_late || !is_taken_away(volume)) {
                if is_late {
                    self.free(api, &resource, volume).await.map_err(trouble)?;
                }
                api.delete(&resource, None, object::name(volume), object::uid(volume), None).await.map_err(trouble)?;
            }
            match (wait.next(self.host.as_ref()).await?, is_late) {
                (true, _) => {}
                (false, false) => (wait, is_late) = (Wait::up_to(FORCED), true),
                (false, true) => {
                    let name = left.first().map(object::name).unwrap_or_default();
                    return Err(TargetError::new(Cause::Slow, format!("delete volume {name}: it does not go")));
                }
            }
        }
    }

    async fn remove_where(
        &self,
        api: &Api,
        resource: &Resource,
        of_ours: impl Fn(&Value) -> bool,
    ) -> Result<(), Trouble> {
        let found = match api.list(resource, None, "").await {
            Ok((_, found)) => found,
            Err(Trouble::NotServed { .. }) => return Ok(()),
            Err(trouble) if trouble.is_forbidden() => return Ok(()),
            Err(trouble) => return Err(trouble),
        };
        for object in found.iter().filter(|object| of_ours(object)) {
            api.delete(resource, None, object::name(object), object::uid(object), None).await?;
        }
        Ok(())
    }
}

/// Whether a provisioner made the volume and will delete it once its claim is gone.
fn is_taken_away(volume: &Value) -> bool {
    let provisioned = volume.pointer("/metadata/annotations").is_some_and(|all| all.get(PROVISIONED).is_some());
    provisioned && object::text(volume, "/spec/persistentVolumeReclaimPolicy") == Some("Delete")
}

/// Whether every subject is an account, or the group of all accounts, of one of these namespaces.
fn is_grant_to(binding: &Value, namespaces: &BTreeSet<String>) -> bool {
    let subjects = object::list(binding, "/subjects");
    let is_ours = |subject: &Value| match object::text(subject, "/kind") {
        Some("ServiceAccount") => object::text(subject, "/namespace").is_some_and(|name| namespaces.contains(name)),
        Some("Group") => object::text(subject, "/name")
            .and_then(|name| name.strip_prefix("system:serviceaccounts:"))
            .is_some_and(|name| namespaces.contains(name)),
        _ => false,
    };
    !subjects.is_empty() && subjects.iter().all(is_ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provisioner_takes_away_what_it_made_and_nobody_kept() {
        let volume = |by: Value, policy: &str| json!({"metadata": {"annotations": by}, "spec": {"persistentVolumeReclaimPolicy": policy}});
        let by = json!({(PROVISIONED): "rancher.io/local-path"});
        assert!(is_taken_away(&volume(by.clone(), "Delete")));
        assert!(!is_taken_away(&volume(by, "Retain")) && !is_taken_away(&volume(json!({}), "Delete")));
    }

    #[test]
    fn a_grant_is_the_learners_only_if_it_is_for_the_lab_alone() {
        let namespaces = BTreeSet::from(["shop".to_owned()]);
        let account = |namespace: &str| json!({"kind": "ServiceAccount", "name": "a", "namespace": namespace});
        let group = |name: &str| json!({"kind": "Group", "name": name});
        let check = |subjects: Vec<Value>| is_grant_to(&json!({"subjects": subjects}), &namespaces);
        assert!(check(vec![account("shop"), group("system:serviceaccounts:shop")]));
        assert!(!check(vec![account("shop"), account("kube-system")]));
        assert!(!check(vec![group("system:serviceaccounts")]));
        assert!(!check(vec![json!({"kind": "User", "name": "me"})]));
        assert!(!check(Vec::new()));
    }
}
