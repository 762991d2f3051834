//! Label selectors: the texts of queries and the objects inside specs.

use std::{borrow::Cow, fmt};

use serde_json::{Value, json};

use crate::{
    Kind,
    kind::REPLICATION_CONTROLLER,
    object::{entries, members, text},
};

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

/// The selector of a workload as a LabelSelector object; that of the oldest kind is a plain map.
pub fn of<'a>(kind: &Kind, object: &'a Value) -> Cow<'a, Value> {
    let own = object.pointer("/spec/selector").unwrap_or(&Value::Null);
    if kind.collection == REPLICATION_CONTROLLER.collection && own.is_object() {
        Cow::Owned(json!({"matchLabels": own}))
    } else {
        Cow::Borrowed(own)
    }
}

/// A LabelSelector object as a query would write it: `app=web,tier in (back,front)`, in the order of the keys.
pub fn written(selector: &Value) -> String {
    let mut parts: Vec<(String, String)> = members(selector, "/matchLabels")
        .map(|(key, value)| (key.clone(), format!("{key}={}", value.as_str().unwrap_or(""))))
        .collect();
    for expression in entries(selector, "/matchExpressions") {
        let key = text(expression, "/key");
        let mut values: Vec<_> = entries(expression, "/values").iter().filter_map(Value::as_str).collect();
        values.sort_unstable();
        let shown = match text(expression, "/operator") {
            "In" => format!("{key} in ({})", values.join(",")),
            "NotIn" => format!("{key} notin ({})", values.join(",")),
            "Exists" => key.to_owned(),
            _ => format!("!{key}"),
        };
        parts.push((key.to_owned(), shown));
    }
    parts.sort();
    parts.into_iter().map(|(_, shown)| shown).collect::<Vec<_>>().join(",")
}

/// A label selector of a query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    requirements: Vec<Requirement>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Requirement {
    pub(super) key: String,
    pub(super) operator: Operator,
    pub(super) values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
    Greater,
    Less,
}

impl Selector {
    /// Reads `app=web,tier in (front, back),!old`.
    ///
    /// # Errors
    /// The API's own words.
    pub fn parse(text: &str) -> Result<Self, String> {
        super::label_text::parse(text).map(|requirements| Self { requirements })
    }

    pub fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }

    /// Whether labels fit.
    pub fn matches(&self, labels: Option<&Value>) -> bool {
        self.requirements.iter().all(|requirement| requirement.matches(labels))
    }
}

/// As a query would have it.
impl fmt::Display for Selector {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, requirement) in self.requirements.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let Requirement { key, operator, values } = requirement;
            let (first, all) = (values.first().map_or("", String::as_str), values.join(","));
            match operator {
                Operator::In => write!(out, "{comma}{key} in ({all})"),
                Operator::NotIn => write!(out, "{comma}{key} notin ({all})"),
                Operator::Exists => write!(out, "{comma}{key}"),
                Operator::DoesNotExist => write!(out, "{comma}!{key}"),
                Operator::Greater => write!(out, "{comma}{key}>{first}"),
                Operator::Less => write!(out, "{comma}{key}<{first}"),
            }?;
        }
        Ok(())
    }
}

impl Requirement {
    fn matches(&self, labels: Option<&Value>) -> bool {
        let present = labels.and_then(|labels| labels.get(&self.key)).and_then(Value::as_str);
        let listed = present.is_some_and(|present| self.values.iter().any(|value| value == present));
        let ordered = |wanted: std::cmp::Ordering| {
            let limit = self.values.first().and_then(|value| value.parse::<i64>().ok());
            let number = present.and_then(|present| present.parse::<i64>().ok());
            matches!((number, limit), (Some(number), Some(limit)) if number.cmp(&limit) == wanted)
        };
        match self.operator {
            Operator::In => listed,
            Operator::NotIn => !listed,
            Operator::Exists => present.is_some(),
            Operator::DoesNotExist => present.is_none(),
            Operator::Greater => ordered(std::cmp::Ordering::Greater),
            Operator::Less => ordered(std::cmp::Ordering::Less),
        }
    }
}
