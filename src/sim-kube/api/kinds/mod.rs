//! What each kind adds to the verbs: defaults, admission, validation. A kind is a file; a kind without rules of its own is [`PLAIN`].

mod config_map;
mod container;
mod defaults;
mod deployment;
mod endpoint_slice;
mod endpoints;
mod event;
mod namespace;
mod node;
mod pod;
mod pod_admission;
mod pod_diff;
mod pod_spec;
mod pod_update;
mod probe;
mod replica_set;
mod resources;
mod secret;
mod service;
mod service_address;
mod template;
mod volume;

use serde_json::Value;

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
    removed: |_, _| {},
    counts: |new, old| new.get("spec") != old.get("spec"),
};

static NO_RULES: Rules = PLAIN;

/// The rules of a kind.
pub fn rules(kind: &Kind) -> &'static Rules {
    match kind.collection {
        "pods" => &pod::RULES,
        "deployments.apps" => &deployment::RULES,
        "replicasets.apps" => &replica_set::RULES,
        "services" => &service::RULES,
        "secrets" => &secret::RULES,
        "configmaps" => &config_map::RULES,
        "namespaces" => &namespace::RULES,
        "nodes" => &node::RULES,
        "endpoints" => &endpoints::RULES,
        "events" => &event::RULES,
        "endpointslices.discovery.k8s.io" => &endpoint_slice::RULES,
        _ => &NO_RULES,
    }
}
