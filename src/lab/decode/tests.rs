//! Decoding: every problem at once, each with its place and what to write instead.

use proptest::{prelude::*, sample};
use serde_json::{Number, json};

use super::*;
use crate::{
    Change, Check, schema,
    yaml::{self, Data},
};

const GOOD: &str = "
apiVersion: breakfix.dev/v1
kind: Lab
metadata: {name: a-lab, title: It fails, difficulty: easy, minutes: 5, topics: [services]}
platform: kubernetes
parameters:
  port: {range: [8000, 9000]}
story: Nothing works.
fault:
  - patch: {kind: Service, name: shop, merge: {spec: {selector: {app: null}}}}
objectives:
  - name: works
    title: It works
    points: 100
    check:
      all:
        - endpoints: {service: shop, ready: 3}
        - http: {request: {url: 'http://shop/', method: POST}, within: 2s}
    hold: 1m
controls:
  reference: [{apply: controls/x.yaml}, {wait: 5s}]
";

fn lab(text: &str) -> (Option<crate::Lab>, Vec<String>) {
    let (page, problems) = yaml::read("lab.yaml", text.as_bytes());
    assert!(problems.is_empty(), "{problems:?}");
    let mut problems = Vec::new();
    let lab = decode("lab.yaml", &page.documents[0], schema::lab(), &mut problems);
    (lab, problems.iter().map(ToString::to_string).collect())
}

#[test]
fn decodes_a_lab() {
    let (lab, problems) = lab(GOOD);
    assert_eq!(problems, Vec::<String>::new());
    let lab = lab.unwrap();
    assert!(matches!(lab.controls["reference"][0], Change::Apply(ref path) if path == "controls/x.yaml"));
    assert!(matches!(lab.objectives[0].check, Check::All(ref checks) if checks.len() == 2));
    assert!(
        matches!(lab.fault[0], Change::Patch(ref patch) if patch.merge == Some(json!({"spec": {"selector": {"app": null}}})))
    );
}

#[test]
fn says_everything_at_once() {
    let bad = GOOD
        .replace("minutes: 5", "minuets: 5")
        .replace("platform: kubernetes", "platform: Kubernetes")
        .replace("patch: {kind", "pacth: {kind")
        .replace("points: 100", "points: ten")
        .replace("ready: 3", "ready: -3, redy: 3")
        .replace("method: POST", "method: post")
        .replace("within: 2s", "within: 2 s, status: 70000")
        .replace("hold: 1m", "hold: 60")
        .replace("[8000, 9000]", "[8000]")
        .replace("story: Nothing works.", "story: 5")
        .replace("reference: [{apply: controls/x.yaml}, {wait: 5s}]", "reference: {apply: x, wait: 5s}");
    let (lab, problems) = lab(&bad);
    assert!(lab.is_none());
    insta::assert_snapshot!(problems.join("\n"));
}

#[test]
fn says_what_is_missing() {
    let (_, problems) =
        lab("kind: Lab\nobjectives: []\nfault: [apply]\ncontrols: {reference: [{}], x: [{apply: a, wait: 5s}]}\n");
    insta::assert_snapshot!(problems.join("\n"));
}

/// Counts down to a node of the tree (keys are no nodes) and puts other data there.
fn replace(node: &mut Node, index: &mut usize, data: &Data) {
    if *index == 0 {
        node.data = data.clone();
    }
    *index = index.wrapping_sub(1);
    match &mut node.data {
        Data::List(items) => items.iter_mut().for_each(|item| replace(item, index, data)),
        Data::Map(entries) => entries.iter_mut().for_each(|entry| replace(&mut entry.value, index, data)),
        _ => {}
    }
}

/// Data that may or may not fit.
fn anything() -> impl Strategy<Value = Data> {
    let text = |text: &str| Data::Text { text: text.to_owned(), keep: false, number: None };
    let node = |data: Data| Node { place: crate::problem::Place::default(), data };
    sample::select(vec![
        Data::Null,
        Data::Bool(true),
        Data::Number(Number::from(-1)),
        Data::Number(Number::from(7)),
        Data::Number(Number::from(70_000)),
        Data::Number(Number::from(u64::MAX)),
        Data::Number(Number::from_f64(1.5).unwrap()),
        text("x"),
        text("5s"),
        text("GET"),
        Data::Text { text: "7".to_owned(), keep: false, number: Some(Number::from(7)) },
        Data::List(Vec::new()),
        Data::List(vec![node(text("x")), node(Data::Number(Number::from(3)))]),
        Data::Map(Vec::new()),
        Data::Map(vec![yaml::Entry {
            key: "wait".to_owned(),
            place: crate::problem::Place::default(),
            value: node(text("5s")),
        }]),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// What the walk admits, the types admit: no refusal is left without its place.
    #[test]
    fn the_walk_leaves_nothing_to_the_decoding(index in 0usize..90, data in anything()) {
        let (mut page, _) = yaml::read("lab.yaml", GOOD.as_bytes());
        let mut index = index;
        replace(&mut page.documents[0], &mut index, &data);
        let mut problems = Vec::new();
        let lab: Option<crate::Lab> = decode("lab.yaml", &page.documents[0], schema::lab(), &mut problems);
        prop_assert!(lab.is_some() || !problems.is_empty());
        prop_assert!(!problems.iter().any(|problem| problem.message.starts_with(UNFORESEEN)), "{problems:?}");
    }
}
