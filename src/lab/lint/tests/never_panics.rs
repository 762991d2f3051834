//! Whatever stands in a file, reading and linting say something and do not panic.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use proptest::{collection, prelude::*, sample};

use super::*;
use crate::{LabSource, embedded, yaml};

/// The files of a good lab.
fn good(lab: &str) -> BTreeMap<String, Cow<'static, [u8]>> {
    LabSource::from_folder(&fixtures("valid").join(lab), Arc::default()).unwrap().files().clone()
}

fn lint_with(lab: &str, path: &str, bytes: Vec<u8>) -> Vec<Problem> {
    let mut files = good(lab);
    files.insert(path.to_owned(), Cow::Owned(bytes));
    lint(&LabSource::from_files(lab, files, Arc::new(embedded::houses())), &content)
}

const LABS: [&str; 2] = ["docker/page-not-there", "kubernetes/shop-answers-nobody"];
const PATHS: [&str; 4] = ["lab.yaml", "system/shop.yaml", "controls/web.yaml", "debrief.md"];

/// YAML as somebody might write it: keys of the format in places where they do not belong.
fn yaml_text() -> impl Strategy<Value = String> {
    let key = sample::select(vec![
        "kind",
        "name",
        "metadata",
        "fault",
        "objectives",
        "check",
        "all",
        "http",
        "patch",
        "merge",
        "parameters",
        "range",
        "choose",
        "lift",
        "rule",
        "except",
        "controls",
        "reference",
        "${port}",
        "system",
        "spec",
        "labels",
        "8080",
        "<<",
    ]);
    let word = prop_oneof![
        Just("docker".to_owned()),
        Just("${port}".to_owned()),
        Just("$${x}".to_owned()),
        Just("${".to_owned()),
        Just("1m30s".to_owned()),
        Just("*a".to_owned()),
        Just("&a x".to_owned()),
        Just("!!int y".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        "[a-z :{}\\[\\]#'\"|>-]{0,12}",
    ];
    let leaf = word.prop_map(|word| format!("{word}\n"));
    let tree = leaf.prop_recursive(5, 40, 5, move |inner| {
        let indent = |text: String| text.lines().map(|line| format!("  {line}\n")).collect::<String>();
        prop_oneof![
            collection::vec((key.clone(), inner.clone()), 0..5).prop_map(move |entries| {
                entries.into_iter().map(|(key, value)| format!("{key}:\n{}", indent(value))).collect::<String>()
            }),
            collection::vec(inner, 0..5)
                .prop_map(|items| items.into_iter().map(|item| format!("- {}", item.replace('\n', "\n  "))).collect()),
        ]
    });
    tree.boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn of_bytes(bytes in collection::vec(any::<u8>(), 0..400)) {
        yaml::read("x", &bytes);
    }

    #[test]
    fn of_text(text in "[ -~\\n\\t\u{e9}\u{1f600}]{0,300}") {
        yaml::read("x", text.as_bytes());
    }

    #[test]
    fn of_trees(text in yaml_text(), lab in sample::select(LABS.to_vec()), path in sample::select(PATHS.to_vec())) {
        lint_with(lab, path, text.into_bytes());
    }

    /// A good lab with one piece cut out, doubled or replaced.
    #[test]
    fn of_damaged_labs(
        lab in sample::select(LABS.to_vec()),
        path in sample::select(PATHS.to_vec()),
        start in any::<sample::Index>(),
        length in 0usize..60,
        instead in "[ -~\\n]{0,20}",
        twice in any::<bool>(),
    ) {
        let bytes = good(lab).get(path).cloned().unwrap_or_default().into_owned();
        let at = if bytes.is_empty() { 0 } else { start.index(bytes.len()) };
        let end = (at + length).min(bytes.len());
        let mut damaged = bytes[..at].to_vec();
        damaged.extend_from_slice(instead.as_bytes());
        if twice {
            damaged.extend_from_slice(&bytes[at..end]);
        }
        damaged.extend_from_slice(&bytes[if twice { at } else { end }..]);
        lint_with(lab, path, damaged);
    }
}
