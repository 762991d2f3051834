//! Claims of volumes (`ValidatePersistentVolumeClaim`, admission `DefaultStorageClass`, `StorageObjectInUseProtection`,
//! `PersistentVolumeClaimResize`).

use serde_json::{Value, json};

use super::{PLAIN, Rules, defaults::default, storage_class};
use crate::{
    Cluster, Status,
    api::{
        check::{At, Problems, label, name},
        quantity::Quantity,
    },
    kind::{PERSISTENT_VOLUME_CLAIM, STORAGE_CLASS},
    object::{entries, set, text, truth, unset},
};

pub static RULES: Rules = Rules {
    defaults: |object| {
        spec_defaults(object);
        default(object, "/status/phase", "Pending");
    },
    create: |object| {
        set(object, "/status", json!({"phase": "Pending"}));
        protect(object, "kubernetes.io/pvc-protection");
    },
    admit,
    validate: |object, problems| validate_spec(object, &At::new("spec"), problems),
    validate_update,
    ..PLAIN
};

const MODES: [&str; 4] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];

/// Fills in a claim's spec.
pub(super) fn spec_defaults(claim: &mut Value) {
    default(claim, "/spec/volumeMode", "Filesystem");
}

/// Adds the finalizer that keeps an object while it is in use.
pub(super) fn protect(object: &mut Value, finalizer: &str) {
    let mut list = entries(object, "/metadata/finalizers").to_vec();
    if !list.iter().any(|known| known == finalizer) {
        list.push(json!(finalizer));
        set(object, "/metadata/finalizers", Value::Array(list));
    }
}

fn admit(cluster: &mut Cluster, new: &mut Value, old: Option<&Value>) -> Result<(), Status> {
    match old {
        None => {
            let named = new.pointer("/spec/storageClassName").is_some_and(|class| !class.is_null());
            if !named && let Some(class) = storage_class::default_class(cluster) {
                set(new, "/spec/storageClassName", json!(class));
            }
            Ok(())
        }
        Some(old) => can_grow(cluster, new, old),
    }
}

/// A claim grows where its class lets it.
fn can_grow(cluster: &Cluster, new: &Value, old: &Value) -> Result<(), Status> {
    let size = |object: &Value| Quantity::parse(text(object, "/spec/resources/requests/storage")).ok();
    let (Some(after), Some(before)) = (size(new), size(old)) else { return Ok(()) };
    if after <= before {
        return Ok(());
    }
    let name = text(new, "/metadata/name");
    let class = cluster.get(&STORAGE_CLASS, "", text(old, "/spec/storageClassName"));
    if text(old, "/status/phase") != "Bound" {
        let why = "Only bound persistent volume claims can be expanded";
        return Err(Status::forbidden(&PERSISTENT_VOLUME_CLAIM, name, why));
    }
    if !class.is_ok_and(|class| truth(&class, "/allowVolumeExpansion")) {
        let why = "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize";
        return Err(Status::forbidden(&PERSISTENT_VOLUME_CLAIM, name, why));
    }
    Ok(())
}

/// Checks access modes: some, known, and none beside `ReadWriteOncePod`.
pub(super) fn modes(object: &Value, at: &At, problems: &mut Problems) {
    let at = at.child("accessModes");
    let modes: Vec<&str> = entries(object, "/spec/accessModes").iter().filter_map(Value::as_str).collect();
    if modes.is_empty() {
        problems.required(&at, "at least 1 access mode is required");
    }
    for mode in &modes {
        if !MODES.contains(mode) {
            problems.not_supported(&at, mode, &MODES);
        }
    }
    if modes.contains(&"ReadWriteOncePod") && modes.len() > 1 {
        problems.forbidden(&at, "may not use ReadWriteOncePod with other access modes");
    }
}

/// Checks a claim's spec, of a claim or in a template.
pub(super) fn validate_spec(claim: &Value, at: &At, problems: &mut Problems) {
    modes(claim, at, problems);
    label::selector(claim.pointer("/spec/selector"), &at.child("selector"), problems);
    let resources = at.child("resources");
    match claim.pointer("/spec/resources/requests/storage").and_then(Value::as_str) {
        None => problems.required(&resources.key("storage"), ""),
        Some(size) => {
            if Quantity::parse(size).is_ok_and(|size| size.is_zero() || size.is_negative()) {
                problems.invalid(&resources.key("storage"), size, "must be greater than zero");
            }
        }
    }
    let class = text(claim, "/spec/storageClassName");
    if !class.is_empty() {
        for problem in name::subdomain(class) {
            problems.invalid(&at.child("storageClassName"), class, problem);
        }
    }
    let mode = text(claim, "/spec/volumeMode");
    if !["Block", "Filesystem"].contains(&mode) {
        problems.not_supported(&at.child("volumeMode"), mode, &["Block", "Filesystem"]);
    }
}

fn validate_update(new: &Value, old: &Value, problems: &mut Problems) {
    let at = At::new("spec");
    let mut rest = new.get("spec").cloned().unwrap_or_default();
    let before = old.get("spec").cloned().unwrap_or_default();
    let mut keep = |member: &str| match before.get(member) {
        Some(value) => set(&mut rest, &format!("/{member}"), value.clone()),
        None => drop(unset(&mut rest, &format!("/{member}"))),
    };
    if text(&before, "/volumeName").is_empty() {
        keep("volumeName");
    }
    if before.get("storageClassName").is_none_or(Value::is_null) {
        keep("storageClassName");
    }
    keep("volumeAttributesClassName");
    if text(new, "/status/phase") == "Bound"
        && let Some(size) = before.pointer("/resources/requests/storage")
    {
        set(&mut rest, "/resources/requests/storage", size.clone());
    }
    if rest != before {
        let diff = super::pod_diff::diff_of("io.k8s.api.core.v1.PersistentVolumeClaimSpec", &before, &rest);
        problems.forbidden(
            &at,
            format!(
                "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n{diff}"
            ),
        );
    }
    let size = |object: &Value, pointer: &str| Quantity::parse(text(object, pointer)).ok();
    let requests = "/spec/resources/requests/storage";
    if let (Some(after), Some(before)) = (size(new, requests), size(old, requests))
        && after < before
        && size(old, "/status/capacity/storage").is_none_or(|capacity| after <= capacity)
    {
        let at = at.child("resources").child("requests").child("storage");
        problems.forbidden(&at, "field can not be less than status.capacity");
    }
    if new.pointer("/spec/volumeMode") != old.pointer("/spec/volumeMode") {
        let mode = text(new, "/spec/volumeMode");
        problems.invalid(&at.child("volumeMode"), mode, "field is immutable");
    }
}
