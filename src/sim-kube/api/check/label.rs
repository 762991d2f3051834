//! Labels, annotations and the selectors inside objects.

use serde_json::Value;

use super::{At, Problems, name};

const NAME_PART: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. \
                         'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
                         '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with \
                     an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is \
                     '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
/// All annotations of an object together, in bytes.
const ANNOTATIONS_MAX: usize = 256 * 1024;

/// What is wrong with a qualified name: `prefix/name`.
pub fn qualified_name(key: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let parts: Vec<_> = key.split('/').collect();
    let part = match parts.as_slice() {
        [part] => part,
        [prefix, part] => {
            if prefix.is_empty() {
                problems.push("prefix part must be non-empty".to_owned());
            } else {
                problems.extend(name::subdomain(prefix).into_iter().map(|problem| format!("prefix part {problem}")));
            }
            part
        }
        _ => {
            return vec![
                "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric \
                 character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
                 '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
                    .to_owned(),
            ];
        }
    };
    if part.is_empty() {
        problems.push("name part must be non-empty".to_owned());
    } else if part.len() > 63 {
        problems.push("name part must be no more than 63 bytes".to_owned());
    }
    if !is_word(part) {
        problems.push(format!("name part {NAME_PART}"));
    }
    problems
}

/// What is wrong with a label's value.
pub fn label_value(value: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if value.len() > 63 {
        problems.push("must be no more than 63 bytes".to_owned());
    }
    if !value.is_empty() && !is_word(value) {
        problems.push(VALUE.to_owned());
    }
    problems
}

fn is_word(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
}

/// Checks a map of labels.
pub fn labels(map: Option<&Value>, at: &At, problems: &mut Problems) {
    for (key, value) in map.and_then(Value::as_object).into_iter().flatten() {
        for problem in qualified_name(key) {
            problems.invalid(at, key.as_str(), problem);
        }
        let value = value.as_str().unwrap_or("");
        for problem in label_value(value) {
            problems.invalid(at, value, problem);
        }
    }
}

/// Checks a map of annotations.
pub fn annotations(map: Option<&Value>, at: &At, problems: &mut Problems) {
    let mut bytes = 0;
    for (key, value) in map.and_then(Value::as_object).into_iter().flatten() {
        for problem in qualified_name(&key.to_lowercase()) {
            problems.invalid(at, key.as_str(), problem);
        }
        bytes += key.len() + value.as_str().unwrap_or("").len();
    }
    if bytes > ANNOTATIONS_MAX {
        problems.too_long(at, ANNOTATIONS_MAX);
    }
}

/// Checks a LabelSelector.
pub fn selector(selector: Option<&Value>, at: &At, problems: &mut Problems) {
    let Some(selector) = selector else { return };
    labels(selector.get("matchLabels"), &at.child("matchLabels"), problems);
    let expressions = selector.get("matchExpressions").and_then(Value::as_array);
    for (index, expression) in expressions.into_iter().flatten().enumerate() {
        let at = at.child("matchExpressions").index(index);
        let values = expression.get("values").and_then(Value::as_array).map_or(0, Vec::len);
        match expression.get("operator").and_then(Value::as_str).unwrap_or("") {
            "In" | "NotIn" if values == 0 => {
                problems.required(&at.child("values"), "must be specified when `operator` is 'In' or 'NotIn'");
            }
            "Exists" | "DoesNotExist" if values > 0 => {
                problems.forbidden(
                    &at.child("values"),
                    "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
                );
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            other => problems.invalid(&at.child("operator"), other, "not a valid selector operator"),
        }
        let key = expression.get("key").and_then(Value::as_str).unwrap_or("");
        for problem in qualified_name(key) {
            problems.invalid(&at.child("key"), key, problem);
        }
    }
}
