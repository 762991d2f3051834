//! What may change in a pod that exists (`ValidatePodUpdate`).

use serde_json::Value;

use super::{pod_diff, pod_spec::CONTAINERS};
use crate::{
    api::check::{At, Problems},
    object::{entries, number, set, unset},
};

const ALLOWED: &str = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,\
                       `spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),\
                       `spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

/// Checks a change: images, the active deadline and more tolerations; nothing else.
pub(super) fn validate(new: &Value, old: &Value, problems: &mut Problems) {
    let at = At::new("spec");
    let (Some(new), Some(old)) = (new.get("spec"), old.get("spec")) else { return };
    for list in ["containers", "initContainers"] {
        if entries(new, &format!("/{list}")).len() != entries(old, &format!("/{list}")).len() {
            problems.forbidden(&at.child(list), "pod updates may not add or remove containers");
            return;
        }
    }
    let (before, after) = (number(old, "/activeDeadlineSeconds"), number(new, "/activeDeadlineSeconds"));
    match (before, after) {
        (Some(before), Some(after)) if after > before => {
            let detail = "must be less than or equal to previous value";
            problems.invalid(&at.child("activeDeadlineSeconds"), after, detail);
        }
        (Some(_), None) => {
            let detail = "must not update from a positive integer to nil value";
            problems.invalid(&at.child("activeDeadlineSeconds"), Value::Null, detail);
        }
        _ => {}
    }
    let tolerations = entries(new, "/tolerations");
    if entries(old, "/tolerations").iter().any(|toleration| !tolerations.contains(toleration)) {
        let detail = "existing toleration can not be modified except its tolerationSeconds";
        problems.forbidden(&at.child("tolerations"), detail);
    }
    let masked = masked(new, old);
    if masked != *old {
        problems.forbidden(&at, format!("{ALLOWED}\n{}", pod_diff::diff(old, &masked)));
    }
}

/// The new spec with all that may change put back.
fn masked(new: &Value, old: &Value) -> Value {
    let mut masked = new.clone();
    for list in CONTAINERS {
        let images: Vec<_> =
            entries(old, &format!("/{list}")).iter().map(|container| container.get("image").cloned()).collect();
        let containers = masked.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
        for (container, image) in containers.zip(images) {
            set(container, "/image", image.unwrap_or_default());
        }
    }
    for member in ["activeDeadlineSeconds", "tolerations"] {
        let pointer = format!("/{member}");
        match old.get(member) {
            Some(value) => set(&mut masked, &pointer, value.clone()),
            None => drop(unset(&mut masked, &pointer)),
        }
    }
    let grace = number(old, "/terminationGracePeriodSeconds").unwrap_or(0);
    if grace < 0 && number(new, "/terminationGracePeriodSeconds") == Some(1) {
        set(&mut masked, "/terminationGracePeriodSeconds", Value::from(grace));
    }
    masked
}
