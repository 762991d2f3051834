//! The JSON Schema of `lab.yaml`, of `house.yaml` and of a lab's parameters, generated from the types.
//!
//! Editors use it, and so does our own reader: the walk in `decode/` asks it which keys and values a place may have.

use std::{collections::BTreeMap, sync::LazyLock};

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::{Lab, house::HouseFile, lab::Parameter};

/// Where the schema of this format version is published, as `$id`.
const ID: &str = "https://breakfix.dev/schema/v1/lab.schema.json";

static LAB: LazyLock<Value> = LazyLock::new(generate::<Lab>);
static PARAMETERS: LazyLock<Value> = LazyLock::new(generate::<BTreeMap<String, Parameter>>);
static HOUSE: LazyLock<Value> = LazyLock::new(generate::<HouseFile>);

/// The schema of `lab.yaml` (JSON Schema 2020-12), printed with two blanks of indentation and a final newline.
///
/// It is what an editor should accept before parameters are filled in: where a number may stand, so may `${name}`.
pub fn schema_json() -> String {
    let mut schema = with_parameters(&LAB);
    if let Value::Object(map) = &mut schema {
        map.insert("$id".to_owned(), Value::String(ID.to_owned()));
        map.insert("title".to_owned(), Value::String("A breakfix lab (lab.yaml)".to_owned()));
    }
    format!("{schema:#}\n")
}

/// The schema of `lab.yaml` once its parameters are filled in.
pub(crate) fn lab() -> &'static Value {
    &LAB
}

/// The schema of what stands under `parameters`.
pub(crate) fn parameters() -> &'static Value {
    &PARAMETERS
}

/// The schema of `house.yaml`.
pub(crate) fn house() -> &'static Value {
    &HOUSE
}

fn generate<T: JsonSchema>() -> Value {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().to_value()
}

/// The same schema with `"${name}"` as an alternative to every whole number.
fn with_parameters(schema: &Value) -> Value {
    match schema {
        Value::Object(map) => {
            let inner: Map<String, Value> =
                map.iter().map(|(key, value)| (key.clone(), with_parameters(value))).collect();
            let is_number = match map.get("type") {
                Some(Value::String(word)) => word == "integer",
                Some(Value::Array(words)) => words.iter().any(|word| word == "integer"),
                _ => false,
            };
            if is_number { or_parameter(inner) } else { Value::Object(inner) }
        }
        Value::Array(items) => Value::Array(items.iter().map(with_parameters).collect()),
        other => other.clone(),
    }
}

fn or_parameter(mut number: Map<String, Value>) -> Value {
    let mut outer = Map::new();
    for key in ["description", "default"] {
        if let Some(value) = number.remove(key) {
            outer.insert(key.to_owned(), value);
        }
    }
    let parameter = json!({"type": "string", "pattern": "^\\$\\{[a-z][a-z0-9_-]*\\}$"});
    outer.insert("anyOf".to_owned(), Value::Array(vec![Value::Object(number), parameter]));
    Value::Object(outer)
}

#[cfg(test)]
mod tests {
    use std::{env, fs, path::Path};

    use super::*;

    #[test]
    fn the_schema_that_is_checked_in_is_the_types() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema/lab.schema.json");
        if env::var_os("UPDATE_SCHEMA").is_some() {
            fs::write(&path, schema_json()).unwrap();
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            kept == schema_json(),
            "docs/schema/lab.schema.json is not what the types say; run `UPDATE_SCHEMA=1 cargo test -p breakfix-lab schema`"
        );
    }

    #[test]
    fn a_parameter_may_stand_for_a_number() {
        let schema: Value = serde_json::from_str(&schema_json()).unwrap();
        let points = &schema["$defs"]["Objective"]["properties"]["points"];
        assert_eq!(points["anyOf"][0]["type"], "integer");
        assert_eq!(points["anyOf"][1]["type"], "string");
        assert!(points["description"].as_str().unwrap().starts_with("Points of 100"));
    }
}
