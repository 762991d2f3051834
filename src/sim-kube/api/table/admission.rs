//! What admission asks: webhooks and policies.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{AGE, Layout, NAME, age, column, integer, name};
use crate::object::{entries, text};

pub static WEBHOOKS: Layout = Layout {
    columns: &[
        NAME,
        integer("Webhooks", "Webhooks indicates the number of webhooks registered in this configuration"),
        AGE,
    ],
    cells: |object, now| vec![name(object), json!(entries(object, "/webhooks").len()), age(object, now)],
};

pub static POLICY: Layout = Layout {
    columns: &[
        NAME,
        integer("Validations", "The number of validations in the policy."),
        column("ParamKind", "The kind of the policy's parameters."),
        AGE,
    ],
    cells: policy,
};

pub static BINDING: Layout = Layout {
    columns: &[
        NAME,
        column("PolicyName", "The policy that is bound."),
        column("ParamRef", "The parameters that it is given."),
        AGE,
    ],
    cells: binding,
};

fn policy(object: &Value, now: Timestamp) -> Vec<Value> {
    let kind = match object.pointer("/spec/paramKind") {
        Some(kind) if !kind.is_null() => format!("{}/{}", text(kind, "/apiVersion"), text(kind, "/kind")),
        _ => "<unset>".to_owned(),
    };
    vec![name(object), json!(entries(object, "/spec/validations").len()), json!(kind), age(object, now)]
}

fn binding(object: &Value, now: Timestamp) -> Vec<Value> {
    let parameters = match object.pointer("/spec/paramRef") {
        Some(reference) if !reference.is_null() => match (text(reference, "/namespace"), text(reference, "/name")) {
            (_, "") => "*".to_owned(),
            ("", name) => name.to_owned(),
            (namespace, name) => format!("{namespace}/{name}"),
        },
        _ => "<unset>".to_owned(),
    };
    vec![name(object), json!(text(object, "/spec/policyName")), json!(parameters), age(object, now)]
}
