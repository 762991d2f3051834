//! What a fault changes, in the words that a text would have to use to give it away.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{Change, Document, LoadedLab, words::has_word};

/// The telling words of a lab's fault.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Terms {
    /// Broken values that the healthy system does not hold anywhere.
    values: BTreeSet<String>,
    /// Names of changed fields that are no everyday words (`targetPort`, `80/tcp`).
    fields: BTreeSet<String>,
    /// Names of changed fields that are (`selector`, `image`); they tell only when written as code.
    plain_fields: BTreeSet<String>,
}

/// Keys on the way to a field that say nothing about it.
const WAYS: [&str; 14] = [
    "spec",
    "template",
    "metadata",
    "labels",
    "annotations",
    "containers",
    "data",
    "name",
    "value",
    "env",
    "HostConfig",
    "NetworkingConfig",
    "EndpointsConfig",
    "Config",
];

/// Shorter values stand in texts for many reasons.
const VALUE_LENGTH_MIN: usize = 3;
/// Longer ones are files, not words.
const VALUE_LENGTH_MAX: usize = 120;

impl Terms {
    /// The terms of a lab's fault.
    pub fn of(lab: &LoadedLab) -> Self {
        let mut known = BTreeSet::new();
        for document in &lab.documents {
            scalars(&document.body, &mut known);
            known.insert(document.name.clone());
        }
        let mut terms = Self::default();
        for change in &lab.lab.fault {
            match change {
                Change::Patch(patch) => {
                    for value in patch.merge.iter().chain(&patch.strategic) {
                        terms.add(value, None, &mut Vec::new(), &known);
                    }
                    for operation in patch.json.iter().flatten() {
                        let pointer = operation.get("path").and_then(Value::as_str).unwrap_or_default();
                        let mut path: Vec<&str> = pointer.split('/').filter(|step| !step.is_empty()).collect();
                        terms.add(operation.get("value").unwrap_or(&Value::Null), None, &mut path, &known);
                    }
                }
                Change::Recreate(recreate) => {
                    if let Some(value) = &recreate.merge {
                        terms.add(value, None, &mut Vec::new(), &known);
                    }
                }
                Change::Scale(scale) => terms.field("replicas", &Value::from(scale.replicas), &known),
                Change::Apply(path) => {
                    for document in lab.applied(path).unwrap_or_default() {
                        let healthy = same_object(lab, document).map(|healthy| &healthy.body);
                        terms.add(&document.body, healthy, &mut Vec::new(), &known);
                    }
                }
                _ => {}
            }
        }
        terms
    }

    /// Every changed leaf below a value. `healthy` is what stood there before, where that is known.
    fn add<'a>(
        &mut self,
        value: &'a Value,
        healthy: Option<&Value>,
        path: &mut Vec<&'a str>,
        known: &BTreeSet<String>,
    ) {
        if healthy == Some(value) {
            return;
        }
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    path.push(key);
                    self.add(value, healthy.and_then(|healthy| healthy.get(key)), path, known);
                    path.pop();
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.add(item, healthy.and_then(|healthy| healthy.get(index)), path, known);
                }
            }
            leaf => {
                // `name: web` picks the entry of a list; it changes nothing.
                let picks = path.last() == Some(&"name") && text_of(leaf).is_some_and(|text| known.contains(&text));
                if !picks {
                    for key in path.iter() {
                        self.field(key, leaf, known);
                    }
                }
            }
        }
    }

    fn field(&mut self, key: &str, value: &Value, known: &BTreeSet<String>) {
        let inner_capital = key.chars().skip(1).any(char::is_uppercase);
        let index = key.bytes().all(|byte| byte.is_ascii_digit());
        if !WAYS.contains(&key) && !index && key.len() >= VALUE_LENGTH_MIN {
            let odd = inner_capital || key.contains(['/', '_', '.', '-']);
            let fields = if odd { &mut self.fields } else { &mut self.plain_fields };
            fields.insert(key.to_owned());
        }
        let mut texts = BTreeSet::new();
        scalars(value, &mut texts);
        for text in texts.difference(known) {
            if (VALUE_LENGTH_MIN..=VALUE_LENGTH_MAX).contains(&text.chars().count()) {
                self.values.insert(text.clone());
            }
        }
    }

    /// The first term that a text uses.
    pub fn in_text(&self, text: &str) -> Option<&str> {
        let code: String = code_of(text).join("\n");
        let anywhere = self.values.iter().chain(&self.fields).find(|term| has_word(text, term));
        anywhere.or_else(|| self.plain_fields.iter().find(|term| has_word(&code, term))).map(String::as_str)
    }
}

/// The parts of a Markdown text between back quotes.
fn code_of(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// Texts and numbers below a value; of `--flag=value` also the value.
fn scalars(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => map.values().for_each(|value| scalars(value, found)),
        Value::Array(items) => items.iter().for_each(|value| scalars(value, found)),
        leaf => {
            if let Some(text) = text_of(leaf) {
                if let Some((_, tail)) = text.split_once('=') {
                    found.insert(tail.to_owned());
                }
                found.insert(text);
            }
        }
    }
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn same_object<'a>(lab: &'a LoadedLab, document: &Document) -> Option<&'a Document> {
    lab.documents.iter().find(|healthy| healthy.kind == document.kind && healthy.name == document.name)
}

#[cfg(test)]
mod tests {
    use std::{borrow::Cow, sync::Arc};

    use super::*;
    use crate::LabSource;

    /// The terms of a fault in a lab with one container.
    fn terms(fault: &str) -> Terms {
        let lab = format!(
            "apiVersion: breakfix.dev/v1\nkind: Lab\nmetadata: {{name: x, title: t, difficulty: easy, minutes: 1, topics: []}}\n\
             platform: docker\nstory: s\nobjectives: []\ncontrols: {{}}\nfault:\n{fault}"
        );
        let system = "kind: Container\nname: web\nImage: shop/web:1.4\nCmd: [serve, --config=/etc/shop.yaml]\n\
                      HostConfig: {Memory: 268435456, PortBindings: {8080/tcp: [{HostPort: '18080'}]}}\n";
        let other = system.replace("268435456", "33554432");
        let files = [("lab.yaml", lab), ("system/x.yaml", system.to_owned()), ("controls/y.yaml", other)];
        let files = files.into_iter().map(|(path, text)| (path.to_owned(), Cow::Owned(text.into_bytes()))).collect();
        let loading = LabSource::from_files("x", files, Arc::default()).examine(None);
        assert!(loading.problems.is_empty(), "{:?}", loading.problems);
        Terms::of(&loading.lab.unwrap())
    }

    #[test]
    fn a_broken_value_tells_and_a_healthy_one_does_not() {
        let terms =
            terms("- recreate: {name: web, merge: {Image: 'shop/web:1.4.0', Cmd: [serve, --config=/etc/shop.yml]}}\n");
        assert_eq!(terms.in_text("it runs shop/web:1.4.0 now"), Some("shop/web:1.4.0"));
        assert_eq!(terms.in_text("who reads /etc/shop.yml?"), Some("/etc/shop.yml"));
        assert_eq!(terms.in_text("release 1.4 of shop/web:1.4, /etc/shop.yaml, serve"), None);
    }

    #[test]
    fn an_odd_field_tells_anywhere_and_an_everyday_word_only_as_code() {
        let terms = terms(
            "- patch: {kind: Container, name: web, merge: {HostConfig: {PortBindings: {8080/tcp: null}, Memory: 33554432}}}\n",
        );
        assert_eq!(terms.in_text("look at the PortBindings"), Some("PortBindings"));
        assert_eq!(terms.in_text("memory is short"), None);
        assert_eq!(terms.in_text("look at `HostConfig.Memory`"), Some("Memory"));
        assert_eq!(terms.in_text("33554432 bytes"), Some("33554432"));
        assert_eq!(terms.in_text("the container web answers on 18080"), None);
    }

    #[test]
    fn of_an_applied_document_only_what_differs_tells() {
        let terms = terms("- apply: controls/y.yaml\n");
        assert_eq!(terms.in_text("PortBindings"), None);
        assert_eq!(terms.in_text("`Memory`"), Some("Memory"));
    }

    #[test]
    fn a_json_patch_tells_by_its_path() {
        let terms = terms("- patch: {kind: Container, name: web, json: [{op: remove, path: /HostConfig/ShmSize}]}\n");
        assert_eq!(terms.in_text("ShmSize"), Some("ShmSize"));
    }
}
