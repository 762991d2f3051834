//! The rules over whole folders: labs that must be clean, and one folder for every defect.

use std::path::{Path, PathBuf};

mod corpus;
mod never_panics;

use super::*;
use crate::{Catalogue, Check, problem::Problem};

fn fixtures(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/lint").join(name)
}

/// A grader that has no objection.
fn content(_: &Check) -> Vec<String> {
    Vec::new()
}

fn printed(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_shipped_labs_are_clean() {
    let found: Vec<Problem> = Catalogue::embedded().list().flat_map(|source| lint(source, &content)).collect();
    assert!(found.is_empty(), "{}", printed(&found));
}

#[test]
fn good_labs_are_clean() {
    let mut catalogue = Catalogue::default();
    catalogue.add_folder(&fixtures("valid")).unwrap();
    let found: Vec<Problem> = catalogue.list().flat_map(|source| lint(source, &content)).collect();
    assert!(found.is_empty(), "{}", printed(&found));
}
