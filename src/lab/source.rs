//! A lab's folder as bytes, wherever it lies: in the program or on the disk.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::Path,
    sync::Arc,
};

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    LoadedLab, Values,
    base::ALWAYS,
    house::HouseTexts,
    lab::Platform,
    load::{self, LAB_FILE, Loading},
    problem::{Place, Problem, Problems},
    values::ValuesError,
    yaml,
};

/// The most files that a lab's folder may hold.
pub const FILES_MAX: usize = 200;
/// How deep its folders may be nested.
const DEPTH_MAX: usize = 4;

/// Whether a file or folder, by its path within the lab, is part of it. Hidden ones are only where the learner works (`.dockerignore`, `.env`);
/// what an editor, a desktop or git leaves is none anywhere. The program's own labs are chosen alike (`build.rs`).
fn is_of_the_lab(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let left_behind = name.ends_with('~') || name.ends_with(".swp") || [".git", ".DS_Store"].contains(&name);
    !left_behind && (!name.starts_with('.') || path.starts_with("work/"))
}

/// One lab's folder: its files by their path within it, not yet read.
#[derive(Clone, Debug)]
pub struct LabSource {
    name: String,
    root: String,
    files: BTreeMap<String, Cow<'static, [u8]>>,
    houses: Arc<HouseTexts>,
    problems: Vec<Problem>,
}

/// Why a lab's parameters have no values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SeedError {
    /// The lab cannot be read.
    #[error(transparent)]
    Lab(#[from] Problems),
    /// The lab can be read, but the machine has no value for a parameter.
    #[error(transparent)]
    Values(#[from] ValuesError),
}

impl LabSource {
    /// A lab from files in memory. `root` is how messages name the folder; its last part is the lab's name.
    pub fn from_files(root: &str, files: BTreeMap<String, Cow<'static, [u8]>>, houses: Arc<HouseTexts>) -> Self {
        let name = root.rsplit('/').next().unwrap_or(root).to_owned();
        Self { name, root: root.to_owned(), files, houses, problems: Vec::new() }
    }

    /// A lab from a folder of the disk. Files that may not be read (links, too large) become problems of the lab.
    ///
    /// # Errors
    /// The folder itself cannot be listed.
    pub fn from_folder(folder: &Path, houses: Arc<HouseTexts>) -> io::Result<Self> {
        let shown = folder.to_string_lossy();
        let shown = shown.trim_end_matches('/');
        // `lab lint .` names no folder.
        let full = folder.canonicalize()?;
        let name = full.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let mut source = Self { name, root: shown.to_owned(), files: BTreeMap::new(), houses, problems: Vec::new() };
        source.collect(folder, "", 0)?;
        Ok(source)
    }

    fn collect(&mut self, folder: &Path, below: &str, depth: usize) -> io::Result<()> {
        let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                self.refuse(below, "a file's name is not UTF-8", "rename it");
                continue;
            };
            let path = format!("{below}{name}");
            if !is_of_the_lab(&path) {
                continue;
            }
            let kind = entry.file_type()?;
            if kind.is_dir() {
                if depth >= DEPTH_MAX {
                    self.refuse(&path, "folders are nested too deeply", "keep to `system/` and `controls/`");
                    continue;
                }
                self.collect(&entry.path(), &format!("{path}/"), depth + 1)?;
            } else if !kind.is_file() {
                // A link could pull a file of the learner's machine into the lab.
                self.refuse(&path, "this is not a plain file", "replace the link by the file");
            } else if self.files.len() >= FILES_MAX {
                self.refuse(&path, "the folder holds more than 200 files", "take out what is no part of the lab");
                return Ok(());
            } else if entry.metadata()?.len() > 1024 * 1024 {
                self.refuse(&path, "the file is larger than 1 MiB", "labs are small; let the workload make large data");
            } else {
                match fs::read(entry.path()) {
                    Ok(bytes) => {
                        self.files.insert(path, Cow::Owned(bytes));
                    }
                    Err(error) => self.refuse(&path, &format!("cannot be read: {error}"), "check the permissions"),
                }
            }
        }
        Ok(())
    }

    fn refuse(&mut self, path: &str, message: &str, help: &str) {
        let file = self.shown(path);
        self.problems.push(Problem::error("files", &file, Place::default(), message).help(help));
    }

    /// The folder's name, which is the lab's.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The folder as messages name it: `labs/docker/page-not-there`.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// A file of the folder as messages name it.
    pub fn shown(&self, path: &str) -> String {
        let part = path.strip_prefix("base/").and_then(|part| part.strip_suffix(".yaml"));
        let shared = part.and_then(|part| self.houses.bases.0.iter().find(|((_, known), _)| known == part));
        match shared {
            Some((_, text)) => text.shown.clone(),
            None if path.is_empty() => self.root.clone(),
            None => format!("{}/{path}", self.root),
        }
    }

    /// The files by their path within the folder, `/` between its parts.
    pub fn files(&self) -> &BTreeMap<String, Cow<'static, [u8]>> {
        &self.files
    }

    /// The house rules that lie beside it.
    pub fn houses(&self) -> &HouseTexts {
        &self.houses
    }

    /// What was wrong with the folder before any file was read.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The platform that `lab.yaml` names, without reading the rest; `None` where it names none that is known.
    pub fn platform(&self) -> Option<Platform> {
        let (page, _) = yaml::read(LAB_FILE, self.files.get(LAB_FILE)?);
        Platform::named(page.documents.first()?.get("platform")?.as_text()?)
    }

    /// The parts of shared systems that `lab.yaml` asks for; `None` where that cannot be read.
    fn base_parts(&self) -> Option<BTreeSet<(Platform, String)>> {
        let platform = self.platform()?;
        let (page, _) = yaml::read(LAB_FILE, self.files.get(LAB_FILE)?);
        let base = page.documents.first()?.get("base").map(yaml::Node::to_value).unwrap_or_default();
        let base: BTreeMap<String, Vec<String>> = match base {
            Value::Null => BTreeMap::new(),
            base => serde_json::from_value(base).ok()?,
        };
        let parts = base.iter().flat_map(|(name, parts)| {
            let parts = parts.iter().map(String::as_str).chain([ALWAYS]);
            parts.map(move |part| (platform, format!("{name}/{part}")))
        });
        Some(parts.collect())
    }

    /// SHA-256 in lower-case hex over every file's path, length and bytes, in the order of the paths, and what it takes of shared systems.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for (path, bytes) in &self.files {
            hash.update(path.as_bytes());
            hash.update([0]);
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        }
        // What it takes of the systems that labs share is part of it; what only others take is not.
        let taken = self.base_parts();
        for ((platform, part), text) in &self.houses.bases.0 {
            if taken.as_ref().is_none_or(|taken| taken.contains(&(*platform, part.clone()))) {
                hash.update(part.as_bytes());
                hash.update((text.bytes.len() as u64).to_be_bytes());
                hash.update(&text.bytes);
            }
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Reads everything, with the parameters' first values where none are given: the lab, if it can be understood,
    /// and all that is wrong with it.
    pub fn examine(&self, values: Option<&Values>) -> Loading {
        load::load(self, values)
    }

    /// The lab with its parameters' first values.
    ///
    /// # Errors
    /// All problems, when at least one is an error.
    pub fn load(&self) -> Result<LoadedLab, Problems> {
        self.examine(None).into_result()
    }

    /// The lab with these values of its parameters (those of a session).
    ///
    /// # Errors
    /// All problems, when at least one is an error.
    pub fn load_with(&self, values: &Values) -> Result<LoadedLab, Problems> {
        self.examine(Some(values)).into_result()
    }

    /// Chooses values for the lab's parameters; see [`Values::resolve`].
    ///
    /// # Errors
    /// The lab cannot be read, or a parameter can have no value.
    pub fn values(
        &self,
        seed: Option<u64>,
        free_port: &mut dyn FnMut(u16) -> Option<u16>,
    ) -> Result<Values, SeedError> {
        let lab = self.load()?;
        Ok(Values::resolve(&lab.lab.parameters, seed, free_port)?)
    }
}
