//! The JSON Schema of `lab.yaml` and of `house.yaml`, generated from the types.
//!
//! Editors use it, and so does our own reader: the walk in `decode/` asks it which keys and values a place may have.

use std::{collections::BTreeMap, sync::LazyLock};

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::Value;

use crate::{Lab, house::HouseFile, lab::Parameter};

/// Where the schema of this format version is published, as `$id`.
const ID: &str = "https://breakfix.dev/schema/v1/lab.schema.json";

static LAB: LazyLock<Value> = LazyLock::new(generate::<Lab>);
static PARAMETERS: LazyLock<Value> = LazyLock::new(generate::<BTreeMap<String, Parameter>>);
static HOUSE: LazyLock<Value> = LazyLock::new(generate::<HouseFile>);

/// The schema of `lab.yaml` (JSON Schema 2020-12), printed with two blanks of indentation and a final newline.
pub fn schema_json() -> String {
    let mut schema = LAB.clone();
    if let Value::Object(map) = &mut schema {
        map.insert("$id".to_owned(), Value::String(ID.to_owned()));
    }
    format!("{schema:#}\n")
}

/// The schema of `lab.yaml`.
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
