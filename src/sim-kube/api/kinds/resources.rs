//! Requests and limits, and the quality of service that follows from them.

use serde_json::Value;

use crate::{
    admission::of_pod,
    api::{
        check::{At, Problems, label},
        quantity::Quantity,
    },
    object::{entries, members, set},
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

fn is_said_for_the_pod(spec: &Value) -> bool {
    ["requests", "limits"].into_iter().any(|side| members(spec, &format!("/resources/{side}")).next().is_some())
}

/// What a pod that says something as a whole leaves open of its requests: its containers' sum, or else its own limit (`SetDefaults_Pod`).
pub(super) fn default_of_the_pod(pod: &mut Value) {
    if !pod.get("spec").is_some_and(is_said_for_the_pod) {
        return;
    }
    let sum = of_pod(pod, "requests");
    let limits = pod.pointer("/spec/resources/limits").cloned().unwrap_or_default();
    for name in ["cpu", "memory"] {
        let asked = sum.get(name).map(|amount| Value::from(amount.to_string()));
        let Some(default) = asked.or_else(|| limits.get(name).cloned()) else { continue };
        let path = format!("/spec/resources/requests/{name}");
        if pod.pointer(&path).is_none() {
            set(pod, &path, default);
        }
    }
}

/// `Guaranteed`, `Burstable` or `BestEffort` (`qos.ComputePodQOS`): by what the pod says as a whole, or else by its containers.
pub(super) fn quality(spec: &Value) -> &'static str {
    let mut any = false;
    let mut guaranteed = true;
    let whole = is_said_for_the_pod(spec).then_some(spec);
    let containers = ["/containers", "/initContainers"].into_iter().flat_map(|list| entries(spec, list));
    for bearer in whole.into_iter().chain(containers.filter(|_| whole.is_none())) {
        let amount = |side: &str, name: &str| {
            let text = bearer.pointer(&format!("/resources/{side}/{name}")).and_then(Value::as_str)?;
            Quantity::parse(text).ok().filter(|amount| !amount.is_zero())
        };
        for name in ["cpu", "memory"] {
            let (request, limit) = (amount("requests", name), amount("limits", name));
            any |= request.is_some() || limit.is_some();
            guaranteed &= limit.is_some() && (request.is_none() || request == limit);
        }
    }
    match (any, guaranteed) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_pod_says_as_a_whole_holds_for_it() {
        let container = json!({"name": "web", "resources": {"requests": {"cpu": "100m"}}});
        let mut pod = json!({"spec": {"containers": [container.clone(), container], "resources": {"limits": {"cpu": "1", "memory": "64Mi"}}}});
        assert_eq!(quality(&pod["spec"]), "Guaranteed", "limits alone are requests too");
        default_of_the_pod(&mut pod);
        assert_eq!(pod["spec"]["resources"]["requests"], json!({"cpu": "200m", "memory": "64Mi"}));
        assert_eq!(quality(&pod["spec"]), "Burstable");
        assert_eq!(of_pod(&pod, "limits").get("cpu").map(ToString::to_string).as_deref(), Some("1"));
        pod["spec"]["resources"]["requests"]["cpu"] = json!("500m");
        assert_eq!(of_pod(&pod, "requests").get("cpu").map(ToString::to_string).as_deref(), Some("500m"));
        let mut plain = json!({"spec": {"containers": [{"name": "web"}]}});
        default_of_the_pod(&mut plain);
        assert_eq!((quality(&plain["spec"]), plain["spec"].get("resources")), ("BestEffort", None));
    }
}
