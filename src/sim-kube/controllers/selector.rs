//! Label selectors: `matchLabels` and `matchExpressions` (meta/v1 `LabelSelector`), and the plain maps of Services.

use serde_json::Value;

use crate::object::{entries, members, text};

/// Whether an object's labels fulfil a `LabelSelector`. A missing selector selects nothing, an empty one everything.
pub fn selects(selector: Option<&Value>, object: &Value) -> bool {
    let Some(selector) = selector.filter(|selector| selector.is_object()) else { return false };
    let labels = object.pointer("/metadata/labels").unwrap_or(&Value::Null);
    members(selector, "/matchLabels").all(|(key, value)| labels.get(key) == Some(value))
        && entries(selector, "/matchExpressions").iter().all(|expression| holds(expression, labels))
}

/// Whether an object's labels contain all of a plain map's; an empty map selects nothing.
pub fn map_selects(map: Option<&Value>, object: &Value) -> bool {
    let Some(map) = map.and_then(Value::as_object).filter(|map| !map.is_empty()) else { return false };
    let labels = object.pointer("/metadata/labels").unwrap_or(&Value::Null);
    map.iter().all(|(key, value)| labels.get(key) == Some(value))
}

/// One requirement `{key, operator, values}` against a map of texts; also what node affinity uses.
pub fn holds(expression: &Value, labels: &Value) -> bool {
    let value = labels.get(text(expression, "/key")).and_then(Value::as_str);
    let listed = |value: &str| entries(expression, "/values").iter().any(|entry| entry == value);
    let number = |text: &str| text.parse::<i64>().ok();
    let first = entries(expression, "/values").first().and_then(Value::as_str).and_then(number);
    match text(expression, "/operator") {
        "In" => value.is_some_and(listed),
        "NotIn" => !value.is_some_and(listed),
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        "Gt" => value.and_then(number).zip(first).is_some_and(|(value, than)| value > than),
        "Lt" => value.and_then(number).zip(first).is_some_and(|(value, than)| value < than),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_missing_selector_selects_nothing_and_an_empty_one_everything() {
        let pod = json!({"metadata": {"labels": {"app": "web"}}});
        assert!(!selects(None, &pod));
        assert!(selects(Some(&json!({})), &pod));
        assert!(!map_selects(Some(&json!({})), &pod));
        assert!(map_selects(Some(&json!({"app": "web"})), &pod));
    }

    #[test]
    fn expressions_hold_as_documented() {
        let pod = json!({"metadata": {"labels": {"app": "web", "rank": "7"}}});
        let with = |key: &str, operator: &str, values: &[&str]| {
            selects(Some(&json!({"matchExpressions": [{"key": key, "operator": operator, "values": values}]})), &pod)
        };
        assert!(with("app", "In", &["web", "api"]));
        assert!(!with("app", "NotIn", &["web"]));
        assert!(with("tier", "NotIn", &["web"]), "a missing label is in no list");
        assert!(with("tier", "DoesNotExist", &[]));
        assert!(with("rank", "Gt", &["6"]) && !with("rank", "Lt", &["7"]));
    }
}
