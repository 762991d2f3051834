//! The parts of a pod that have a subresource of their own: ephemeral containers, and resources in place (`pkg/registry/core/pod/strategy.go`,
//! `ValidatePodEphemeralContainersUpdate`, `ValidatePodResize`).

use serde_json::Value;

use super::pod_spec::CONTAINERS;
use crate::{
    api::{
        check::{At, Problems},
        write::Touch,
    },
    object::{entries, members, set, text, unset},
};

/// The old pod with the part of the new one that the subresource is for.
pub fn limit_to(touch: Touch, new: &Value, old: &Value) -> Value {
    let mut kept = old.clone();
    if let Some(version) = new.pointer("/metadata/resourceVersion") {
        set(&mut kept, "/metadata/resourceVersion", version.clone());
    }
    if touch == Touch::EphemeralContainers {
        match new.pointer("/spec/ephemeralContainers") {
            Some(containers) => set(&mut kept, "/spec/ephemeralContainers", containers.clone()),
            None => drop(unset(&mut kept, "/spec/ephemeralContainers")),
        }
        return kept;
    }
    for list in CONTAINERS {
        let wanted = entries(new, &format!("/spec/{list}"));
        let containers = kept.pointer_mut(&format!("/spec/{list}")).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten() {
            let Some(wanted) = wanted.iter().find(|wanted| text(wanted, "/name") == text(container, "/name")) else {
                continue;
            };
            for member in ["resources", "resizePolicy"] {
                match wanted.get(member) {
                    Some(value) => set(container, &format!("/{member}"), value.clone()),
                    None => drop(unset(container, &format!("/{member}"))),
                }
            }
        }
    }
    kept
}

/// Checks a change through one of these subresources.
pub fn validate(touch: Touch, new: &Value, old: &Value, problems: &mut Problems) {
    if touch == Touch::EphemeralContainers {
        ephemeral(new, old, problems);
    } else {
        resize(new, old, problems);
    }
}

/// Ephemeral containers can be added, and then stay what they are.
fn ephemeral(new: &Value, old: &Value, problems: &mut Problems) {
    let at = At::new("spec").child("ephemeralContainers");
    for before in entries(old, "/spec/ephemeralContainers") {
        let name = text(before, "/name");
        let after = entries(new, "/spec/ephemeralContainers").iter().find(|after| text(after, "/name") == name);
        match after {
            None => problems.forbidden(&at, format!("existing ephemeral containers {name:?} may not be removed\n")),
            Some(after) if after != before => {
                problems.forbidden(&at, format!("existing ephemeral containers {name:?} may not be changed\n"));
            }
            Some(_) => {}
        }
    }
}

/// Processor and memory may change, the class of service may not.
fn resize(new: &Value, old: &Value, problems: &mut Problems) {
    let spec = At::new("spec");
    let class = text(old, "/status/qosClass");
    if class != super::resources::quality(new.get("spec").unwrap_or(&Value::Null)) {
        problems.invalid(&spec, class, "Pod QOS Class may not change as a result of resizing");
    }
    for (index, before) in entries(old, "/spec/containers").iter().enumerate() {
        let name = text(before, "/name");
        let Some(after) = entries(new, "/spec/containers").iter().find(|after| text(after, "/name") == name) else {
            continue;
        };
        let at = spec.child("containers").index(index).child("resources");
        for part in ["requests", "limits"] {
            let (was, is) =
                (before.pointer(&format!("/resources/{part}")), after.pointer(&format!("/resources/{part}")));
            let keys = |of: Option<&Value>| -> Vec<String> {
                of.map(|of| members(of, "").map(|(key, _)| key.clone()).collect()).unwrap_or_default()
            };
            if keys(was).iter().any(|key| ["cpu", "memory"].contains(&key.as_str()) && !keys(is).contains(key)) {
                problems.forbidden(&at.child(part), format!("resource {part} cannot be removed"));
            }
            let other = |of: Option<&Value>| {
                let mut of = of.cloned().unwrap_or_default();
                if let Some(of) = of.as_object_mut() {
                    of.retain(|key, _| !["cpu", "memory"].contains(&key.as_str()));
                }
                of.as_object().cloned().unwrap_or_default()
            };
            if other(was) != other(is) {
                problems.forbidden(&spec, "only cpu and memory resources are mutable");
            }
        }
    }
}
