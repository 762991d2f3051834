//! Which pods a quota with scopes is about (`pkg/quota/v1/evaluator/core/pods.go`, `podMatchesScopeFunc`).

use serde_json::Value;

use crate::{
    Kind,
    object::{entries, number, text},
};

/// Whether a quota counts an object. One with scopes counts pods alone.
pub fn counts(quota: &Value, kind: &Kind, object: &Value) -> bool {
    let scopes = entries(quota, "/spec/scopes");
    let expressions = entries(quota, "/spec/scopeSelector/matchExpressions");
    if scopes.is_empty() && expressions.is_empty() {
        return true;
    }
    kind.collection == "pods"
        && scopes.iter().filter_map(Value::as_str).all(|scope| is_in(scope, "Exists", &[], object))
        && expressions.iter().all(|expression| {
            let (scope, operator) = (text(expression, "/scopeName"), text(expression, "/operator"));
            is_in(scope, operator, entries(expression, "/values"), object)
        })
}

fn is_in(scope: &str, operator: &str, values: &[Value], pod: &Value) -> bool {
    let has_deadline = number(pod, "/spec/activeDeadlineSeconds").is_some_and(|seconds| seconds >= 0);
    let is_best_effort = text(pod, "/status/qosClass") == "BestEffort";
    match scope {
        "Terminating" => has_deadline,
        "NotTerminating" => !has_deadline,
        "BestEffort" => is_best_effort,
        "NotBestEffort" => !is_best_effort,
        "PriorityClass" => {
            let class = text(pod, "/spec/priorityClassName");
            let listed = values.iter().any(|value| value == class);
            match operator {
                "Exists" => !class.is_empty(),
                "DoesNotExist" => class.is_empty(),
                "In" => listed,
                "NotIn" => !listed,
                _ => false,
            }
        }
        "CrossNamespacePodAffinity" => crosses_namespaces(pod),
        _ => false,
    }
}

/// Whether any affinity term of a pod looks into other namespaces.
fn crosses_namespaces(pod: &Value) -> bool {
    let looks_out = |term: &Value| {
        !entries(term, "/namespaces").is_empty()
            || term.get("namespaceSelector").is_some_and(|selector| !selector.is_null())
    };
    ["podAffinity", "podAntiAffinity"].iter().any(|side| {
        let list =
            |which: &str| entries(pod, &format!("/spec/affinity/{side}/{which}DuringSchedulingIgnoredDuringExecution"));
        list("required").iter().any(looks_out)
            || list("preferred").iter().filter_map(|preferred| preferred.get("podAffinityTerm")).any(looks_out)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kind::{POD, SERVICE};

    #[test]
    fn scopes_choose_pods() {
        let quota = |scope: &str| json!({"spec": {"scopes": [scope]}});
        let job = json!({"spec": {"activeDeadlineSeconds": 60}, "status": {"qosClass": "BestEffort"}});
        assert!(counts(&quota("Terminating"), &POD, &job) && !counts(&quota("NotTerminating"), &POD, &job));
        assert!(counts(&quota("BestEffort"), &POD, &job) && !counts(&quota("NotBestEffort"), &POD, &job));
        assert!(!counts(&quota("BestEffort"), &SERVICE, &json!({})), "only pods have scopes");
        assert!(counts(&json!({"spec": {}}), &SERVICE, &json!({})));
        let selector = json!({"spec": {"scopeSelector": {"matchExpressions": [
            {"scopeName": "PriorityClass", "operator": "In", "values": ["high"]}]}}});
        assert!(counts(&selector, &POD, &json!({"spec": {"priorityClassName": "high"}})));
        assert!(!counts(&selector, &POD, &json!({"spec": {}})));
    }
}
