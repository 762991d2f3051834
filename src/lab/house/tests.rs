//! House rules: merging, lifting, and what of them a lab is asked.

use std::sync::Arc;

use super::*;
use crate::LabSource;

const HOUSE: &str = "
apiVersion: breakfix.dev/v1
kind: HouseRules
platform: docker
rules:
  - {name: same-objects, title: t, severity: recoverable, check: {identity: {kinds: [Volume, Network]}}}
  - {name: no-new-power, title: t, severity: catastrophic, check: {no_new_power: {}}}
  - name: rails
    title: t
    severity: recoverable
    check:
      all:
        - scale_kept: {kinds: [Container]}
        - field: {kind: Container, cel: 'true', wanted: w}
        - field: {kind: Volume, cel: 'true', wanted: w}
        - objects: {lists: {volumes: {kind: Volume}}, cel: 'true', wanted: w}
        - objects: {lists: {volumes: {kind: Volume}, containers: {kind: Container}}, cel: 'true', wanted: w}
";

/// A lab with a network and a container, and these further lines.
fn load(more: &str, house: &str) -> (Vec<Safeguard>, Vec<String>) {
    let lab = format!(
        "apiVersion: breakfix.dev/v1\nkind: Lab\nmetadata: {{name: x, title: t, difficulty: easy, minutes: 1, topics: []}}\n\
         platform: docker\nstory: s\nfault: [{{wait: 1s}}]\nobjectives: []\ncontrols: {{}}\n{more}"
    );
    let system = "kind: Network\nname: n\n---\nkind: Container\nname: c\n";
    let files = [("lab.yaml", lab), ("system/x.yaml", system.to_owned())];
    let files = files.into_iter().map(|(path, text)| (path.to_owned(), Cow::Owned(text.into_bytes()))).collect();
    let text = HouseText { shown: "house.yaml".to_owned(), bytes: Cow::Owned(house.as_bytes().to_vec()) };
    let houses = HouseTexts { rules: BTreeMap::from([(Platform::Docker, text)]), ..HouseTexts::default() };
    let loading = LabSource::from_files("x", files, Arc::new(houses)).examine(None);
    let problems = loading.problems.iter().map(ToString::to_string).collect();
    (loading.lab.map(|lab| lab.safeguards().to_vec()).unwrap_or_default(), problems)
}

#[test]
fn asks_only_about_kinds_that_the_lab_has() {
    let (rules, problems) = load("", HOUSE);
    assert_eq!(problems, Vec::<String>::new());
    let names: Vec<_> = rules.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(names, ["same-objects", "no-new-power", "rails"]);
    assert!(matches!(&rules[0].check, Check::Identity(identity) if identity.kinds == ["Network"]));
    assert!(matches!(&rules[2].check, Check::All(parts) if parts.len() == 3));
}

#[test]
fn lifts_a_rule_or_a_part_of_it() {
    let lift =
        "lift:\n- {rule: same-objects, reason: r}\n- {rule: rails, except: [{kind: Container, name: c}], reason: r}\n";
    let (rules, problems) = load(lift, HOUSE);
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(rules.len(), 2);
    let Check::All(parts) = &rules[1].check else { panic!() };
    assert!(matches!(&parts[0], Check::ScaleKept(kept) if kept.except[0].name.as_deref() == Some("c")));
}

#[test]
fn says_what_cannot_be_lifted() {
    let lift = "lift:\n- {rule: same-object, reason: r}\n- {rule: same-objects, except: [{kind: Pod}], reason: r}\n";
    let own = "safeguards:\n- {name: rails, title: t, severity: recoverable, check: {no_new_power: {}}}\n";
    let (_, problems) = load(&format!("{lift}{own}"), HOUSE);
    assert_eq!(
        problems,
        [
            "x/lab.yaml:10:4: there is no house rule `same-object`; did you mean `same-objects`?",
            "x/lab.yaml:11:24: the rule `same-objects` has nothing about a Pod that could be left free; lift the whole rule (without `except`) and write a safeguard for the rest",
            "x/lab.yaml:13:4: `rails` is the name of a house rule; lift the rule, or choose another name",
        ]
    );
}

#[test]
fn says_what_is_wrong_with_the_rules() {
    let house = HOUSE.replace("platform: docker", "platform: kubernetes").replace("name: rails", "name: same-objects");
    let (_, problems) = load("", &house.replace("kinds: [Container]", "kinds: []"));
    assert_eq!(
        problems,
        [
            "house.yaml:4:1: these rules are for kubernetes, the folder is for docker",
            "house.yaml:8:5: two rules are called `same-objects`",
            "house.yaml:11:5: `scale_kept` has an empty `kinds`; it would say nothing",
        ]
    );
}
