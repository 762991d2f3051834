//! A policy document as JSON has it, read into statements. What cannot be read is refused when a policy is written (`grammar`).

use serde_json::{Map, Value};

/// A policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// Only version 2012-10-17 knows variables; the default is the old one (IAM user guide, "JSON policy elements: Version").
    pub knows_variables: bool,
    pub statements: Vec<Statement>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Allow,
    Deny,
}

/// A list of patterns, or all but what they match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patterns {
    pub except: bool,
    pub any_of: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    pub sid: Option<String>,
    pub effect: Effect,
    pub principals: Option<Principals>,
    pub actions: Patterns,
    /// None in a trust policy, where the resource is the role itself.
    pub resources: Option<Patterns>,
    pub conditions: Vec<Condition>,
}

/// The element `Principal`, or `NotPrincipal`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Principals {
    pub except: bool,
    /// `AWS`: ARNs, account numbers, `*`.
    pub aws: Vec<String>,
    pub services: Vec<String>,
    pub federated: Vec<String>,
}

/// One key under one operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// `ForAnyValue:StringLike`, as written.
    pub operator: String,
    pub key: String,
    pub values: Vec<String>,
}

impl Document {
    /// Reads what was accepted before; statements that make no sense are left out, and so allow nothing.
    pub fn read(text: &str) -> Self {
        serde_json::from_str(text).map(|value| Self::from_value(&value)).unwrap_or_default()
    }

    pub fn from_value(value: &Value) -> Self {
        let statements = match value.get("Statement") {
            Some(Value::Array(list)) => list.iter().filter_map(Statement::read).collect(),
            Some(one) => Statement::read(one).into_iter().collect(),
            None => Vec::new(),
        };
        Self { knows_variables: value.get("Version").and_then(Value::as_str) == Some("2012-10-17"), statements }
    }
}

impl Statement {
    fn read(value: &Value) -> Option<Self> {
        let fields = value.as_object()?;
        let effect = match fields.get("Effect")?.as_str()? {
            "Allow" => Effect::Allow,
            "Deny" => Effect::Deny,
            _ => return None,
        };
        let principals = match (fields.get("Principal"), fields.get("NotPrincipal")) {
            (Some(value), _) => Some(Principals::read(value, false)),
            (None, Some(value)) => Some(Principals::read(value, true)),
            (None, None) => None,
        };
        Some(Self {
            sid: fields.get("Sid").and_then(Value::as_str).map(str::to_owned),
            effect,
            principals,
            actions: patterns(fields, "Action", "NotAction")?,
            resources: patterns(fields, "Resource", "NotResource"),
            conditions: conditions(fields.get("Condition")),
        })
    }
}

impl Principals {
    fn read(value: &Value, except: bool) -> Self {
        let of = |kind: &str| value.get(kind).map(texts).unwrap_or_default();
        match value {
            Value::String(everyone) if everyone == "*" => Self { except, aws: vec!["*".to_owned()], ..Self::default() },
            _ => Self { except, aws: of("AWS"), services: of("Service"), federated: of("Federated") },
        }
    }
}

fn patterns(fields: &Map<String, Value>, name: &str, except: &str) -> Option<Patterns> {
    match (fields.get(name), fields.get(except)) {
        (Some(value), _) => Some(Patterns { except: false, any_of: texts(value) }),
        (None, Some(value)) => Some(Patterns { except: true, any_of: texts(value) }),
        (None, None) => None,
    }
}

fn conditions(value: Option<&Value>) -> Vec<Condition> {
    let mut conditions = Vec::new();
    for (operator, keys) in value.and_then(Value::as_object).into_iter().flatten() {
        for (key, values) in keys.as_object().into_iter().flatten() {
            conditions.push(Condition { operator: operator.clone(), key: key.clone(), values: texts(values) });
        }
    }
    conditions
}

/// One text or a list of texts; numbers and booleans count as their texts.
pub fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(list) => list.iter().filter_map(text).collect(),
        one => text(one).into_iter().collect(),
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}
