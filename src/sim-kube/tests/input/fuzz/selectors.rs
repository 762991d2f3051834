//! Selectors: one that is read is printed so that it reads the same and chooses the same.

use breakfix_sim_kube::{
    api::select::{Selectors, label::Selector},
    kind,
};
use serde_json::{Value, json};

use super::{lines, run};

const WORDS: &[&str] = &[
    " in (",
    " notin (",
    ")",
    ",",
    "!",
    "=",
    "==",
    "!=",
    ">",
    "<",
    "app",
    "tier",
    "web",
    "()",
    "metadata.name",
    "\\,",
    "\\=",
];

#[test]
fn selectors_choose_what_they_say() {
    let labels: Vec<Value> = vec![
        json!({}),
        json!({"app": "web"}),
        json!({"app": "web", "tier": "front", "rank": "7"}),
        json!({"app": "", "example.com/x": "y"}),
        json!({"app": 7, "tier": null}),
    ];
    run("selectors", &lines("selectors.txt"), WORDS, |_, input| {
        let text = String::from_utf8_lossy(input);
        let object = json!({"metadata": {"name": "web", "labels": {"app": "web"}}, "status": {"phase": "Running"}});
        for kind in [&kind::POD, &kind::EVENT] {
            if let Ok(selectors) = Selectors::parse(kind, "", &text) {
                let _ = selectors.matches(&object);
            }
        }
        let Ok(read) = Selector::parse(&text) else { return };
        let printed = read.to_string();
        let again = Selector::parse(&printed).unwrap_or_else(|error| panic!("{text:?} prints as {printed:?}: {error}"));
        assert_eq!(again, read, "{text:?} prints as {printed:?}");
        for labels in &labels {
            assert_eq!(again.matches(Some(labels)), read.matches(Some(labels)), "{text:?} {labels}");
        }
        assert!(!read.is_empty() || read.matches(None), "one that asks nothing chooses everything");
    });
}
