//! The system as it is handed over: every object that a rule may later compare.

use std::collections::{BTreeMap, BTreeSet};

use breakfix_grade::Baseline;
use futures::future::join_all;
use jiff::Timestamp;
use serde_json::Value;

use super::{belongings, object, resource::Resource, target::KubeTarget, trouble::Trouble};
use crate::target::TargetError;

/// The kinds taken from the lab's namespaces. ReplicaSets, endpoints and events are not among them: they come and go. So do pods, but for
/// those that the lab itself declares.
const KINDS: [&str; 18] = [
    "ConfigMap",
    "CronJob",
    "DaemonSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "Ingress",
    "Job",
    "LimitRange",
    "NetworkPolicy",
    "PersistentVolumeClaim",
    "PodDisruptionBudget",
    "ResourceQuota",
    "Role",
    "RoleBinding",
    "Secret",
    "Service",
    "ServiceAccount",
    "StatefulSet",
];
/// Cluster-scoped kinds that rules look at in every lab.
const CLUSTER_KINDS: [&str; 4] = ["ClusterRole", "ClusterRoleBinding", "Namespace", "PersistentVolume"];

impl KubeTarget {
    pub(super) async fn take_baseline(&self) -> Result<Baseline, TargetError> {
        let api = &*self.api().await?;
        let mut lists: BTreeSet<(Resource, Option<String>)> = BTreeSet::new();
        for kind in self.baseline_kinds() {
            // Not served at all: nothing to compare.
            let Some(resource) = self.resource(None, kind).await? else { continue };
            if resource.namespaced {
                let namespaces = belongings::namespaces(&self.place).into_iter();
                lists.extend(namespaces.map(|namespace| (resource.clone(), Some(namespace.to_owned()))));
            } else {
                lists.insert((resource, None));
            }
        }
        let answers =
            join_all(lists.iter().map(|(resource, namespace)| api.list(resource, namespace.as_deref(), ""))).await;
        let mut objects: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        let mut taken = None;
        for ((resource, namespace), answer) in lists.iter().zip(answers) {
            match answer {
                Ok((at, found)) => {
                    taken = taken.or(at);
                    let kept = found.into_iter().filter(|object| resource.kind != "Pod" || self.declares(object));
                    objects.entry(resource.kind.clone()).or_default().extend(kept);
                }
                Err(Trouble::NotServed { .. }) => drop(objects.entry(resource.kind.clone()).or_default()),
                // An account that may use its namespaces only: rules about the cluster then cannot be checked, and say so.
                Err(trouble) if trouble.is_forbidden() && namespace.is_none() => {}
                Err(trouble) => return Err(self.cannot(format!("list {}", resource.word()), trouble)),
            }
        }
        Ok(Baseline { objects, ..Baseline::empty(taken.unwrap_or_else(Timestamp::now)) })
    }

    /// Whether an object is one of the lab's own documents.
    fn declares(&self, object: &Value) -> bool {
        let home = object::namespace(object);
        self.place.documents.iter().any(|document| {
            let place = document.namespace.as_deref().unwrap_or(&self.place.namespace);
            Some(document.kind.as_str()) == object::text(object, "/kind")
                && document.name == object::name(object)
                && home.is_none_or(|home| home == place)
        })
    }

    /// The usual kinds and those of the lab's own documents.
    fn baseline_kinds(&self) -> BTreeSet<&str> {
        let own = self.place.documents.iter().map(|document| document.kind.as_str());
        own.chain(KINDS).chain(CLUSTER_KINDS).collect()
    }
}
