//! One tree beside its schema, value by value.

use serde_json::{Map, Number, Value};

use super::choice::Choice;
use crate::{
    Span,
    problem::{Place, Problem},
    suggest,
    yaml::{Data, Node},
};

const RULE: &str = "format";

/// A walk through one document.
pub(super) struct Walk<'a> {
    pub file: &'a str,
    /// The schema's root, where `$ref`s lead.
    pub root: &'a Value,
    pub problems: Vec<Problem>,
}

impl<'a> Walk<'a> {
    /// The value at `path`, as the schema wants it. What is wrong is reported; then the result means nothing.
    pub fn value(&mut self, node: &Node, schema: &'a Value, path: &mut Vec<String>) -> Value {
        if let Some(name) = ref_name(schema) {
            if name == "Span" {
                return self.span(node, path);
            }
            let target = self.root.get("$defs").and_then(|defs| defs.get(name)).unwrap_or(&Value::Null);
            return self.value(node, target, path);
        }
        if let Some(choice) = Choice::of(schema, self.root) {
            return self.choice(node, &choice, path);
        }
        let types = types_of(schema);
        if types.is_empty() {
            return node.to_value();
        }
        match &node.data {
            Data::Null if types.contains(&"null") => Value::Null,
            Data::Bool(value) if types.contains(&"boolean") => Value::Bool(*value),
            Data::Map(_) if types.contains(&"object") => self.object(node, schema, path),
            Data::List(items) if types.contains(&"array") => self.list(node, items, schema, path),
            Data::Text { text, .. } if types.contains(&"string") => Value::String(text.clone()),
            Data::Number(number) | Data::Text { number: Some(number), .. } if types.contains(&"integer") => {
                self.integer(node, number, schema, path)
            }
            Data::Number(number) | Data::Text { number: Some(number), .. } if types.contains(&"number") => {
                Value::Number(number.clone())
            }
            _ => {
                self.mismatch(node, &types, path);
                Value::Null
            }
        }
    }

    fn choice(&mut self, node: &Node, choice: &Choice<'a>, path: &mut Vec<String>) -> Value {
        match &node.data {
            Data::Null if choice.nullable => Value::Null,
            Data::Text { text, .. } if !choice.words.is_empty() => {
                if !choice.words.contains(&text.as_str()) {
                    let message = format!("{} cannot be `{text}`", subject(path));
                    self.report(node.place, message, suggest::help(text, &choice.words));
                }
                Value::String(text.clone())
            }
            Data::Map(_) if !choice.tagged.is_empty() => self.tagged(node, choice, path),
            _ => match choice.others.iter().find(|schema| self.fits(node, schema)).or(choice.others.first()) {
                Some(schema) => self.value(node, schema, path),
                None => {
                    let found = node.describe();
                    if choice.tagged.is_empty() {
                        let words = suggest::list(&choice.words);
                        self.report(
                            node.place,
                            format!("{} is {found}", subject(path)),
                            Some(format!("use one of {words}")),
                        );
                    } else {
                        let words: Vec<_> = choice.tagged.iter().map(|(word, _)| *word).collect();
                        let help = format!("write `word: …` with one of {}", suggest::list(&words));
                        self.report(node.place, format!("{} is {found}", subject(path)), Some(help));
                    }
                    Value::Null
                }
            },
        }
    }

    /// One of several words as the only key: `patch: {…}`.
    fn tagged(&mut self, node: &Node, choice: &Choice<'a>, path: &mut Vec<String>) -> Value {
        let words: Vec<_> = choice.tagged.iter().map(|(word, _)| *word).collect();
        let mut map = Map::new();
        let mut known = 0;
        for entry in node.entries() {
            let Some((_, schema)) = choice.tagged.iter().find(|(word, _)| *word == entry.key) else {
                let message = format!("unknown word `{}` in {}", entry.key, subject(path));
                self.report(entry.place, message, suggest::help(&entry.key, &words));
                continue;
            };
            known += 1;
            if known == 2 {
                let message = format!("{} has the words {}", subject(path), suggest::list(&keys_of(node)));
                self.report(entry.place, message, Some("keep one; several make a list".to_owned()));
            }
            path.push(entry.key.clone());
            map.insert(entry.key.clone(), self.value(&entry.value, schema, path));
            path.pop();
        }
        if node.entries().is_empty() {
            let help = format!("write one of {}", suggest::list(&words));
            self.report(node.place, format!("{} is empty", subject(path)), Some(help));
        }
        Value::Object(map)
    }

    fn object(&mut self, node: &Node, schema: &'a Value, path: &mut Vec<String>) -> Value {
        let properties = schema.get("properties").and_then(Value::as_object);
        let additional = schema.get("additionalProperties");
        let mut map = Map::new();
        let mut misspelled = Vec::new();
        for entry in node.entries() {
            let known = properties.and_then(|properties| properties.get(&entry.key));
            let Some(schema) = known.or(additional.filter(|schema| schema.as_bool() != Some(false))) else {
                let words: Vec<_> = properties
                    .into_iter()
                    .flatten()
                    .map(|(key, _)| key.as_str())
                    .filter(|key| node.get(key).is_none())
                    .collect();
                let help = suggest::help(&entry.key, &words);
                misspelled.extend(suggest::nearest(&entry.key, words));
                self.report(entry.place, format!("unknown key `{}` in {}", entry.key, subject(path)), help);
                continue;
            };
            path.push(entry.key.clone());
            map.insert(entry.key.clone(), self.value(&entry.value, schema, path));
            path.pop();
        }
        let required = schema.get("required").and_then(Value::as_array);
        for key in required.into_iter().flatten().filter_map(Value::as_str) {
            if node.get(key).is_none() && !misspelled.contains(&key) {
                let description = properties.and_then(|properties| properties.get(key));
                let help = description.and_then(|schema| schema.get("description")).and_then(Value::as_str);
                let help = help.and_then(|text| text.split('\n').next()).map(|text| format!("write it: {text}"));
                self.report(node.place, format!("{} has no `{key}`", subject(path)), help);
            }
        }
        Value::Object(map)
    }

    fn list(&mut self, node: &Node, items: &[Node], schema: &'a Value, path: &mut Vec<String>) -> Value {
        let bound = |key| schema.get(key).and_then(Value::as_u64).and_then(|bound| usize::try_from(bound).ok());
        let (least, most) = (bound("minItems").unwrap_or(0), bound("maxItems").unwrap_or(usize::MAX));
        if items.len() < least || items.len() > most {
            let wanted = if least == most { format!("{least}") } else { format!("at least {least}") };
            self.report(
                node.place,
                format!("{} has {} entries", subject(path), items.len()),
                Some(format!("write {wanted}")),
            );
            return Value::Null;
        }
        let prefix = schema.get("prefixItems").and_then(Value::as_array);
        let each = schema.get("items");
        let mut values = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let schema = prefix.and_then(|prefix| prefix.get(index)).or(each).unwrap_or(&Value::Bool(true));
            path.push(index.to_string());
            values.push(self.value(item, schema, path));
            path.pop();
        }
        Value::Array(values)
    }

    fn integer(&mut self, node: &Node, number: &Number, schema: &Value, path: &[String]) -> Value {
        let Some(whole) = whole(number) else {
            self.report(node.place, format!("{} is {number}", subject(path)), Some("write a whole number".to_owned()));
            return Value::Null;
        };
        let (least, most) = bounds(schema);
        if whole < least || whole > most {
            let help = format!("write a whole number from {least} to {most}");
            self.report(node.place, format!("{} is {number}", subject(path)), Some(help));
        }
        i64::try_from(whole).map_or_else(|_| Value::Number(number.clone()), Value::from)
    }

    fn span(&mut self, node: &Node, path: &[String]) -> Value {
        let Some(text) = node.as_text() else {
            let help = "write a length of time such as `90s`, `2m` or `1m30s`".to_owned();
            self.report(node.place, format!("{} is {}", subject(path), node.describe()), Some(help));
            return Value::Null;
        };
        if let Err(error) = text.parse::<Span>() {
            self.report(node.place, format!("{}: {error}", subject(path)), None);
        }
        Value::String(text.to_owned())
    }

    /// Whether the value has a type that the schema admits; nothing is said about what is inside.
    fn fits(&self, node: &Node, schema: &Value) -> bool {
        if let Some(name) = ref_name(schema) {
            let target = self.root.get("$defs").and_then(|defs| defs.get(name));
            return name == "Span" && node.as_text().is_some() || target.is_some_and(|target| self.fits(node, target));
        }
        let types = types_of(schema);
        types.is_empty()
            || match &node.data {
                Data::Null => types.contains(&"null"),
                Data::Bool(_) => types.contains(&"boolean"),
                Data::Number(_) => types.contains(&"integer") || types.contains(&"number"),
                Data::Text { number: Some(_), .. } => types.contains(&"integer") || types.contains(&"string"),
                Data::Text { .. } => types.contains(&"string"),
                Data::List(_) => types.contains(&"array"),
                Data::Map(_) => types.contains(&"object"),
            }
    }

    fn mismatch(&mut self, node: &Node, types: &[&str], path: &[String]) {
        let wanted: Vec<_> = types.iter().filter(|word| **word != "null").map(|word| in_words(word)).collect();
        let wanted = wanted.join(" or ");
        let help = match &node.data {
            Data::Number(number) if wanted == "a text" => format!("write \"{number}\""),
            Data::Null => format!("write {wanted}, or leave the key out"),
            Data::Map(_) | Data::Text { .. } if wanted == "a list" => "write a list, also of one: `[…]`".to_owned(),
            _ => format!("write {wanted}"),
        };
        self.report(node.place, format!("{} is {}", subject(path), node.describe()), Some(help));
    }

    fn report(&mut self, place: Place, message: String, help: Option<String>) {
        let mut problem = Problem::error(RULE, self.file, place, message);
        problem.help = help;
        self.problems.push(problem);
    }
}

/// The name at the end of a `$ref`.
pub(super) fn ref_name(schema: &Value) -> Option<&str> {
    schema.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix("#/$defs/"))
}

fn types_of(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(word)) => vec![word],
        Some(Value::Array(words)) => words.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn keys_of(node: &Node) -> Vec<&str> {
    node.entries().iter().map(|entry| entry.key.as_str()).collect()
}

/// Where we are, in words: `objectives[0].check.http`.
fn subject(path: &[String]) -> String {
    let mut text = String::new();
    for step in path {
        if step.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() {
            text.push_str(&format!("[{step}]"));
        } else {
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(step);
        }
    }
    if text.is_empty() { "the document".to_owned() } else { format!("`{text}`") }
}

fn in_words(json_type: &str) -> &'static str {
    match json_type {
        "string" => "a text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "`true` or `false`",
        "array" => "a list",
        "object" => "a mapping",
        _ => "nothing",
    }
}

fn whole(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}

/// What the schema's format and bounds admit, both ends included.
fn bounds(schema: &Value) -> (i128, i128) {
    let (least, most) = match schema.get("format").and_then(Value::as_str) {
        Some("uint8") => (0, i128::from(u8::MAX)),
        Some("uint16") => (0, i128::from(u16::MAX)),
        Some("uint32") => (0, i128::from(u32::MAX)),
        Some("uint64" | "uint") => (0, i128::from(u64::MAX)),
        Some("int32") => (i128::from(i32::MIN), i128::from(i32::MAX)),
        _ => (i128::from(i64::MIN), i128::from(i64::MAX)),
    };
    let bound = |key| schema.get(key).and_then(Value::as_i64).map(i128::from);
    (bound("minimum").unwrap_or(least).max(least), bound("maximum").unwrap_or(most).min(most))
}
