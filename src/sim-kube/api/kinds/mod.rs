//! What each kind adds to the verbs: defaults, admission, validation. A kind is a file; a kind without rules of its own is [`PLAIN`].

mod admission_match;
mod admission_policy;
mod autoscaler;
mod claim;
mod config_map;
mod container;
mod controller_revision;
mod cron_job;
mod custom;
mod daemon_set;
mod defaults;
mod definition;
mod deployment;
mod disruption_budget;
mod endpoint_slice;
mod endpoints;
mod event;
mod ingress;
mod job;
mod lease;
mod namespace;
mod network_policy;
mod node;
mod persistent_volume;
mod pod;
mod pod_admission;
mod pod_diff;
pub mod pod_parts;
mod pod_spec;
mod pod_update;
mod priority_class;
mod probe;
mod quota;
mod rbac;
mod replica_set;
mod replication_controller;
mod resources;
mod secret;
mod service;
mod service_address;
mod signing_request;
mod stateful_set;
mod storage_class;
mod template;
mod volume;
mod webhook;

use serde_json::Value;

pub use definition::CLEAN_UP;

use crate::{
    Cluster, Kind, Status,
    api::check::{Problems, name::NameRule},
};

/// What a kind adds to the verbs.
pub struct Rules {
    /// What names it allows.
    pub name: NameRule,
    /// Fills in what was left out; runs on every object that comes in, and must change nothing the second time.
    pub defaults: fn(&mut Value),
    /// Sets what a new object starts with, its status above all.
    pub create: fn(&mut Value),
    /// What admission and the registry add or refuse, with the whole cluster in sight.
    pub admit: fn(&mut Cluster, &mut Value, Option<&Value>) -> Result<(), Status>,
    /// Puts back what an update of the main part may not touch.
    pub update: fn(&mut Value, &Value),
    /// Checks an object.
    pub validate: fn(&Value, &mut Problems),
    /// Checks a change: new, old.
    pub validate_update: fn(&Value, &Value, &mut Problems),
    /// Writes what a deletion that has begun leaves in the object, beside its date.
    pub deleting: fn(&mut Value),
    /// Lets go of what a removed object held.
    pub removed: fn(&mut Cluster, &Value),
    /// Whether a change raises `metadata.generation`, for kinds that count.
    pub counts: fn(&Value, &Value) -> bool,
}

/// No rules beyond the metadata's.
pub const PLAIN: Rules = Rules {
    name: NameRule::Subdomain,
    defaults: |_| {},
    create: |_| {},
    admit: |_, _, _| Ok(()),
    update: |_, _| {},
    validate: |_, _| {},
    validate_update: |_, _, _| {},
    deleting: |_| {},
    removed: |_, _| {},
    counts: |new, old| new.get("spec") != old.get("spec"),
};

static NO_RULES: Rules = PLAIN;

/// The rules of a kind.
pub fn rules(kind: &Kind) -> &'static Rules {
    if let Some(custom) = kind.custom {
        return if custom.has_status { &custom::WITH_STATUS } else { &custom::WHOLE };
    }
    match kind.collection {
        "pods" => &pod::RULES,
        "deployments.apps" => &deployment::RULES,
        "replicasets.apps" => &replica_set::RULES,
        "replicationcontrollers" => &replication_controller::RULES,
        "services" => &service::RULES,
        "secrets" => &secret::RULES,
        "configmaps" => &config_map::RULES,
        "namespaces" => &namespace::RULES,
        "nodes" => &node::RULES,
        "endpoints" => &endpoints::RULES,
        "events" => &event::RULES,
        "endpointslices.discovery.k8s.io" => &endpoint_slice::RULES,
        "statefulsets.apps" => &stateful_set::RULES,
        "daemonsets.apps" => &daemon_set::RULES,
        "controllerrevisions.apps" => &controller_revision::RULES,
        "jobs.batch" => &job::RULES,
        "cronjobs.batch" => &cron_job::RULES,
        "horizontalpodautoscalers.autoscaling" => &autoscaler::RULES,
        "poddisruptionbudgets.policy" => &disruption_budget::RULES,
        "persistentvolumes" => &persistent_volume::RULES,
        "persistentvolumeclaims" => &claim::RULES,
        "storageclasses.storage.k8s.io" => &storage_class::RULES,
        "resourcequotas" => &quota::QUOTA,
        "limitranges" => &quota::LIMIT_RANGE,
        "priorityclasses.scheduling.k8s.io" => &priority_class::RULES,
        "customresourcedefinitions.apiextensions.k8s.io" => &definition::RULES,
        "leases.coordination.k8s.io" => &lease::RULES,
        "networkpolicies.networking.k8s.io" => &network_policy::RULES,
        "ingresses.networking.k8s.io" => &ingress::RULES,
        "ingressclasses.networking.k8s.io" => &ingress::CLASS,
        "roles.rbac.authorization.k8s.io" => &rbac::ROLE,
        "clusterroles.rbac.authorization.k8s.io" => &rbac::CLUSTER_ROLE,
        "rolebindings.rbac.authorization.k8s.io" => &rbac::BINDING,
        "clusterrolebindings.rbac.authorization.k8s.io" => &rbac::CLUSTER_BINDING,
        "certificatesigningrequests.certificates.k8s.io" => &signing_request::RULES,
        "validatingwebhookconfigurations.admissionregistration.k8s.io" => &webhook::VALIDATING,
        "mutatingwebhookconfigurations.admissionregistration.k8s.io" => &webhook::MUTATING,
        "validatingadmissionpolicies.admissionregistration.k8s.io" => &admission_policy::POLICY,
        "validatingadmissionpolicybindings.admissionregistration.k8s.io" => &admission_policy::BINDING,
        _ => &NO_RULES,
    }
}

#[cfg(test)]
mod tests;
