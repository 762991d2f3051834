//! The labs of the repository, inside the program. `build.rs` writes the list.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use crate::{
    LabSource,
    house::{HouseText, HouseTexts},
    lab::Platform,
};

/// Every file below `labs/` by its path.
static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/labs.rs"));

/// The name of the file with a platform's house rules.
pub(crate) const HOUSE_FILE: &str = "house.yaml";

/// The house rules of the repository.
pub fn houses() -> HouseTexts {
    let mut houses = BTreeMap::new();
    for (path, bytes) in FILES {
        if let Some((folder, HOUSE_FILE)) = path.split_once('/')
            && let Some(platform) = Platform::named(folder)
        {
            let shown = format!("labs/{path}");
            houses.insert(platform, HouseText { shown, bytes: Cow::Borrowed(*bytes) });
        }
    }
    HouseTexts(houses)
}

/// The labs of the repository, by platform and name.
pub fn labs() -> Vec<LabSource> {
    let mut folders: BTreeMap<&str, BTreeMap<String, Cow<'static, [u8]>>> = BTreeMap::new();
    for (path, bytes) in FILES {
        // platform/name/the rest
        let Some((at, _)) = path.match_indices('/').nth(1) else { continue };
        let (folder, file) = path.split_at(at);
        let file = file.trim_start_matches('/').to_owned();
        folders.entry(folder).or_default().insert(file, Cow::Borrowed(*bytes));
    }
    let houses = Arc::new(houses());
    let source = |(folder, files)| LabSource::from_files(&format!("labs/{folder}"), files, Arc::clone(&houses));
    folders.into_iter().map(source).collect()
}
