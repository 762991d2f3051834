//! The labs of the repository, inside the program. `build.rs` writes the list.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use crate::{
    LabSource,
    base::{BASE_FOLDER, Bases},
    house::{HouseText, HouseTexts},
    lab::Platform,
};

/// Every file below `labs/` by its path.
static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/labs.rs"));

/// The name of the file with a platform's house rules.
pub(crate) const HOUSE_FILE: &str = "house.yaml";

/// The house rules and the shared systems of the repository.
pub fn houses() -> HouseTexts {
    let mut houses = HouseTexts::default();
    for (path, bytes) in FILES {
        let text = || HouseText { shown: format!("labs/{path}"), bytes: Cow::Borrowed(*bytes) };
        if let Some((folder, HOUSE_FILE)) = path.split_once('/')
            && let Some(platform) = Platform::named(folder)
        {
            houses.rules.insert(platform, text());
        } else if let Some(part) = Bases::part_of(path) {
            houses.bases.0.insert(part, text());
        }
    }
    houses
}

/// The labs of the repository, by platform and name.
pub fn labs() -> Vec<LabSource> {
    let mut folders: BTreeMap<&str, BTreeMap<String, Cow<'static, [u8]>>> = BTreeMap::new();
    for (path, bytes) in FILES {
        // platform/name/the rest
        let Some((at, _)) = path.match_indices('/').nth(1) else { continue };
        let (folder, file) = path.split_at(at);
        if folder.ends_with(&format!("/{BASE_FOLDER}")) {
            continue;
        }
        let file = file.trim_start_matches('/').to_owned();
        folders.entry(folder).or_default().insert(file, Cow::Borrowed(*bytes));
    }
    let houses = Arc::new(houses());
    let source = |(folder, files)| LabSource::from_files(&format!("labs/{folder}"), files, Arc::clone(&houses));
    folders.into_iter().map(source).collect()
}
