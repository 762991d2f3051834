//! JSON and CBOR answers: members of the model, dates as epoch seconds, nothing where there is `null`.

use serde_json::{Map, Value};

use super::model::{Kind, Model, Shape, Spelling};
use crate::moment;

/// An answer as JSON says it.
pub fn written(model: &Model, kind: Kind, value: &Value) -> Value {
    match kind {
        Kind::Shape(name) => compound(model, name, value),
        Kind::Date(Spelling::Iso) => moment::read(value).map_or(Value::Null, |date| date.to_string().into()),
        Kind::Date(_) if value.is_number() => value.clone(),
        Kind::Date(_) => moment::read(value).map_or(Value::Null, moment::written),
        _ => value.clone(),
    }
}

fn compound(model: &Model, name: &str, value: &Value) -> Value {
    match (model.shapes.get(name), value) {
        (Some(Shape::Structure(members)), Value::Object(given)) => {
            let mut out = Map::new();
            for member in members {
                if let Some(value) = given.get(member.name).filter(|value| !value.is_null()) {
                    out.insert(member.name.to_owned(), written(model, member.of, value));
                }
            }
            Value::Object(out)
        }
        (Some(Shape::List { of, .. }), Value::Array(given)) => {
            given.iter().map(|value| written(model, *of, value)).collect()
        }
        (Some(Shape::Map { of, .. }), Value::Object(given)) => {
            given.iter().map(|(key, value)| (key.clone(), written(model, *of, value))).collect()
        }
        _ => value.clone(),
    }
}
