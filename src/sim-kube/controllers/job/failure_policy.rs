//! `podFailurePolicy`: what a pod's failure means for the Job (`pod_failure_policy.go`).

use serde_json::Value;

use crate::object::{entries, name, namespace, text};

/// What a failed pod means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Counts against the limit: no rule fits, or one that says so.
    Counts,
    /// Counts for nothing.
    Ignored,
    /// Counts, and the pod's number has failed for good.
    Index,
    /// The Job has failed, and why.
    Fatal(String),
}

/// The first rule that fits decides.
pub(super) fn meaning(job: &Value, pod: &Value) -> Meaning {
    for (index, rule) in entries(job, "/spec/podFailurePolicy/rules").iter().enumerate() {
        let Some(why) = fits(rule, pod) else { continue };
        return match text(rule, "/action") {
            "Ignore" => Meaning::Ignored,
            "FailIndex" => Meaning::Index,
            "FailJob" => Meaning::Fatal(format!("{why} matching FailJob rule at index {index}")),
            _ => Meaning::Counts,
        };
    }
    Meaning::Counts
}

/// Why a rule fits, in the words of a Job's message.
fn fits(rule: &Value, pod: &Value) -> Option<String> {
    let place = format!("{}/{}", namespace(pod), name(pod));
    if let Some(codes) = rule.get("onExitCodes").filter(|codes| codes.is_object()) {
        let (container, code) = exit(codes, pod)?;
        return Some(format!("Container {container} for pod {place} failed with exit code {code}"));
    }
    let condition = entries(rule, "/onPodConditions").iter().find(|pattern| {
        entries(pod, "/status/conditions").iter().any(|condition| {
            text(condition, "/type") == text(pattern, "/type") && text(condition, "/status") == status(pattern)
        })
    })?;
    Some(format!("Pod {place} has condition {}", text(condition, "/type")))
}

fn status(pattern: &Value) -> &str {
    match text(pattern, "/status") {
        "" => "True",
        status => status,
    }
}

/// The container, and the code other than 0 with which it ended, that a requirement fits.
fn exit(codes: &Value, pod: &Value) -> Option<(String, i64)> {
    let only = text(codes, "/containerName");
    let listed = |code: i64| entries(codes, "/values").iter().any(|value| value.as_i64() == Some(code));
    ["/status/containerStatuses", "/status/initContainerStatuses"]
        .into_iter()
        .flat_map(|list| entries(pod, list))
        .filter(|status| only.is_empty() || text(status, "/name") == only)
        .filter_map(|status| {
            Some((text(status, "/name").to_owned(), status["state"]["terminated"]["exitCode"].as_i64()?))
        })
        .find(|(_, code)| {
            *code != 0
                && match text(codes, "/operator") {
                    "In" => listed(*code),
                    "NotIn" => !listed(*code),
                    _ => false,
                }
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_rule_that_fits_decides() {
        let job = json!({"spec": {"podFailurePolicy": {"rules": [
            {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]},
            {"action": "FailJob", "onExitCodes": {"containerName": "main", "operator": "In", "values": [42]}},
        ]}}});
        let pod = |code: i64, conditions: Value| {
            json!({
                "metadata": {"namespace": "shop", "name": "a"},
                "status": {
                    "conditions": conditions,
                    "containerStatuses": [{"name": "main", "state": {"terminated": {"exitCode": code}}}],
                },
            })
        };
        let disrupted = json!([{"type": "DisruptionTarget", "status": "True"}]);
        assert_eq!(meaning(&job, &pod(42, disrupted)), Meaning::Ignored);
        assert_eq!(
            meaning(&job, &pod(42, json!([]))),
            Meaning::Fatal(
                "Container main for pod shop/a failed with exit code 42 matching FailJob rule at index 1".into()
            )
        );
        assert_eq!(meaning(&job, &pod(1, json!([]))), Meaning::Counts);
    }
}
