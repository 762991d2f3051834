//! `tests/lint/invalid/`: one file for every defect. Its name is the defect, its content the edits that put it into a good
//! lab, the snapshot beside it what is said.

use std::{borrow::Cow, collections::BTreeSet, fs, sync::Arc};

use serde::Deserialize;

use super::*;
use crate::{LabSource, embedded, yaml};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// The good lab, a folder below `tests/lint/valid/`.
    base: String,
    edits: Vec<Edit>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    file: String,
    /// Every place of this text …
    replace: Option<String>,
    /// … becomes this one.
    by: Option<String>,
    /// The whole file.
    write: Option<String>,
    /// The same, where it is no text.
    bytes: Option<Vec<u8>>,
    #[serde(default)]
    delete: bool,
}

/// The names of the defects.
fn defects() -> Vec<String> {
    let entries =
        fs::read_dir(fixtures("invalid")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = entries.filter_map(|name| name.strip_suffix(".yaml").map(str::to_owned)).collect();
    names.sort();
    names
}

/// The lab with the defect.
fn source(defect: &str) -> LabSource {
    let path = fixtures("invalid").join(format!("{defect}.yaml"));
    let (page, problems) = yaml::read(defect, &fs::read(path).unwrap());
    assert!(problems.is_empty(), "{problems:?}");
    let case: Case = serde_json::from_value(page.documents[0].to_value()).unwrap();
    let base = LabSource::from_folder(&fixtures("valid").join(&case.base), Arc::default()).unwrap();
    let mut files = base.files().clone();
    for edit in case.edits {
        let old = files.get(&edit.file).map(|bytes| String::from_utf8(bytes.to_vec()).unwrap()).unwrap_or_default();
        let new = match (edit.replace, edit.by, edit.write, edit.bytes) {
            (Some(replace), Some(by), None, None) => {
                assert!(old.contains(&replace), "{defect}: {} has no {replace:?}", edit.file);
                old.replace(&replace, &by).into_bytes()
            }
            (None, None, Some(write), None) => write.into_bytes(),
            (None, None, None, Some(bytes)) => bytes,
            _ => {
                assert!(edit.delete, "{defect}: an edit of {} says nothing", edit.file);
                assert!(files.remove(&edit.file).is_some(), "{defect}: there is no {}", edit.file);
                continue;
            }
        };
        files.insert(edit.file, Cow::Owned(new));
    }
    LabSource::from_files(&case.base, files, Arc::new(embedded::houses()))
}

/// A grader that objects to one expression.
fn strict(check: &Check) -> Vec<String> {
    match check {
        Check::Field(field) if field.cel.ends_with('(') => {
            vec![format!("`{}` is no expression: it ends too soon", field.cel)]
        }
        _ => Vec::new(),
    }
}

#[test]
fn every_defect_is_told() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(fixtures("invalid/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for defect in defects() {
            let problems = lint(&source(&defect), &strict);
            assert!(!problems.is_empty(), "{defect}: nothing is said");
            insta::assert_snapshot!(defect.as_str(), printed(&problems));
        }
    });
}

#[test]
fn every_rule_has_a_defect() {
    let told: BTreeSet<&str> =
        defects().iter().flat_map(|defect| lint(&source(defect), &strict)).map(|problem| problem.rule).collect();
    let reading = ["yaml", "format", "document", "files", "parameters", "house"];
    let wanted: BTreeSet<&str> = RULES.iter().map(|rule| rule.name).chain(reading).collect();
    assert_eq!(told, wanted);
}

/// The first word of a defect's name is the rule that finds it.
#[test]
fn a_defect_is_named_after_its_rule() {
    for defect in defects() {
        let rule = defect.split('-').next().unwrap();
        let found = lint(&source(&defect), &strict);
        assert!(found.iter().any(|problem| problem.rule == rule), "{defect}: {}", printed(&found));
    }
}

#[test]
fn no_snapshot_is_left_over() {
    let defects = defects();
    for entry in fs::read_dir(fixtures("invalid/snapshots")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let defect = name.strip_suffix(".snap").unwrap_or(&name).to_owned();
        assert!(defects.contains(&defect), "{name} belongs to no defect");
    }
}
