//! Plugin `LimitRanger`: a namespace's LimitRanges give containers what they do not say themselves, and bound what they may
//! (`plugin/pkg/admission/limitranger/admission.go`).

use serde_json::{Value, json};

use super::{Amounts, Attempt, amounts::of_pod, refuse};
use crate::{
    Cluster, Status,
    access::together,
    api::quantity::Quantity,
    object::{entries, is_deleting, set, text},
};

const LIMIT_RANGES: &str = "limitranges";
/// Where the plugin says what it has set.
const ANNOTATION: &str = "kubernetes.io/limit-ranger";

/// Whether the plugin looks at this write: new pods, and claims.
fn concerns(attempt: Attempt<'_>) -> bool {
    let kind = attempt.kind.collection;
    attempt.is_whole()
        && !attempt.old.is_some_and(is_deleting)
        && (kind == "persistentvolumeclaims" || kind == "pods" && attempt.is_create())
}

/// The LimitRanges of the object's namespace, in their order.
fn ranges<'a>(cluster: &'a Cluster, object: &'a Value) -> impl Iterator<Item = &'a std::sync::Arc<Value>> {
    cluster.store.list(LIMIT_RANGES, Some(text(object, "/metadata/namespace"))).map(|(_, range)| range)
}

/// Fills in a new pod's missing requests and limits.
pub(super) fn mutate(cluster: &Cluster, attempt: Attempt<'_>, pod: &mut Value) {
    if !concerns(attempt) || attempt.kind.collection != "pods" {
        return;
    }
    let ranges: Vec<_> = ranges(cluster, pod).cloned().collect();
    for range in ranges {
        fill(&range, pod);
    }
}

fn fill(range: &Value, pod: &mut Value) {
    let (mut limits, mut requests) = (Vec::new(), Vec::new());
    for limit in entries(range, "/spec/limits").iter().filter(|limit| text(limit, "/type") == "Container") {
        limits.extend(crate::object::members(limit, "/default").map(|(key, value)| (key.clone(), value.clone())));
        requests
            .extend(crate::object::members(limit, "/defaultRequest").map(|(key, value)| (key.clone(), value.clone())));
    }
    let mut said = Vec::new();
    for (list, what) in [("containers", "container"), ("initContainers", "init container")] {
        let containers = pod.pointer_mut(&format!("/spec/{list}")).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten() {
            let named = text(container, "/name").to_owned();
            for (side, defaults, word) in [("requests", &requests, "request"), ("limits", &limits, "limit")] {
                let set = fill_side(container, side, defaults);
                if !set.is_empty() {
                    said.push(format!("{} {word} for {what} {named}", set.join(", ")));
                }
            }
        }
    }
    if !said.is_empty() {
        let text = format!("LimitRanger plugin set: {}", said.join("; "));
        match pod.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
            Some(annotations) => drop(annotations.insert(ANNOTATION.to_owned(), json!(text))),
            None => set(pod, "/metadata/annotations", json!({ANNOTATION: text})),
        }
    }
}

/// Sets what is missing on one side; gives the names of it, in order.
fn fill_side(container: &mut Value, side: &str, defaults: &[(String, Value)]) -> Vec<String> {
    let pointer = format!("/resources/{side}");
    let mut set_now: Vec<String> = Vec::new();
    for (name, value) in defaults {
        let given = container.pointer(&pointer).and_then(|map| map.get(name)).is_some();
        // A later default overrides an earlier one, and nothing overrides what the container says.
        if given && !set_now.contains(name) {
            continue;
        }
        let mut map = container.pointer(&pointer).filter(|map| map.is_object()).cloned().unwrap_or_else(|| json!({}));
        map[name] = value.clone();
        set(container, &pointer, map);
        if !set_now.contains(name) {
            set_now.push(name.clone());
        }
    }
    set_now.sort();
    set_now
}

/// Checks a pod or claim against every LimitRange; the first that it breaks refuses it.
pub(super) fn validate(cluster: &Cluster, attempt: Attempt<'_>, object: &Value) -> Result<(), Status> {
    if !concerns(attempt) {
        return Ok(());
    }
    for range in ranges(cluster, object) {
        let mut problems = Vec::new();
        for limit in entries(range, "/spec/limits") {
            if attempt.kind.collection == "pods" {
                check_pod(limit, object, &mut problems);
            } else if text(limit, "/type") == "PersistentVolumeClaim" {
                let asked = Amounts::read(object.pointer("/spec/resources/requests"));
                Check { limit, of: "PersistentVolumeClaim", requests: &asked, limits: &Amounts::default() }
                    .claim(&mut problems);
            }
        }
        if !problems.is_empty() {
            return Err(refuse(attempt, object, &together(&problems)));
        }
    }
    Ok(())
}

fn check_pod(limit: &Value, pod: &Value, problems: &mut Vec<String>) {
    match text(limit, "/type") {
        "Container" => {
            for container in entries(pod, "/spec/containers").iter().chain(entries(pod, "/spec/initContainers")) {
                let side = |side: &str| Amounts::read(container.pointer(&format!("/resources/{side}")));
                let (requests, limits) = (side("requests"), side("limits"));
                Check { limit, of: "Container", requests: &requests, limits: &limits }.all(problems);
            }
        }
        "Pod" => {
            let (requests, limits) = (of_pod(pod, "requests"), of_pod(pod, "limits"));
            Check { limit, of: "Pod", requests: &requests, limits: &limits }.all(problems);
        }
        _ => {}
    }
}

/// One limit against what one thing asks for.
struct Check<'a> {
    limit: &'a Value,
    /// `Container`, `Pod`, `PersistentVolumeClaim`.
    of: &'a str,
    requests: &'a Amounts,
    limits: &'a Amounts,
}

impl Check<'_> {
    fn bounds(&self, which: &str) -> Amounts {
        Amounts::read(self.limit.get(which))
    }

    fn all(&self, problems: &mut Vec<String>) {
        self.min(problems);
        for (name, most) in &self.bounds("max").0 {
            let (request, limit) = (self.requests.get(name), self.limits.get(name));
            let start = format!("maximum {name} usage per {} is {most}", self.of);
            match (limit, request) {
                (None, _) => problems.push(format!("{start}.  No limit is specified")),
                (Some(limit), _) if limit > most => problems.push(format!("{start}, but limit is {limit}")),
                (_, Some(request)) if request > most => problems.push(format!("{start}, but request is {request}")),
                _ => {}
            }
        }
        for (name, most) in &self.bounds("maxLimitRequestRatio").0 {
            self.ratio(name, most, problems);
        }
    }

    fn min(&self, problems: &mut Vec<String>) {
        for (name, least) in &self.bounds("min").0 {
            let (request, limit) = (self.requests.get(name), self.limits.get(name));
            let start = format!("minimum {name} usage per {} is {least}", self.of);
            match (request, limit) {
                (None, _) => problems.push(format!("{start}.  No request is specified")),
                (Some(request), _) if request < least => problems.push(format!("{start}, but request is {request}")),
                (_, Some(limit)) if limit < least => problems.push(format!("{start}, but limit is {limit}")),
                _ => {}
            }
        }
    }

    fn claim(&self, problems: &mut Vec<String>) {
        self.min(problems);
        for (name, most) in &self.bounds("max").0 {
            let start = format!("maximum {name} usage per {} is {most}", self.of);
            match self.requests.get(name) {
                None => problems.push(format!("{start}.  No request is specified")),
                Some(request) if request > most => problems.push(format!("{start}, but request is {request}")),
                Some(_) => {}
            }
        }
    }

    fn ratio(&self, name: &str, most: &Quantity, problems: &mut Vec<String>) {
        let start = format!("{name} max limit to request ratio per {} is {most}", self.of);
        let given = |amounts: &Amounts| amounts.get(name).filter(|amount| !amount.is_zero()).copied();
        match (given(self.requests), given(self.limits)) {
            (None, _) => problems.push(format!("{start}, but no request is specified or request is 0")),
            (_, None) => problems.push(format!("{start}, but no limit is specified or limit is 0")),
            (Some(request), Some(limit)) => {
                let ratio = limit.over(&request);
                if ratio > most.over(&Quantity::of_units(1)) {
                    problems.push(format!("{start}, but provided ratio is {ratio:.6}"));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range() -> Value {
        json!({"metadata": {"name": "lr"}, "spec": {"limits": [{
            "type": "Container",
            "max": {"cpu": "200m", "memory": "64Mi"},
            "min": {"cpu": "10m"},
            "default": {"cpu": "100m", "memory": "32Mi"},
            "defaultRequest": {"cpu": "20m", "memory": "16Mi"},
        }]}})
    }

    fn problems(limit: &Value, resources: Value) -> Vec<String> {
        let mut found = Vec::new();
        check_pod(limit, &json!({"spec": {"containers": [{"name": "web", "resources": resources}]}}), &mut found);
        found
    }

    /// Golden `limitrange-reject`.
    #[test]
    fn what_is_too_much_is_listed() {
        let range = range();
        assert_eq!(
            together(&problems(
                &range["spec"]["limits"][0],
                json!({
                "limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1", "memory": "1Gi"}})
            )),
            "[maximum cpu usage per Container is 200m, but limit is 1, maximum memory usage per Container is 64Mi, but limit is 1Gi]"
        );
    }

    #[test]
    fn a_container_that_says_nothing_gets_the_defaults_and_is_told() {
        let mut pod = json!({"metadata": {"name": "a"}, "spec": {"containers": [
            {"name": "web"}, {"name": "side", "resources": {"limits": {"cpu": "50m"}, "requests": {"cpu": "50m"}}}]}});
        fill(&range(), &mut pod);
        assert_eq!(
            pod["spec"]["containers"][0]["resources"],
            json!({"limits": {"cpu": "100m", "memory": "32Mi"}, "requests": {"cpu": "20m", "memory": "16Mi"}})
        );
        assert_eq!(pod["spec"]["containers"][1]["resources"]["limits"], json!({"cpu": "50m", "memory": "32Mi"}));
        assert_eq!(
            pod["metadata"]["annotations"][ANNOTATION],
            "LimitRanger plugin set: cpu, memory request for container web; cpu, memory limit for container web; memory request for \
             container side; memory limit for container side"
        );
    }

    #[test]
    fn bounds_are_worded_as_the_plugin_words_them() {
        let limit = json!({"type": "Container", "min": {"cpu": "50m"}, "max": {"memory": "1Gi"}, "maxLimitRequestRatio": {"cpu": "2"}});
        assert_eq!(
            problems(&limit, json!({"requests": {"cpu": "20m"}, "limits": {"cpu": "80m"}})),
            [
                "minimum cpu usage per Container is 50m, but request is 20m",
                "maximum memory usage per Container is 1Gi.  No limit is specified",
                "cpu max limit to request ratio per Container is 2, but provided ratio is 4.000000"
            ]
        );
        let pod = json!({"type": "Pod", "max": {"cpu": "1"}});
        assert_eq!(problems(&pod, json!({"limits": {"cpu": "2"}})), ["maximum cpu usage per Pod is 1, but limit is 2"]);
    }
}
