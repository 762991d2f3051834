//! Trees → typed values: every unknown key, wrong type, missing key and unknown word is found in one pass.
//!
//! The JSON Schema generated from the types says what may stand where; the typed decoding comes last and can only
//! agree. Rules between keys (points that add up, names that exist) are the linter's.

mod choice;
mod walk;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{problem::Problem, yaml::Node};

/// Decodes a tree by a schema. Problems are appended; without errors among them there is a value.
pub(crate) fn decode<T: DeserializeOwned>(
    file: &str,
    node: &Node,
    schema: &Value,
    problems: &mut Vec<Problem>,
) -> Option<T> {
    let mut walk = walk::Walk { file, root: schema, problems: Vec::new() };
    let value = walk.value(node, schema, &mut Vec::new());
    let found = walk.problems;
    if !found.is_empty() {
        problems.extend(found);
        return None;
    }
    match serde_json::from_value(value) {
        Ok(decoded) => Some(decoded),
        Err(error) => {
            problems.push(Problem::error("format", file, node.place, format!("{UNFORESEEN}{error}")));
            None
        }
    }
}

/// Begins the message of a refusal that the walk should have foreseen and could have given a place.
const UNFORESEEN: &str = "the lab cannot be understood: ";

#[cfg(test)]
mod tests;
