//! Requests and limits, and the quality of service that follows from them.

use serde_json::Value;

use crate::{
    api::{
        check::{At, Problems, label},
        quantity::Quantity,
    },
    object::{entries, members},
};

const STANDARD: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];

/// Checks a container's `resources`.
pub(super) fn validate(resources: Option<&Value>, at: &At, problems: &mut Problems) {
    let Some(resources) = resources else { return };
    for side in ["limits", "requests"] {
        let at = at.child(side);
        for (name, value) in members(resources, &format!("/{side}")) {
            let here = at.key(name);
            resource_name(name, &here, problems);
            let text = value.as_str().unwrap_or("");
            let Ok(amount) = Quantity::parse(text) else { continue };
            if amount.is_negative() {
                problems.invalid(&here, text, "must be greater than or equal to 0");
            }
            if (name == "memory" || name == "ephemeral-storage") && !amount.is_whole() {
                problems.warn(format!("{here}: fractional byte value {text:?} is invalid, must be an integer"));
            }
        }
    }
    for (name, request) in members(resources, "/requests") {
        let request = request.as_str().unwrap_or("");
        let limit =
            members(resources, "/limits").find(|(other, _)| *other == name).and_then(|(_, limit)| limit.as_str());
        let Some(limit) = limit else {
            if !STANDARD.contains(&name.as_str()) {
                problems.required(&at.child("limits"), "Limit must be set for non overcommitable resources");
            }
            continue;
        };
        let (Ok(asked), Ok(most)) = (Quantity::parse(request), Quantity::parse(limit)) else { continue };
        if asked > most {
            let detail = format!("must be less than or equal to {name} limit of {limit}");
            problems.invalid(&at.child("requests"), request, detail);
        }
    }
}

fn resource_name(name: &str, at: &At, problems: &mut Problems) {
    for problem in label::qualified_name(name) {
        problems.invalid(at, name, problem);
    }
    if !name.contains('/') && !STANDARD.contains(&name) && !name.starts_with("hugepages-") {
        problems.invalid(at, name, "must be a standard resource type or fully qualified");
        problems.invalid(at, name, "must be a standard resource for containers");
    }
}

/// `Guaranteed`, `Burstable` or `BestEffort` (`qos.ComputePodQOS`).
pub(super) fn quality(spec: &Value) -> &'static str {
    let mut any = false;
    let mut guaranteed = true;
    for list in ["/containers", "/initContainers"] {
        for container in entries(spec, list) {
            let amount = |side: &str, name: &str| {
                let text = container.pointer(&format!("/resources/{side}/{name}")).and_then(Value::as_str)?;
                Quantity::parse(text).ok().filter(|amount| !amount.is_zero())
            };
            for name in ["cpu", "memory"] {
                let (request, limit) = (amount("requests", name), amount("limits", name));
                any |= request.is_some() || limit.is_some();
                guaranteed &= limit.is_some() && (request.is_none() || request == limit);
            }
        }
    }
    match (any, guaranteed) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}
