//! Plugin `PodSecurity`: what pods of a namespace may ask of their node (`pod-security-admission/admission/admission.go`).

mod baseline;
mod checks;
mod policy;
mod restricted;
mod spec;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use checks::Violation;
use policy::{Demand, Level};
use spec::Pod;

use super::{Attempt, refuse};
use crate::{
    Cluster, Status,
    api::check::problem,
    kind,
    object::{controller, entries, name, text},
};

/// The existing pods that a stricter label is tried on, at most.
const PODS_MAX: usize = 3000;

/// Checks pods, warns of what makes pods, checks the labels of namespaces.
///
/// # Errors
/// 403 for a pod that breaks what is enforced; 422 for labels that mean nothing.
pub(super) fn validate(
    cluster: &Cluster,
    attempt: Attempt<'_>,
    object: &Value,
    warnings: &mut Vec<String>,
) -> Result<(), Status> {
    let collection = attempt.kind.collection;
    let concerned = attempt.is_whole() || (collection == "pods" && attempt.touches_containers());
    if !concerned {
        return Ok(());
    }
    if collection == "namespaces" {
        return labels(cluster, attempt, object, warnings);
    }
    let is_pod = collection == "pods";
    let Some((metadata, spec)) = pod_of(collection, object) else { return Ok(()) };
    if is_pod && attempt.old.is_some_and(|old| !is_significant(object, old)) {
        return Ok(());
    }
    let namespace = cluster.store.get(&kind::NAMESPACE.key("", text(object, "/metadata/namespace")));
    let policy = namespace.map_or(policy::NONE, |namespace| policy::of(namespace).0);
    let pod = Pod { metadata, spec };
    if is_pod {
        let violations = checks::evaluate(policy.enforce, pod);
        if !violations.is_empty() {
            let why = format!("violates PodSecurity \"{}\": {}", policy.enforce, details(&violations));
            return Err(refuse(attempt, object, &why));
        }
    }
    let violations = checks::evaluate(policy.warn, pod);
    if !violations.is_empty() {
        warnings.push(format!("would violate PodSecurity \"{}\": {}", policy.warn, details(&violations)));
    }
    Ok(())
}

/// The metadata and spec of the pods that an object stands for.
fn pod_of<'a>(collection: &str, object: &'a Value) -> Option<(&'a Value, &'a Value)> {
    let template = match collection {
        "pods" => object,
        "podtemplates" => object.get("template")?,
        "replicationcontrollers"
        | "replicasets.apps"
        | "deployments.apps"
        | "statefulsets.apps"
        | "daemonsets.apps"
        | "jobs.batch" => object.pointer("/spec/template")?,
        "cronjobs.batch" => object.pointer("/spec/jobTemplate/spec/template")?,
        _ => return None,
    };
    Some((template.get("metadata").unwrap_or(&Value::Null), template.get("spec")?))
}

/// Of a pod only images and debug containers can change in a way that matters.
fn is_significant(new: &Value, old: &Value) -> bool {
    let images = |pod: &Value, list: &str| -> Vec<(String, String)> {
        let of = |container: &Value| (text(container, "/name").to_owned(), text(container, "/image").to_owned());
        entries(pod, &format!("/spec/{list}")).iter().map(of).collect()
    };
    spec::LISTS.iter().any(|list| images(new, list) != images(old, list))
}

fn details(violations: &[Violation]) -> String {
    let all: Vec<_> = violations
        .iter()
        .map(|violation| match violation.detail.as_str() {
            "" => violation.reason.to_owned(),
            detail => format!("{} ({detail})", violation.reason),
        })
        .collect();
    all.join(", ")
}

/// The labels of a namespace mean something; and the pods that are there already are tried against a stricter one.
fn labels(
    cluster: &Cluster,
    attempt: Attempt<'_>,
    namespace: &Value,
    warnings: &mut Vec<String>,
) -> Result<(), Status> {
    let (new, problems) = policy::of(namespace);
    let old = attempt.old.map(policy::of);
    let are_new = old.as_ref().is_none_or(|(_, known)| *known != problems);
    if !problems.is_empty() && are_new {
        return Err(problem::invalid("", "Namespace", name(namespace), &problems));
    }
    let Some((old, _)) = old else { return Ok(()) };
    let (now, before) = (new.enforce, old.enforce);
    let relaxed = now.version == before.version && now.level <= before.level;
    if now != before && now.level != Level::Privileged && !relaxed {
        warnings.extend(existing(cluster, name(namespace), now));
    }
    Ok(())
}

/// What a demand would say to the pods of a namespace.
fn existing(cluster: &Cluster, namespace: &str, demand: Demand) -> Vec<String> {
    let mut seen = BTreeSet::new();
    // Of pods with the same controller one comes first; the others after everything else.
    let (mut first, mut rest) = (Vec::new(), Vec::new());
    for pod in cluster.list(&kind::POD, Some(namespace)) {
        let owner = controller(pod).map(|owner| text(owner, "/uid"));
        let into = if owner.is_none_or(|owner| seen.insert(owner)) { &mut first } else { &mut rest };
        into.push(pod);
    }
    first.append(&mut rest);
    let count = first.len();
    let mut found: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for pod in first.into_iter().take(PODS_MAX) {
        let view = Pod { metadata: &pod["metadata"], spec: &pod["spec"] };
        let reasons: Vec<_> =
            checks::evaluate(demand, view).iter().map(|violation| violation.reason.to_owned()).collect();
        if !reasons.is_empty() {
            found.entry(reasons.join(", ")).or_default().push(name(pod));
        }
    }
    let mut warnings = Vec::new();
    if count > PODS_MAX {
        warnings.push(format!(
            "new PodSecurity enforce level only checked against the first {PODS_MAX} of {count} existing pods"
        ));
    }
    if !found.is_empty() {
        warnings.push(format!(
            "existing pods in namespace {namespace:?} violate the new PodSecurity enforce level \"{demand}\""
        ));
    }
    let mut lines: Vec<_> = found
        .into_iter()
        .map(|(reasons, mut pods)| {
            pods.sort_unstable();
            let pod = pods.first().copied().unwrap_or_default();
            match pods.len() {
                1 => format!("{pod}: {reasons}"),
                2 => format!("{pod} (and 1 other pod): {reasons}"),
                more => format!("{pod} (and {} other pods): {reasons}", more - 1),
            }
        })
        .collect();
    lines.sort();
    warnings.append(&mut lines);
    warnings
}
