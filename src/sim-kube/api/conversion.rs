//! Objects that are stored once and served in two versions.

mod autoscaler;
mod events;

use std::borrow::Cow;

use serde_json::Value;

use crate::{
    Kind,
    custom::{self, Custom},
    kind,
    object::{set, text},
};

/// Whether objects of this kind are stored in another form than they are served.
pub fn is_converted(kind: &'static Kind) -> bool {
    !std::ptr::eq(kind, storage(kind))
}

/// The kind as which objects of this kind are stored.
pub fn storage(kind: &'static Kind) -> &'static Kind {
    match kind.custom {
        Some(_) => custom::storage(kind),
        None => kind::by_collection(kind.collection).unwrap_or(kind),
    }
}

/// An object as this kind shows it.
pub fn shown(kind: &Kind, object: &Value) -> Value {
    if let Some(custom) = kind.custom {
        return in_version(&kind.api_version(), custom, object);
    }
    match kind.schema {
        "io.k8s.api.events.v1.Event" => events::shown(object),
        "io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler" => autoscaler::shown(object),
        _ => object.clone(),
    }
}

/// An object of this kind as it is stored.
pub fn stored(kind: &Kind, object: &Value) -> Value {
    if let Some(custom) = kind.custom {
        return in_version(&format!("{}/{}", kind.group, custom.storage), custom, object);
    }
    match kind.schema {
        "io.k8s.api.events.v1.Event" => events::stored(object),
        "io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler" => autoscaler::stored(object),
        _ => object.clone(),
    }
}

/// Custom objects differ between versions in nothing but their name, and in what each version's schema leaves of them.
fn in_version(version: &str, custom: &Custom, object: &Value) -> Value {
    if text(object, "/apiVersion") == version || text(object, "/apiVersion").is_empty() {
        return object.clone();
    }
    let mut out = custom::decode::decode(custom, object).map_or_else(|_| object.clone(), |decoded| decoded.object);
    set(&mut out, "/apiVersion", Value::from(version));
    out
}

/// An object of any version as it is stored.
pub fn as_stored(object: &Value) -> Cow<'_, Value> {
    match (text(object, "/apiVersion"), text(object, "/kind")) {
        ("events.k8s.io/v1", _) => Cow::Owned(events::stored(object)),
        ("autoscaling/v1", "HorizontalPodAutoscaler") => Cow::Owned(autoscaler::stored(object)),
        _ => Cow::Borrowed(object),
    }
}
