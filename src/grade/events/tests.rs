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
    });
    let query = Query::Events { container: "web".into() };
    World::docker().with("Container", [container("web")]).answering(query, Fetched::Events(events.collect()))
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
