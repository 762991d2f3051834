//! JSON and CBOR requests: members held against the operation's model, as the services' own readers do. What the model does not know is
//! passed over, `null` is absent, a value of another kind ends the request.

use serde_json::{Map, Value};

use super::{
    malformed::Malformed,
    model::{Kind, Model, Shape},
};
use crate::moment;

/// The members of a request under this shape.
///
/// # Errors
/// A value is of another kind than its member.
pub fn read(model: &Model, kind: Kind, value: &Value) -> Result<Value, Malformed> {
    match (kind, value) {
        (Kind::Shape(name), value) => compound(model, name, value),
        (Kind::Anything, value) => Ok(value.clone()),
        (Kind::Text | Kind::Bytes, Value::String(_)) | (Kind::Flag, Value::Bool(_)) => Ok(value.clone()),
        (Kind::Number, Value::Number(_)) => Ok(value.clone()),
        (Kind::Integer, Value::Number(number)) if number.is_i64() || number.is_u64() => Ok(value.clone()),
        (Kind::Integer, Value::Number(number)) => match crate::input::as_integer(value) {
            Some(whole) => Ok(whole.into()),
            None if number.as_f64().is_some() => Err(Malformed::Kind { found: "DECIMAL_VALUE", wanted: "Integer" }),
            None => Err(Malformed::Kind { found: "NUMBER_VALUE", wanted: "Integer" }),
        },
        (Kind::Date(_), value) => match moment::read(value) {
            Some(date) => Ok(moment::written(date)),
            None => Err(wrong(kind, value)),
        },
        (kind, value) => Err(wrong(kind, value)),
    }
}

fn compound(model: &Model, name: &str, value: &Value) -> Result<Value, Malformed> {
    match (model.shapes.get(name), value) {
        (Some(Shape::Structure(members)), Value::Object(given)) => {
            let mut read = Map::new();
            for member in members {
                if let Some(value) = given.get(member.name).filter(|value| !value.is_null()) {
                    read.insert(member.name.to_owned(), self::read(model, member.of, value)?);
                }
            }
            Ok(Value::Object(read))
        }
        (Some(Shape::List { of, .. }), Value::Array(given)) => {
            let given = given.iter().filter(|value| !value.is_null());
            given.map(|value| read(model, *of, value)).collect::<Result<_, _>>().map(Value::Array)
        }
        (Some(Shape::Map { of, .. }), Value::Object(given)) => {
            let given = given.iter().filter(|(_, value)| !value.is_null());
            let read = given.map(|(key, value)| Ok((key.clone(), read(model, *of, value)?)));
            read.collect::<Result<_, _>>().map(Value::Object)
        }
        (_, Value::Object(_)) => Err(Malformed::Start("structure or map")),
        (_, Value::Array(_)) => Err(Malformed::Start("list")),
        (Some(Shape::List { .. }), _) => Err(Malformed::Syntax("Expected list or null".to_owned())),
        _ => Err(Malformed::Syntax("Expected structure or null".to_owned())),
    }
}

fn wrong(kind: Kind, value: &Value) -> Malformed {
    let found = match value {
        Value::Object(_) => return Malformed::Start("structure or map"),
        Value::Array(_) => return Malformed::Start("list"),
        Value::String(_) => "STRING_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Null => "NULL_VALUE",
    };
    let wanted = match kind {
        Kind::Integer => "Integer",
        Kind::Number => "Double",
        Kind::Flag => "Boolean",
        Kind::Date(_) => "Timestamp",
        Kind::Bytes => "Blob",
        Kind::Text | Kind::Anything | Kind::Shape(_) => "String",
    };
    Malformed::Kind { found, wanted }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::wire::model;

    fn ecs(shape: &'static str, value: &Value) -> Result<Value, Malformed> {
        read(model::of("ecs").unwrap(), Kind::Shape(shape), value)
    }

    #[test]
    fn nulls_and_strangers_are_passed_over() {
        let given = json!({"cluster": "a", "serviceName": null, "stranger": {}, "desiredCount": 2.0});
        assert_eq!(ecs("CreateServiceRequest", &given).unwrap(), json!({"cluster": "a", "desiredCount": 2}));
    }

    #[test]
    fn another_kind_is_said_as_the_services_say_it() {
        let refusal = |given: Value| ecs("CreateServiceRequest", &given).unwrap_err().to_string();
        assert_eq!(refusal(json!({"desiredCount": "2"})), "STRING_VALUE can not be converted to Integer");
        assert_eq!(refusal(json!({"cluster": 5})), "NUMBER_VALUE can not be converted to String");
        assert_eq!(refusal(json!({"cluster": {}})), "Start of structure or map found where not expected.");
        assert_eq!(refusal(json!({"loadBalancers": {}})), "Start of structure or map found where not expected.");
        assert_eq!(refusal(json!([])), "Start of list found where not expected.");
        assert_eq!(refusal(json!({"loadBalancers": "x"})), "Expected list or null");
    }
}
