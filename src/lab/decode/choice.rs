//! A place of the schema with alternatives: words, tagged values, or types.

use serde_json::Value;

use super::walk::ref_name;

/// The alternatives of an `enum`, `const`, `oneOf` or `anyOf`, sorted by kind.
#[derive(Debug, Default)]
pub(super) struct Choice<'a> {
    /// Fixed texts.
    pub words: Vec<&'a str>,
    /// Mappings with one fixed key, and the schema of its value.
    pub tagged: Vec<(&'a str, &'a Value)>,
    pub nullable: bool,
    /// Anything else.
    pub others: Vec<&'a Value>,
}

impl<'a> Choice<'a> {
    /// The alternatives, where the schema has any.
    pub fn of(schema: &'a Value, root: &'a Value) -> Option<Self> {
        let has = |key| schema.get(key).is_some();
        if !(has("enum") || has("const") || has("oneOf") || has("anyOf")) {
            return None;
        }
        let mut choice = Self::default();
        choice.add(schema, root);
        Some(choice)
    }

    fn add(&mut self, schema: &'a Value, root: &'a Value) {
        if let Some(words) = schema.get("enum").and_then(Value::as_array) {
            self.words.extend(words.iter().filter_map(Value::as_str));
        } else if let Some(word) = schema.get("const").and_then(Value::as_str) {
            self.words.push(word);
        } else if let Some(alternatives) = alternatives(schema) {
            for alternative in alternatives {
                self.add(alternative, root);
            }
        } else if schema.get("type").and_then(Value::as_str) == Some("null") {
            self.nullable = true;
        } else if let Some(tagged) = tagged(schema) {
            self.tagged.push(tagged);
        } else {
            let target = ref_name(schema).and_then(|name| root.get("$defs")?.get(name));
            match target {
                Some(target) if alternatives(target).is_some() || target.get("enum").is_some() => {
                    self.add(target, root)
                }
                _ => self.others.push(schema),
            }
        }
    }
}

fn alternatives(schema: &Value) -> Option<&Vec<Value>> {
    schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array)
}

/// `{word: …}` and nothing else: how serde writes a variant with content.
fn tagged(schema: &Value) -> Option<(&str, &Value)> {
    let properties = schema.get("properties")?.as_object()?;
    let required = schema.get("required")?.as_array()?;
    let closed = schema.get("additionalProperties").and_then(Value::as_bool) == Some(false);
    let (key, value) = properties.iter().next()?;
    (closed && properties.len() == 1 && required.len() == 1).then_some((key.as_str(), value))
}
