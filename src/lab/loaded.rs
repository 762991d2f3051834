//! A lab that was read: types, documents and texts, with its parameters filled in.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Document, Lab, LabSource, Values,
    lab::{Platform, Safeguard},
    problem::Place,
    yaml::Page,
};

/// Everything a lab says, for one choice of its parameters' values.
#[derive(Clone, Debug)]
pub struct LoadedLab {
    pub lab: Lab,
    /// The healthy system: the documents of `system/*.yaml`, by file name and then as they stand.
    pub documents: Vec<Document>,
    /// The documents of every other YAML file by its path within the folder (`controls/service.yaml`).
    pub files: BTreeMap<String, Vec<Document>>,
    /// Every other text of the folder by its path: the learner's work folder below `work/`, and what controls write into it.
    pub texts: BTreeMap<String, String>,
    /// The text of `debrief.md`; empty where there is none.
    pub debrief: String,
    /// What its parameters stand for.
    pub values: Values,
    /// Where it was read from.
    pub source: LabSource,
    pub(crate) safeguards: Vec<Safeguard>,
    /// The YAML files with their places, by path.
    pub(crate) pages: BTreeMap<String, Page>,
    /// The parameters that stand somewhere in the files.
    pub(crate) used: BTreeSet<String>,
    /// Whether all parameters could be given a value.
    pub(crate) filled: bool,
}

impl LoadedLab {
    /// The id: the lab's name.
    pub fn id(&self) -> &str {
        &self.lab.metadata.name
    }

    /// Which API the lab speaks.
    pub fn platform(&self) -> Platform {
        self.lab.platform
    }

    /// The lab's own namespace: the name of the first Namespace document of `system/`. `None` for Docker.
    pub fn namespace(&self) -> Option<&str> {
        let own = self.documents.iter().find(|document| document.kind == "Namespace" && document.api_version.is_some());
        own.map(|document| document.name.as_str())
    }

    /// All that must not be broken on the way: the platform's house rules, less what the lab lifts, then its own.
    pub fn safeguards(&self) -> &[Safeguard] {
        &self.safeguards
    }

    /// The documents of a file that a change applies.
    pub fn applied(&self, path: &str) -> Option<&[Document]> {
        self.files.get(path).map(Vec::as_slice)
    }

    /// Where something stands in `lab.yaml`: keys and indexes from the root.
    pub fn place_of(&self, steps: &[impl AsRef<str>]) -> Place {
        let steps: Vec<&str> = steps.iter().map(AsRef::as_ref).collect();
        let root = self.pages.get("lab.yaml").and_then(|page| page.documents.first());
        root.map(|root| root.place_of(&steps)).unwrap_or_default()
    }
}
