//! The workload that is scaled, through its scale.

use serde_json::{Value, json};

use super::{ACCOUNT, reference};
use crate::{
    Cluster, Kind, Status,
    api::{select::label, verbs::Part},
    controllers::pod_control::actor,
    kind,
    object::{namespace, number, set},
};

/// A workload's scale.
pub(super) struct Scale {
    pub(super) kind: &'static Kind,
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) replicas: i64,
    /// The selector of its pods.
    pub(super) selector: Value,
}

impl Scale {
    /// Whether nothing is selected: then nobody can say which pods are meant.
    pub(super) fn has_no_selector(&self) -> bool {
        self.selector.as_object().is_none_or(serde_json::Map::is_empty)
    }

    pub(super) fn selects(&self, pod: &Value) -> bool {
        crate::controllers::selector::selects(Some(&self.selector), pod)
    }
}

/// # Errors
/// Why the scale cannot be read, in the API's words.
pub(super) fn read(cluster: &Cluster, scaler: &Value) -> Result<Scale, String> {
    let (version, kind_name, name) = reference(scaler);
    let group = version.rsplit_once('/').map_or("", |(group, _)| group);
    let kind = kind::by_kind(version, kind_name)
        .ok_or_else(|| format!("no matches for kind {kind_name:?} in group {group:?}"))?;
    let space = namespace(scaler);
    let object = cluster.get(kind, space, name).map_err(|status| status.message)?;
    if !kind.subresources.contains(&"scale") {
        return Err("the server could not find the requested resource".to_owned());
    }
    Ok(Scale {
        kind,
        namespace: space.to_owned(),
        name: name.to_owned(),
        replicas: number(&object, "/spec/replicas").unwrap_or(1),
        selector: label::of(kind, &object).into_owned(),
    })
}

pub(super) fn write(cluster: &mut Cluster, scale: &Scale, replicas: i64) -> Result<(), Status> {
    cluster
        .update(scale.kind, &scale.namespace, &scale.name, Part::Main, &actor(ACCOUNT), |object| {
            set(object, "/spec/replicas", json!(replicas));
        })
        .map(drop)
}
