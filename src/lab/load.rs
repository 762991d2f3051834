//! A folder's bytes → a [`LoadedLab`], with everything that is wrong said at once.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Document, Lab, LabSource, LoadedLab, Values,
    base::{BASE_FOLDER, NoPart, lay_over},
    compose,
    decode::decode,
    fill::Fill,
    house,
    lab::{Parameter, Platform},
    problem::{Place, Problem, Problems},
    schema, shape,
    values::LATER,
    yaml::{self, Node, Page},
};

/// What came of reading a lab.
#[derive(Debug)]
pub struct Loading {
    /// The lab, where enough of it could be understood.
    pub lab: Option<LoadedLab>,
    /// All that is wrong, sorted by file and place.
    pub problems: Vec<Problem>,
}

impl Loading {
    /// The lab, unless one of the problems is an error.
    ///
    /// # Errors
    /// All problems, when at least one is an error.
    pub fn into_result(self) -> Result<LoadedLab, Problems> {
        Problems::refuse(self.lab, self.problems)
    }
}

/// The path of the file that makes a folder a lab.
pub(crate) const LAB_FILE: &str = "lab.yaml";
/// The path of the text that ends a lab.
pub(crate) const DEBRIEF_FILE: &str = "debrief.md";

/// Where the files lie that the learner works on.
pub(crate) const WORK: &str = "work/";

/// Whether a path of the folder is a YAML file of the lab's; one that the learner works on is a text like any other.
pub(crate) fn is_yaml(path: &str) -> bool {
    (path.ends_with(".yaml") || path.ends_with(".yml")) && !path.starts_with(WORK)
}

/// The texts of the work folder by their paths in it.
pub(crate) fn work_texts(texts: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let own = texts.iter().filter_map(|(path, text)| Some((path.strip_prefix(WORK)?.to_owned(), text.clone())));
    own.collect()
}

/// Reads a lab with these values, or with the parameters' first ones.
pub(crate) fn load(source: &LabSource, values: Option<&Values>) -> Loading {
    let mut problems = source.problems().to_vec();
    let lab = read(source, values, &mut problems);
    problems.sort();
    problems.dedup();
    Loading { lab, problems }
}

fn read(source: &LabSource, values: Option<&Values>, problems: &mut Vec<Problem>) -> Option<LoadedLab> {
    let file = source.shown(LAB_FILE);
    let Some(bytes) = source.files().get(LAB_FILE) else {
        let problem = Problem::error("files", &file, Place::default(), "there is no lab.yaml");
        problems.push(problem.help("a lab is a folder with lab.yaml, system/ and debrief.md"));
        return None;
    };
    let (mut page, found) = yaml::read(&file, bytes);
    let readable = found.is_empty();
    problems.extend(found);
    if page.documents.len() > 1 {
        let place = page.documents.get(1).map(|node| node.place).unwrap_or_default();
        let problem = Problem::error("format", &file, place, "lab.yaml has a second document");
        problems.push(problem.help("the system's documents belong to system/"));
        return None;
    }
    let Some(root) = page.documents.first_mut() else {
        if readable {
            problems.push(Problem::error("format", &file, Place::default(), "lab.yaml is empty"));
        }
        return None;
    };

    let parameters = parameters(&file, root, problems);
    let first = parameters.and_then(|parameters| first_values(&file, root, &parameters, problems));
    let filled = values.is_some() || first.is_some();
    let first = first.unwrap_or_default();
    let values = values.unwrap_or(&first);
    let mut fill = Fill::new(values);
    fill_lab(&mut fill, &file, root);
    let lab: Option<Lab> = decode(&file, root, schema::lab(), problems);
    // Even a lab.yaml that cannot be decoded says which platform the documents are for.
    let platform = match &lab {
        Some(lab) => Some(lab.platform),
        None => root.get("platform").and_then(Node::as_text).and_then(Platform::named),
    };

    let mut folder = Folder { pages: BTreeMap::from([(LAB_FILE.to_owned(), page)]), ..Folder::default() };
    if let Some(platform) = platform {
        let base = lab.as_ref().map(|lab| &lab.base);
        folder.read(source, platform, base, &mut fill, problems);
    }
    let debrief = debrief(source, &mut fill, problems);
    let texts = texts(source, &mut fill, problems);
    if platform == Some(Platform::Docker) {
        folder.compose(source, &texts, problems);
    }
    let (used, unfilled) = (fill.used, fill.problems);
    // Without values every `${name}` would be called unknown.
    if filled {
        problems.extend(unfilled);
    }

    let mut loaded = LoadedLab {
        lab: lab?,
        documents: folder.documents,
        files: folder.files,
        texts,
        debrief,
        values: values.clone(),
        source: source.clone(),
        safeguards: Vec::new(),
        pages: folder.pages,
        used,
        filled,
    };
    house::apply(&mut loaded, problems);
    shape::check(&loaded, problems);
    Some(loaded)
}

/// The parameters' values without a seed.
fn first_values(
    file: &str,
    root: &Node,
    parameters: &BTreeMap<String, Parameter>,
    problems: &mut Vec<Problem>,
) -> Option<Values> {
    Values::resolve(parameters, None, &mut Some)
        .map_err(|error| {
            problems.push(Problem::error("parameters", file, root.place_of(&["parameters"]), error.to_string()))
        })
        .ok()
}

/// The declared parameters; `None` where they cannot be read (the decoding says why).
fn parameters(file: &str, root: &Node, problems: &mut Vec<Problem>) -> Option<BTreeMap<String, Parameter>> {
    let Some(node) = root.get("parameters") else { return Some(BTreeMap::new()) };
    for entry in node.entries() {
        let fits = entry.key.starts_with(|first: char| first.is_ascii_lowercase())
            && entry
                .key
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte));
        if LATER.contains(&entry.key.as_str()) {
            let message = format!("`{}` is what the checks fill in", entry.key);
            let problem = Problem::error("parameters", file, entry.place, message);
            problems.push(problem.help("choose another name"));
        } else if !fits {
            let problem =
                Problem::error("parameters", file, entry.place, format!("`{}` cannot be a parameter", entry.key));
            problems.push(problem.help("use lower-case letters, digits, `_` and `-`"));
        }
    }
    decode(file, node, schema::parameters(), &mut Vec::new())
}

/// Fills everything but the parameters themselves in.
fn fill_lab(fill: &mut Fill<'_>, file: &str, root: &mut Node) {
    if let yaml::Data::Map(entries) = &mut root.data {
        for entry in entries.iter_mut().filter(|entry| entry.key != "parameters") {
            // Starting at the key keeps the places of keys out of it: those of a lab are fixed words.
            fill.node(file, &mut entry.value);
        }
    }
}

/// The YAML files beside `lab.yaml`.
#[derive(Default)]
struct Folder {
    pages: BTreeMap<String, Page>,
    documents: Vec<Document>,
    files: BTreeMap<String, Vec<Document>>,
}

impl Folder {
    fn read(
        &mut self,
        source: &LabSource,
        platform: Platform,
        base: Option<&BTreeMap<String, Vec<String>>>,
        fill: &mut Fill<'_>,
        problems: &mut Vec<Problem>,
    ) {
        let base = base.map_or_else(Vec::new, |base| self.base(source, platform, base, fill, problems));
        for (path, bytes) in source.files().iter().filter(|(path, _)| is_yaml(path) && *path != LAB_FILE) {
            let file = source.shown(path);
            let (mut page, found) = yaml::read(&file, bytes);
            problems.extend(found);
            let mut documents = Vec::new();
            for node in &mut page.documents {
                fill.node(&file, node);
                documents.extend(Document::read(platform, path, &file, node, problems));
            }
            if path.starts_with("system/") {
                self.documents.extend(documents);
            } else {
                self.files.insert(path.clone(), documents);
            }
            self.pages.insert(path.clone(), page);
        }
        let is_compose = platform == Platform::Docker
            && compose::FILES.iter().any(|name| source.files().contains_key(&format!("{WORK}{name}")));
        if !(is_compose || !base.is_empty() || self.pages.keys().any(|path| path.starts_with("system/"))) {
            let problem =
                Problem::error("files", &source.shown("system"), Place::default(), "there is no healthy system");
            problems.push(problem.help("write its documents to system/*.yaml"));
        }
        self.documents = lay_over(base, std::mem::take(&mut self.documents));
        self.no_object_twice(source, problems);
    }

    /// The documents of the shared systems' parts that the lab takes.
    fn base(
        &mut self,
        source: &LabSource,
        platform: Platform,
        base: &BTreeMap<String, Vec<String>>,
        fill: &mut Fill<'_>,
        problems: &mut Vec<Problem>,
    ) -> Vec<Document> {
        let mut documents = Vec::new();
        for (name, parts) in base {
            let parts = match source.houses().bases.parts(platform, name, parts) {
                Ok(parts) => parts,
                Err(NoPart { index, message, help }) => {
                    let index = index.map(|index| index.to_string());
                    let steps: Vec<&str> = ["base", name].into_iter().chain(index.as_deref()).collect();
                    let root = self.pages.get(LAB_FILE).and_then(|page| page.documents.first());
                    let place = root.map(|root| root.place_of(&steps)).unwrap_or_default();
                    let mut problem = Problem::error("base", &source.shown(LAB_FILE), place, message);
                    problem.help = help;
                    problems.push(problem);
                    continue;
                }
            };
            for (part, text) in parts {
                let (mut page, found) = yaml::read(&text.shown, &text.bytes);
                problems.extend(found);
                let path = format!("{BASE_FOLDER}/{part}.yaml");
                for node in &mut page.documents {
                    fill.node(&text.shown, node);
                    documents.extend(Document::read(platform, &path, &text.shown, node, problems));
                }
                self.pages.insert(path, page);
            }
        }
        documents
    }

    /// What the Compose file of the work folder says is part of the system.
    fn compose(&mut self, source: &LabSource, texts: &BTreeMap<String, String>, problems: &mut Vec<Problem>) {
        match compose::read(&source.shown(WORK), &work_texts(texts), &BTreeMap::new()) {
            Ok(documents) => {
                for mut document in documents {
                    document.file = document.file.replace(&source.shown(WORK), WORK);
                    self.documents.push(document);
                }
                self.no_object_twice(source, problems);
            }
            Err(found) => problems.extend(found),
        }
    }

    fn no_object_twice(&self, source: &LabSource, problems: &mut Vec<Problem>) {
        let mut seen = BTreeSet::new();
        for document in &self.documents {
            if !seen.insert((&document.kind, &document.name, &document.namespace)) {
                let place = Place { line: document.line, column: 1 };
                let message = format!("the {} `{}` stands in system/ twice", document.kind, document.name);
                problems.push(Problem::error("document", &source.shown(&document.file), place, message));
            }
        }
    }
}

/// Everything that is neither YAML of the lab's nor the debrief.
fn texts(source: &LabSource, fill: &mut Fill<'_>, problems: &mut Vec<Problem>) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    for (path, bytes) in source.files().iter().filter(|(path, _)| !is_yaml(path) && *path != DEBRIEF_FILE) {
        let file = source.shown(path);
        match yaml::text_of(&file, bytes) {
            Ok(text) => drop(texts.insert(path.clone(), fill.text(&file, text))),
            Err(problem) => problems.push(*problem),
        }
    }
    texts
}

fn debrief(source: &LabSource, fill: &mut Fill<'_>, problems: &mut Vec<Problem>) -> String {
    let Some(bytes) = source.files().get(DEBRIEF_FILE) else { return String::new() };
    let file = source.shown(DEBRIEF_FILE);
    match yaml::text_of(&file, bytes) {
        Ok(text) => fill.text(&file, text),
        Err(problem) => {
            problems.push(*problem);
            String::new()
        }
    }
}

#[cfg(test)]
mod tests;
