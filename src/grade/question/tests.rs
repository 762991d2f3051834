//! Fixtures: where a pod runs, how many there are; and what has no answer.

use std::sync::Arc;

use breakfix_lab::{Catalogue, lab::AnswerFrom};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::{Baseline, Failure, Fetched};

fn case() -> Case {
    let lab = Catalogue::embedded().find("shop-answers-nobody").unwrap().load().unwrap();
    Case::new(&lab, Arc::new(Baseline::empty(Timestamp::UNIX_EPOCH)))
}

fn asked(cel: &str, fetched: Result<Vec<Value>, Failure>) -> Result<String, String> {
    let from = json!({"lists": {"pods": {"kind": "Pod", "labels": {"app": "db"}}}, "cel": cel});
    let from: AnswerFrom = serde_json::from_value(from).unwrap();
    let case = case();
    let answers = queries(&case, &from).into_iter().map(|query| (query, fetched.clone().map(Fetched::Objects)));
    let observation = Observation { at: Timestamp::UNIX_EPOCH, answers: answers.collect() };
    answer(&case, &from, &observation)
}

fn pods() -> Vec<Value> {
    let pod = |name: &str, app: &str| json!({"metadata": {"name": name, "namespace": "shop", "labels": {"app": app}}, "spec": {"nodeName": format!("on-{name}")}});
    vec![pod("db-0", "db"), pod("db-1", "db"), pod("web-0", "web")]
}

#[test]
fn texts_numbers_and_truths_are_answers() {
    assert_eq!(asked("pods[0].spec.nodeName", Ok(pods())).unwrap(), "on-db-0");
    assert_eq!(asked("size(pods)", Ok(pods())).unwrap(), "2", "only those that are chosen");
    assert_eq!(asked("pods.exists(p, p.metadata.name == 'db-1')", Ok(pods())).unwrap(), "true");
}

#[test]
fn what_says_nothing_is_no_answer() {
    for (cel, why) in [
        ("pods[7].spec.nodeName", "shorter"),
        ("pods[0].spec.colour", "absent"),
        ("pods", "neither a text nor a number"),
        ("''", "says nothing"),
    ] {
        let said = asked(cel, Ok(pods())).unwrap_err();
        assert!(said.contains(why), "{cel}: {said}");
    }
}

#[test]
fn trouble_is_no_answer() {
    let failure = Failure { what: "list Pod".into(), why: "nobody answers".into(), hint: None };
    assert!(asked("size(pods)", Err(failure)).unwrap_err().contains("nobody answers"));
}
