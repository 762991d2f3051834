//! The labs that breakfix knows: those inside the program and those of the learner's own folders.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    LabSource,
    base::{BASE_FOLDER, Bases},
    embedded::{self, HOUSE_FILE},
    house::{HouseText, HouseTexts},
    lab::Platform,
    load::LAB_FILE,
    suggest,
};

/// Labs by platform and name.
///
/// ```
/// let catalogue = breakfix_lab::Catalogue::embedded();
/// for source in catalogue.list() {
///     println!("{} {}", source.name(), source.digest());
/// }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    labs: BTreeMap<(Platform, String), LabSource>,
}

/// Why a lab or a folder of labs cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// No lab has this name.
    #[error("there is no lab `{name}`{}", hint_text(.suggestion.as_deref()))]
    Unknown { name: String, suggestion: Option<String> },
    /// Two platforms have a lab of this name.
    #[error("`{name}` is a lab of {}; write `{}/{name}`", .platforms.join(" and of "), .platforms.first().map_or("", |first| first))]
    Ambiguous { name: String, platforms: Vec<String> },
    /// A `--labs` folder cannot be listed.
    #[error("the labs in {} cannot be read; check the path and its permissions", .folder.display())]
    Unreadable { folder: PathBuf, source: io::Error },
    /// A `--labs` folder holds no lab.
    #[error("{} holds no labs; a lab is a folder <platform>/<name>/ with a lab.yaml", .folder.display())]
    Empty { folder: PathBuf },
}

fn hint_text(suggestion: Option<&str>) -> String {
    suggestion.map_or_else(|| "; `breakfix list` shows all".to_owned(), |near| format!("; did you mean `{near}`?"))
}

impl Catalogue {
    /// The labs inside the program.
    pub fn embedded() -> Self {
        let mut catalogue = Self::default();
        for source in embedded::labs() {
            let platform = source.root().split('/').nth(1).and_then(Platform::named);
            if let Some(platform) = platform {
                catalogue.labs.insert((platform, source.name().to_owned()), source);
            }
        }
        catalogue
    }

    /// Adds the labs of a folder: `<platform>/<name>/lab.yaml` below it, or the folder of one lab itself. A lab of the same
    /// platform and name takes the place of the one that was known. The folder's own `<platform>/house.yaml`
    /// takes the place of the program's for its labs.
    ///
    /// # Errors
    /// The folder cannot be listed, or holds no lab. What is wrong inside a lab is found when it is loaded.
    pub fn add_folder(&mut self, folder: &Path) -> Result<(), CatalogueError> {
        let unreadable = |source| CatalogueError::Unreadable { folder: folder.to_owned(), source };
        let sources = if folder.join(LAB_FILE).is_file() {
            let houses = Arc::new(houses_around(folder).map_err(unreadable)?);
            let source = LabSource::from_folder(folder, houses).map_err(unreadable)?;
            let platform = source.platform().unwrap_or(Platform::Kubernetes);
            vec![(platform, source)]
        } else {
            read_folder(folder).map_err(unreadable)?
        };
        if sources.is_empty() {
            return Err(CatalogueError::Empty { folder: folder.to_owned() });
        }
        for (platform, source) in sources {
            self.labs.insert((platform, source.name().to_owned()), source);
        }
        Ok(())
    }

    /// All labs, by platform and name.
    pub fn list(&self) -> impl Iterator<Item = &LabSource> {
        self.labs.values()
    }

    /// The lab called `name`, or `platform/name`.
    ///
    /// # Errors
    /// No lab is called so (with the nearest name), or labs of two platforms are.
    pub fn find(&self, name: &str) -> Result<&LabSource, CatalogueError> {
        let (platform, bare) = match name.split_once('/') {
            Some((platform, bare)) => (Platform::named(platform), bare),
            None => (None, name),
        };
        let found: Vec<_> = self
            .labs
            .iter()
            .filter(|((on, lab), _)| lab == bare && platform.is_none_or(|platform| platform == *on))
            .collect();
        match found.as_slice() {
            [(_, source)] => Ok(*source),
            [] => {
                let names = self.labs.keys().map(|(_, lab)| lab.as_str());
                let suggestion = suggest::nearest(bare, names).map(str::to_owned);
                Err(CatalogueError::Unknown { name: name.to_owned(), suggestion })
            }
            several => {
                let platforms = several.iter().map(|((on, _), _)| on.as_str().to_owned()).collect();
                Err(CatalogueError::Ambiguous { name: name.to_owned(), platforms })
            }
        }
    }
}

/// The labs below a folder of labs.
fn read_folder(folder: &Path) -> io::Result<Vec<(Platform, LabSource)>> {
    // The folder itself must be there; that of a platform need not.
    fs::read_dir(folder)?;
    let houses = Arc::new(houses_of(folder)?);
    let mut sources = Vec::new();
    for platform in Platform::ALL {
        let below = folder.join(platform.as_str());
        if !below.is_dir() {
            continue;
        }
        let mut labs = fs::read_dir(&below)?.collect::<io::Result<Vec<_>>>()?;
        labs.sort_by_key(fs::DirEntry::file_name);
        for lab in labs {
            let hidden = lab.file_name().as_encoded_bytes().first() == Some(&b'.') || lab.file_name() == BASE_FOLDER;
            if !hidden && lab.path().is_dir() {
                sources.push((platform, LabSource::from_folder(&lab.path(), Arc::clone(&houses))?));
            }
        }
    }
    Ok(sources)
}

/// The same for the folder of one lab: where it lies among others, it shares what they share.
fn houses_around(lab: &Path) -> io::Result<HouseTexts> {
    let lab = std::path::absolute(lab)?;
    let platform = lab.parent();
    let is_platform = platform.and_then(Path::file_name).and_then(|name| Platform::named(name.to_str()?)).is_some();
    match platform.and_then(Path::parent).filter(|_| is_platform) {
        Some(labs) => houses_of(labs),
        None => Ok(embedded::houses()),
    }
}

/// The program's house rules and shared systems, each replaced by the folder's own where it has some.
fn houses_of(folder: &Path) -> io::Result<HouseTexts> {
    let mut houses = embedded::houses();
    for platform in Platform::ALL {
        let path = folder.join(platform.as_str()).join(HOUSE_FILE);
        match fs::read(&path) {
            Ok(bytes) => {
                let shown = path.to_string_lossy().into_owned();
                houses.rules.insert(platform, HouseText { shown, bytes: Cow::Owned(bytes) });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        add_bases(&folder.join(platform.as_str()).join(BASE_FOLDER), platform, &mut houses.bases)?;
    }
    Ok(houses)
}

/// The parts of the shared systems in a folder: `<base>/<part>.yaml`.
fn add_bases(folder: &Path, platform: Platform, bases: &mut Bases) -> io::Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for base in fs::read_dir(folder)? {
        let base = base?;
        if !base.file_type()?.is_dir() {
            continue;
        }
        for part in fs::read_dir(base.path())? {
            let path = part?.path();
            let below = format!("{}/{BASE_FOLDER}/{}", platform.as_str(), base.file_name().to_string_lossy());
            let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if let Some(key) = Bases::part_of(&format!("{below}/{file}")) {
                let shown = path.to_string_lossy().into_owned();
                bases.0.insert(key, HouseText { shown, bytes: Cow::Owned(fs::read(&path)?) });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
