//! Reading a record: the manifests, and the watched objects.

use std::{collections::BTreeMap, fs, path::PathBuf};

use serde_json::{Value, json};

/// One recorded scenario.
pub struct Record {
    folder: PathBuf,
}

impl Record {
    /// A scenario's record, if there are records at all.
    pub fn find(scenario: &str) -> Option<Self> {
        let root = std::env::var_os("BREAKFIX_GOLDEN")
            .map(PathBuf::from)
            .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/golden"));
        let folder = root.join(scenario);
        if folder.is_dir() {
            return Some(Self { folder });
        }
        println!("skipped: no golden records");
        None
    }

    /// The manifests, their programs in terms of the workload.
    pub fn manifests(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.folder.join("input.yaml")).unwrap();
        let documents = text
            .split("\n---")
            .map(|document| document.trim_start_matches("---"))
            .filter(|document| !document.trim().is_empty());
        documents.map(read).collect()
    }

    /// Another file's only manifest.
    pub fn document(&self, file: &str) -> Value {
        read(fs::read_to_string(self.folder.join(file)).unwrap().trim_start_matches("---"))
    }

    /// The watched states of one kind, by object name, in their order.
    pub fn watched(&self, file: &str) -> BTreeMap<String, Vec<Value>> {
        let text = fs::read_to_string(self.folder.join(file)).unwrap();
        let mut states: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for line in text.lines() {
            let event: Value = serde_json::from_str(line).unwrap();
            let object = event["object"].clone();
            let name = object["metadata"]["name"].as_str().unwrap().to_owned();
            states.entry(name).or_default().push(object);
        }
        states
    }

    /// The events as they were in the end.
    pub fn events(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.folder.join("objects.json")).unwrap();
        let list: Value = serde_json::from_str(&text).unwrap();
        let items = list["items"].as_array().unwrap();
        items.iter().filter(|item| item["kind"] == "Event").cloned().collect()
    }
}

fn read(document: &str) -> Value {
    let mut object: Value = serde_saphyr::from_str(document).unwrap();
    for spec in ["/spec", "/spec/template/spec", "/spec/jobTemplate/spec/template/spec"] {
        for list in ["containers", "initContainers"] {
            let containers = object.pointer_mut(&format!("{spec}/{list}")).and_then(Value::as_array_mut);
            containers.into_iter().flatten().for_each(translate);
        }
    }
    object
}

/// The recorded image is busybox with a server called `/bin/serve`.
fn translate(container: &mut Value) {
    let command: Vec<String> =
        container["command"].as_array().into_iter().flatten().map(|word| word.as_str().unwrap().to_owned()).collect();
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    let translated = match words.as_slice() {
        ["/bin/serve"] => Some(json!(["/workload", "serve"])),
        // Loops that notice no SIGTERM.
        ["/bin/sh", "-c", script] if script.contains("while true") => Some(json!(["sleep", "infinity"])),
        ["/bin/sh", "-c", script] if script.contains("trap exit TERM") => {
            Some(json!(["/workload", "job", "--after=1h"]))
        }
        ["/bin/sh", "-c", script] if script.ends_with("exec /bin/serve") => Some(json!(["/workload", "serve"])),
        ["/bin/sh", "-c", script] if script.contains(">&2") => {
            Some(json!(["/bin/sh", "-c", script.replace(">&2", "")]))
        }
        _ => None,
    };
    if let Some(translated) = translated {
        container["command"] = translated;
    }
    for probe in ["readinessProbe", "livenessProbe", "startupProbe"] {
        // The recorded server knows no such page.
        if container[probe]["httpGet"]["path"] == "/healthz" {
            container[probe]["httpGet"]["path"] = json!("/nothing-here");
        }
        if container[probe].is_null() {
            container.as_object_mut().unwrap().remove(probe);
        }
    }
}
