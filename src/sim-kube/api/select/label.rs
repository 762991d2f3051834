//! Label selectors: the texts of queries and the objects inside specs.

use serde_json::Value;

/// Whether labels fit a LabelSelector object (`matchLabels`, `matchExpressions`). An empty selector fits everything.
pub fn matches_selector(selector: &Value, labels: Option<&Value>) -> bool {
    let label = |key: &str| labels.and_then(|labels| labels.get(key)).and_then(Value::as_str);
    let plain = selector.get("matchLabels").and_then(Value::as_object).into_iter().flatten();
    let expressions = selector.get("matchExpressions").and_then(Value::as_array).into_iter().flatten();
    plain.into_iter().all(|(key, value)| label(key) == value.as_str())
        && expressions.into_iter().all(|expression| {
            let present = label(expression.get("key").and_then(Value::as_str).unwrap_or(""));
            let values = expression.get("values").and_then(Value::as_array);
            let listed = || {
                values.is_some_and(|values| values.iter().any(|value| value.as_str() == present && present.is_some()))
            };
            match expression.get("operator").and_then(Value::as_str) {
                Some("In") => listed(),
                Some("NotIn") => !listed(),
                Some("Exists") => present.is_some(),
                Some("DoesNotExist") => present.is_none(),
                _ => false,
            }
        })
}
