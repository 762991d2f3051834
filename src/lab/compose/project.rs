//! The file as a whole: its name, networks, volumes, and the order of its services.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{
    Reader,
    service::{self, Condition},
};
use crate::{
    Document,
    yaml::{Data, Entry, Node},
};

/// What services refer to.
pub(super) struct Project {
    pub(super) name: String,
    /// Key in the file → name on the engine.
    pub(super) networks: BTreeMap<String, String>,
    pub(super) volumes: BTreeMap<String, String>,
    /// Service → its container's name.
    pub(super) containers: BTreeMap<String, String>,
}

/// The key of the network that a service without any is on.
pub(super) const DEFAULT: &str = "default";

pub(super) fn documents(reader: &mut Reader<'_>, root: &Node) -> Vec<Document> {
    let named = root.get("name").and_then(Node::as_text).map(str::to_owned);
    let named = named.or_else(|| reader.variables.get("COMPOSE_PROJECT_NAME").cloned());
    let Some(name) = named.filter(|name| is_name(name)) else {
        let help = "write `COMPOSE_PROJECT_NAME=shop` to `.env` (older tools know no `name`): the folder's own name differs everywhere";
        reader.error(root.place, "the project has no name of lower-case letters, digits, `-` and `_`", help);
        return Vec::new();
    };
    for entry in root.entries() {
        if !matches!(entry.key.as_str(), "name" | "version" | "services" | "networks" | "volumes")
            && !entry.key.starts_with("x-")
        {
            reader.unknown(entry.place, &entry.key, "a Compose file");
        }
    }
    let services = root.get("services").map(Node::entries).unwrap_or_default();
    if services.is_empty() {
        reader.error(root.place, "there are no `services`", "");
    }
    let mut project =
        Project { name, networks: BTreeMap::new(), volumes: BTreeMap::new(), containers: BTreeMap::new() };
    let mut documents = Vec::new();
    for (key, kind) in [("networks", "Network"), ("volumes", "Volume")] {
        for entry in root.get(key).map(Node::entries).unwrap_or_default() {
            documents.extend(part(reader, &mut project, kind, entry));
        }
    }
    if !project.networks.contains_key(DEFAULT) && services.iter().any(|entry| service::is_on_default(&entry.value)) {
        let body = json!({"Labels": labels(&project.name, "network", DEFAULT)});
        let name = format!("{}_{DEFAULT}", project.name);
        project.networks.insert(DEFAULT.to_owned(), name.clone());
        documents.insert(0, document(reader, "Network", name, body, root.place.line));
    }
    for entry in services {
        let own = entry.value.get("container_name").and_then(Node::as_text).map(str::to_owned);
        let name = own.unwrap_or_else(|| format!("{}-{}-1", project.name, entry.key));
        project.containers.insert(entry.key.clone(), name);
    }
    let mut made: BTreeMap<&str, (Document, BTreeMap<String, Condition>)> = BTreeMap::new();
    for entry in services {
        made.insert(&entry.key, service::document(reader, &project, entry));
    }
    let order = order(reader, services, &made);
    documents.extend(order.iter().filter_map(|name| made.remove(name.as_str())).map(|(document, _)| document));
    documents
}

fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit())
        && name.chars().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-' || it == '_')
}

/// The labels by which the tools know their own things again.
fn labels(project: &str, kind: &str, key: &str) -> Value {
    json!({"com.docker.compose.project": project, format!("com.docker.compose.{kind}"): key})
}

pub(super) fn document(reader: &Reader<'_>, kind: &str, name: String, body: Value, line: u32) -> Document {
    let file = reader.file.clone();
    Document { api_version: None, kind: kind.to_owned(), name, namespace: None, body, file, line }
}

/// A network or a volume; none for one that is not the project's own.
fn part(reader: &mut Reader<'_>, project: &mut Project, kind: &str, entry: &Entry) -> Option<Document> {
    let word = kind.to_ascii_lowercase();
    let mut body = json!({"Labels": labels(&project.name, &word, &entry.key)});
    let mut name = format!("{}_{}", project.name, entry.key);
    let mut is_external = false;
    for setting in entry.value.entries() {
        let value = &setting.value;
        match (kind, setting.key.as_str()) {
            (_, "name") => name = reader.text(value, "name")?,
            (_, "external") => is_external = matches!(value.data, Data::Bool(true)),
            (_, "driver") => body["Driver"] = json!(reader.text(value, "driver")?),
            (_, "driver_opts") => {
                let key = if kind == "Network" { "Options" } else { "DriverOpts" };
                let options = reader.pairs(value, "driver_opts").into_iter();
                body[key] =
                    options.map(|(key, value)| (key, json!(value.unwrap_or_default()))).collect::<Map<_, _>>().into();
            }
            (_, "labels") => {
                for (key, value) in reader.pairs(value, "labels") {
                    body["Labels"][key] = json!(value.unwrap_or_default());
                }
            }
            ("Network", "internal") => body["Internal"] = value.to_value(),
            ("Network", "attachable") => body["Attachable"] = value.to_value(),
            (_, other) => reader.unknown(setting.place, other, &format!("a {word}")),
        }
    }
    if is_external && !entry.value.entries().iter().any(|setting| setting.key == "name") {
        name.clone_from(&entry.key);
    }
    let known = if kind == "Network" { &mut project.networks } else { &mut project.volumes };
    known.insert(entry.key.clone(), name.clone());
    (!is_external).then(|| document(reader, kind, name, body, entry.place.line))
}

/// The services in the order in which they can be started.
fn order(
    reader: &mut Reader<'_>,
    services: &[Entry],
    made: &BTreeMap<&str, (Document, BTreeMap<String, Condition>)>,
) -> Vec<String> {
    let mut order: Vec<String> = Vec::new();
    let mut waiting: Vec<&Entry> = services.iter().collect();
    while !waiting.is_empty() {
        let known: BTreeSet<&str> = order.iter().map(String::as_str).collect();
        let needs = |entry: &&Entry| made.get(entry.key.as_str()).map(|(_, needs)| needs);
        let is_ready = |entry: &&Entry| needs(entry).is_none_or(|it| it.keys().all(|it| known.contains(it.as_str())));
        let (ready, rest): (Vec<&Entry>, Vec<&Entry>) = waiting.into_iter().partition(is_ready);
        if ready.is_empty() {
            for entry in rest {
                let names: Vec<&str> = needs(&entry).into_iter().flatten().map(|(name, _)| name.as_str()).collect();
                let message = format!("`{}` waits for what never comes before it: {}", entry.key, names.join(", "));
                reader.error(
                    entry.place,
                    message,
                    "look at `depends_on`: a circle, or a service that is not in the file",
                );
            }
            break;
        }
        order.extend(ready.into_iter().map(|entry| entry.key.clone()));
        waiting = rest;
    }
    order
}
