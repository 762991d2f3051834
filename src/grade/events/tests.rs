//! Fixtures: what the engine told, and when.

use serde_json::json;

use crate::{Fetched, Query, fixture::*, observation::EngineEvent};

fn alive() -> breakfix_lab::Check {
    check(json!({"events": {"container": "web", "none": ["oom", "die"]}}))
}

fn told(events: &[(&str, &str)]) -> World {
    let events = events.iter().map(|(action, time)| EngineEvent {
        action: (*action).into(),
        at: at(time),
        container: "x".into(),
        exit_code: None,
    });
    answering(events.collect())
}

fn answering(events: Vec<EngineEvent>) -> World {
    let query = Query::Events { container: "web".into() };
    World::docker().with("Container", [container("web")]).answering(query, Fetched::Events(events))
}

#[test]
fn silence_of_a_container_that_exists_is_met() {
    assert_met(&told(&[]).judge(&alive()));
    assert_met(&told(&[("start", "2026-11-21T11:59:00Z")]).judge(&alive()));
}

#[test]
fn a_kill_is_not_met() {
    let world = told(&[("oom", "2026-11-21T11:59:00Z"), ("die", "2026-11-21T11:59:00Z")]);
    assert_not_met(&world.judge(&alive()), "the engine reports `oom` of container web");
}

#[test]
fn what_happened_before_the_trigger_does_not_count() {
    let mut world = told(&[("die", "2026-11-21T11:59:00Z")]);
    world.triggered = Some(at("2026-11-21T11:59:01Z"));
    assert_met(&world.judge(&alive()));
    world.triggered = Some(at("2026-11-21T11:59:00Z"));
    assert_not_met(&world.judge(&alive()), "`die`");
}

#[test]
fn words_are_whole() {
    let exec = check(json!({"events": {"container": "web", "none": ["exec_create"]}}));
    assert_not_met(&told(&[("exec_create: sh -c x", "2026-11-21T11:59:00Z")]).judge(&exec), "exec_create");
    assert_met(&told(&[("diet", "2026-11-21T11:59:00Z")]).judge(&alive()));
}

#[test]
fn a_container_that_does_not_exist_proves_nothing() {
    assert_not_met(&told(&[]).with("Container", []).judge(&alive()), "container web does not exist");
}

#[test]
fn an_engine_that_does_not_answer_is_unknown() {
    assert_unknown(&World::docker().with("Container", [container("web")]).judge(&alive()), "events of container web");
    assert_unknown(&told(&[]).failing("Container").judge(&alive()), "etcd");
}

/// A stop as the engine tells it: the signals, then the end.
fn stopped(told: &[(&str, &str, Option<i64>)]) -> World {
    let event = |(action, time, exit_code): &(&str, &str, Option<i64>)| EngineEvent {
        action: (*action).into(),
        at: at(time),
        container: "x".into(),
        exit_code: *exit_code,
    };
    answering(told.iter().map(event).collect())
}

fn in_good_order() -> breakfix_lab::Check {
    check(json!({"events": {"container": "web", "ended": {"codes": [0, 143], "within": "3s"}}}))
}

#[test]
fn a_program_that_ends_when_it_is_told_to_is_met() {
    let quick = [
        ("kill", "2026-11-21T11:59:00Z", None),
        ("die", "2026-11-21T11:59:00.2Z", Some(143)),
        ("start", "2026-11-21T11:59:01Z", None),
    ];
    assert_met(&stopped(&quick).judge(&in_good_order()));
}

#[test]
fn a_program_that_has_to_be_killed_or_takes_its_time_is_not_met() {
    // Engine 20.10: SIGTERM, ten seconds, SIGKILL, two `kill` events.
    let forced = [
        ("kill", "2026-11-21T11:59:00Z", None),
        ("kill", "2026-11-21T11:59:10Z", None),
        ("die", "2026-11-21T11:59:10.1Z", Some(137)),
    ];
    assert_not_met(&stopped(&forced).judge(&in_good_order()), "ended with code 137");
    let slow = [("kill", "2026-11-21T11:59:00Z", None), ("die", "2026-11-21T11:59:08Z", Some(0))];
    assert_not_met(&stopped(&slow).judge(&in_good_order()), "8.0 s after it was told to");
    assert_not_met(&stopped(&[]).judge(&in_good_order()), "did not end");
    let unknown = [("die", "2026-11-21T11:59:08Z", None)];
    assert_not_met(&stopped(&unknown).judge(&in_good_order()), "no code");
}

#[test]
fn one_bad_end_among_good_ones_is_not_met() {
    let twice = [("die", "2026-11-21T11:59:00Z", Some(0)), ("die", "2026-11-21T11:59:08Z", Some(137))];
    assert_not_met(&stopped(&twice).judge(&in_good_order()), "137");
}
