//! Fixtures: lines that are there, and lines that are not.

use breakfix_lab::Check;
use serde_json::{Value, json};

use crate::{Fetched, Judge, Log, Verdict, fixture::*};

fn wanted(extra: Value) -> Check {
    check(json!({"logs": but(json!({"of": {"kind": "Deployment", "name": "shop"}}), extra)}))
}

fn on(check: &Check, logs: &[(&str, &str)]) -> Verdict {
    let world = World::kubernetes();
    let query = check.queries(world.platform, &world.scope()).remove(0);
    let logs = logs.iter().map(|(pod, text)| Log { pod: (*pod).to_owned(), text: (*text).to_owned() }).collect();
    world.answering(query, Fetched::Logs(logs)).judge(check)
}

#[test]
fn a_line_of_any_pod_will_do() {
    let check = wanted(json!({"contains": "from db"}));
    let verdict = on(&check, &[("a", "ready\n"), ("b", "ready\n12:00 line from db-0\n")]);
    assert_met(&verdict);
    assert_eq!(verdict.evidence().unwrap().found, "b: 12:00 line from db-0");
    assert_not_met(&on(&check, &[("a", "ready\n"), ("b", "")]), "do not say \"from db\"");
}

#[test]
fn a_line_that_may_not_be_there() {
    let check = wanted(json!({"lacks": "password"}));
    assert_met(&on(&check, &[("a", "ready\n")]));
    assert_not_met(&on(&check, &[("a", "ready\nwrong password\n")]), "the log of a says \"password\"");
}

#[test]
fn no_pod_says_nothing_of_either() {
    assert_not_met(&on(&wanted(json!({"contains": "x"})), &[]), "no pod");
    assert_not_met(&on(&wanted(json!({"lacks": "x"})), &[]), "no pod");
}

#[test]
fn logs_that_could_not_be_had_are_unknown() {
    assert_unknown(&World::kubernetes().judge(&wanted(json!({"lacks": "x"}))), "nothing was fetched for logs of");
}
