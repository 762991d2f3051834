//! A tree of YAML values with their places.

use serde_json::{Map, Number, Value};

use crate::problem::Place;

/// One value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub place: Place,
    pub data: Data,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    Null,
    Bool(bool),
    Number(Number),
    Text {
        text: String,
        /// Tagged `!!str`: stays text whatever is filled in.
        keep: bool,
        /// A text that was nothing but one `${parameter}` with a number: taken where a number is wanted.
        number: Option<Number>,
    },
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One key of a mapping with its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub key: String,
    pub place: Place,
    pub value: Node,
}

impl Node {
    /// The value under a key of a mapping.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// A key of a mapping.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.data {
            Data::Map(entries) => entries.iter().find(|entry| entry.key == key),
            _ => None,
        }
    }

    /// The text of a text.
    pub fn as_text(&self) -> Option<&str> {
        match &self.data {
            Data::Text { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The entries of a list; none for anything else.
    pub fn items(&self) -> &[Node] {
        match &self.data {
            Data::List(items) => items,
            _ => &[],
        }
    }

    /// The keys of a mapping; none for anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.data {
            Data::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The place of what the steps (keys and indexes) lead to: a mapping's key, a list's entry; the nearest thing
    /// above where they lead nowhere.
    pub fn place_of(&self, steps: &[&str]) -> Place {
        let (mut node, mut place) = (self, self.place);
        for step in steps {
            if let Some(entry) = node.entry(step) {
                (node, place) = (&entry.value, entry.place);
            } else if let Some(item) = step.parse().ok().and_then(|index: usize| node.items().get(index)) {
                (node, place) = (item, item.place);
            } else {
                break;
            }
        }
        place
    }

    /// The value without its places.
    pub fn to_value(&self) -> Value {
        match &self.data {
            Data::Null => Value::Null,
            Data::Bool(value) => Value::Bool(*value),
            Data::Number(number) => Value::Number(number.clone()),
            Data::Text { number: Some(number), .. } => Value::Number(number.clone()),
            Data::Text { text, .. } => Value::String(text.clone()),
            Data::List(items) => Value::Array(items.iter().map(Node::to_value).collect()),
            Data::Map(entries) => {
                let mut map = Map::new();
                for entry in entries {
                    map.insert(entry.key.clone(), entry.value.to_value());
                }
                Value::Object(map)
            }
        }
    }

    /// What the value is, in words: `the text "ten"`, `a list`.
    pub fn describe(&self) -> String {
        match &self.data {
            Data::Null => "nothing".to_owned(),
            Data::Bool(value) => format!("`{value}`"),
            Data::Number(number) => format!("the number {number}"),
            Data::Text { text, .. } if text.chars().count() <= 40 && !text.contains('\n') => {
                format!("the text `{text}`")
            }
            Data::Text { .. } => "a longer text".to_owned(),
            Data::List(_) => "a list".to_owned(),
            Data::Map(_) => "a mapping".to_owned(),
        }
    }
}
