//! Where the records of a real cluster lie, for tests that compare with them.

use std::path::PathBuf;

/// The folder of records: `BREAKFIX_GOLDEN`, or beside the project; `None`, and a word on it, where there is none.
pub(crate) fn golden_dir() -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/golden");
    let folder = std::env::var_os("BREAKFIX_GOLDEN").map_or_else(beside, PathBuf::from);
    if folder.join("README.md").is_file() {
        return Some(folder);
    }
    println!("skipped: no golden records");
    None
}

/// A recorded JSON document, unpacked if its name ends in `.gz`.
pub(crate) fn golden_json(path: &str) -> Option<serde_json::Value> {
    let file = std::fs::read(golden_dir()?.join(path)).expect(path);
    if !path.ends_with(".gz") {
        return Some(serde_json::from_slice(&file).expect(path));
    }
    Some(serde_json::from_reader(flate2::read::GzDecoder::new(file.as_slice())).expect(path))
}
