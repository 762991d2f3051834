//! The columns that a definition gives its objects (`apiextensions-apiserver/pkg/registry/customresource/tableconvertor`).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    interned::keep,
    path::{Step, find, parse},
};
use crate::{
    api::table::{Column, human},
    object::{entries, number, text},
};

/// Columns beside the name.
#[derive(Debug)]
pub struct Columns {
    /// The name's column and the others.
    pub columns: &'static [Column],
    paths: Vec<Vec<Step>>,
}

impl Columns {
    pub(super) fn of(version: &Value) -> Self {
        let mut columns =
            vec![Column { name: "Name", kind: "string", priority: 0, description: "The name of the object." }];
        let mut paths = Vec::new();
        let given = entries(version, "/additionalPrinterColumns");
        for column in given {
            columns.push(Column {
                name: keep(text(column, "/name")),
                kind: keep(text(column, "/type")),
                priority: u8::try_from(number(column, "/priority").unwrap_or(0)).unwrap_or(1),
                description: keep(text(column, "/description")),
            });
            paths.push(parse(text(column, "/jsonPath")));
        }
        if given.is_empty() {
            columns.push(Column {
                name: "Age",
                kind: "date",
                priority: 0,
                description: "The time since the object was created.",
            });
            paths.push(parse(".metadata.creationTimestamp"));
        }
        Self { columns: Box::leak(columns.into_boxed_slice()), paths }
    }

    /// An object's cells.
    pub fn cells(&self, object: &Value, now: Timestamp) -> Vec<Value> {
        let kinds = self.columns.iter().skip(1).map(|column| column.kind);
        let others = self.paths.iter().zip(kinds).map(|(path, kind)| cell(&find(path, object), kind, now));
        std::iter::once(json!(text(object, "/metadata/name"))).chain(others).collect()
    }
}

fn cell(found: &[&Value], kind: &str, now: Timestamp) -> Value {
    let found: Vec<&&Value> = found.iter().filter(|value| !value.is_null()).collect();
    let Some(first) = found.first() else { return Value::Null };
    match (kind, first) {
        ("integer", Value::Number(_)) | ("number", Value::Number(_)) | ("boolean", Value::Bool(_)) => {
            Value::clone(first)
        }
        ("date", Value::String(moment)) => match moment.parse::<Timestamp>() {
            Ok(moment) => json!(human(now.as_second() - moment.as_second())),
            Err(_) => json!("<invalid>"),
        },
        ("string", _) => {
            let shown = |value: &Value| match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            json!(found.iter().map(|value| shown(value)).collect::<Vec<_>>().join(" "))
        }
        // A value of another type than the column's is left out.
        _ => Value::Null,
    }
}
