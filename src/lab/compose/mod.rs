//! A Compose file as documents of the Engine API, with the names and labels that `docker compose` and `docker-compose` give: either tool
//! goes on with what was made from them.
//!
//! Source: the Compose Specification (compose-spec.io). What is not understood is an error, never left out.

mod project;
mod service;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeMap;

use crate::{
    Document,
    problem::{Place, Problem},
    yaml::{self, Data, Node},
};
pub use service::{Condition, conditions, service_of};

/// The names that a Compose file may have, the preferred one first.
pub const FILES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];

/// The variables of a project stand beside its file.
const VARIABLES: &str = ".env";

/// Whether a folder (its texts by their paths) holds a Compose file.
pub fn is_in(texts: &BTreeMap<String, String>) -> bool {
    FILES.iter().any(|name| texts.contains_key(*name))
}

/// The documents of a folder's Compose file: networks, volumes, then containers, those that are depended on first. Empty: there is none.
/// `folder` is put before the names of files in problems and documents (`work/`); `variables` count more than those of `.env`.
///
/// # Errors
/// What cannot be read or is not understood, with its place.
pub fn read(
    folder: &str,
    texts: &BTreeMap<String, String>,
    variables: &BTreeMap<String, String>,
) -> Result<Vec<Document>, Vec<Problem>> {
    let Some((name, text)) = FILES.iter().find_map(|name| texts.get_key_value(*name)) else { return Ok(Vec::new()) };
    let file = format!("{folder}{name}");
    let (mut page, mut problems) = yaml::read(&file, text.as_bytes());
    let mut known = texts.get(VARIABLES).map(|text| text::variables(text)).unwrap_or_default();
    known.extend(variables.clone());
    let mut reader = Reader { file, texts, variables: known, problems: Vec::new() };
    let documents = match page.documents.first_mut() {
        Some(root) if problems.is_empty() => {
            reader.fill(root);
            project::documents(&mut reader, root)
        }
        _ => Vec::new(),
    };
    problems.append(&mut reader.problems);
    if problems.is_empty() { Ok(documents) } else { Err(problems) }
}

/// What reading one file needs, and what was found wrong.
struct Reader<'a> {
    file: String,
    texts: &'a BTreeMap<String, String>,
    variables: BTreeMap<String, String>,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn error(&mut self, place: Place, message: impl Into<String>, help: &str) {
        let problem = Problem::error("compose", &self.file, place, message.into());
        self.problems.push(if help.is_empty() { problem } else { problem.help(help) });
    }

    /// A key that has no meaning here.
    fn unknown(&mut self, place: Place, key: &str, of: &str) {
        self.error(place, format!("`{key}` of {of} is not understood here"), "breakfix reads a part of Compose");
    }

    /// Puts the variables into every text.
    fn fill(&mut self, node: &mut Node) {
        match &mut node.data {
            Data::Text { text, .. } if text.contains('$') => match text::filled(text, &self.variables) {
                Ok(filled) => *text = filled,
                Err(name) => {
                    let message = format!("the variable `{name}` has no value");
                    let place = node.place;
                    self.error(place, message, "give it one in `.env`, or a default: `${NAME:-default}`");
                }
            },
            Data::List(items) => items.iter_mut().for_each(|item| self.fill(item)),
            Data::Map(entries) => entries.iter_mut().for_each(|entry| self.fill(&mut entry.value)),
            _ => {}
        }
    }

    /// A text, or a number or truth value as one.
    fn text(&mut self, node: &Node, of: &str) -> Option<String> {
        let text = text::of(node);
        if text.is_none() {
            self.error(node.place, format!("`{of}` wants a text, not {}", node.describe()), "");
        }
        text
    }

    /// A list of texts, or one text.
    fn list(&mut self, node: &Node, of: &str) -> Vec<String> {
        match &node.data {
            Data::List(items) => items.iter().filter_map(|item| self.text(item, of)).collect(),
            _ => self.text(node, of).into_iter().collect(),
        }
    }

    /// `KEY: value` or `- KEY=value`; a key without a value has none.
    fn pairs(&mut self, node: &Node, of: &str) -> Vec<(String, Option<String>)> {
        match &node.data {
            Data::Map(entries) => entries
                .iter()
                .filter_map(|entry| match entry.value.data {
                    Data::Null => Some((entry.key.clone(), None)),
                    _ => Some((entry.key.clone(), Some(self.text(&entry.value, of)?))),
                })
                .collect(),
            _ => self
                .list(node, of)
                .iter()
                .map(|line| match line.split_once('=') {
                    Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
                    None => (line.clone(), None),
                })
                .collect(),
        }
    }
}
