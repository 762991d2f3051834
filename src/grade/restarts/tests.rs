//! Fixtures: containers that went on, that ended, and that never began.

use breakfix_lab::Check;
use serde_json::{Value, json};

use crate::fixture::*;

fn none() -> Check {
    check(json!({"restarts": {"kind": "Deployment", "name": "shop", "expect": "none"}}))
}

fn some(extra: Value) -> Check {
    check(json!({"restarts": but(json!({"kind": "Deployment", "name": "shop", "expect": "some"}), extra)}))
}

/// The shop with this about the container of its first pod.
fn first(patch: Value) -> World {
    let [a, b, c] = shop_pods();
    let status = but(a["status"]["containerStatuses"][0].clone(), patch);
    shop().with("Pod", [but(a, json!({"status": {"containerStatuses": [status]}})), b, c])
}

fn killed_at(at: &str, reason: &str) -> World {
    first(
        json!({"restartCount": 1, "lastState": {"terminated": {"finishedAt": at, "reason": reason, "exitCode": 137}}}),
    )
}

#[test]
fn healthy_nothing_ended() {
    assert_met(&shop().judge(&none()));
    assert_not_met(&shop().judge(&some(json!({}))), "no container of Deployment shop was restarted");
}

#[test]
fn broken_a_container_was_killed() {
    let verdict = killed_at("2026-11-21T11:59:30Z", "OOMKilled").judge(&none());
    assert_not_met(&verdict, "container web of pod shop-a-1 ended: OOMKilled");
    let waiting =
        first(json!({"restartCount": 3, "state": {"running": null, "waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"finishedAt": "2026-11-21T11:59:50Z", "reason": "Error"}}}));
    assert_not_met(&waiting.judge(&none()), "ended: Error");
    let ended = first(
        json!({"state": {"running": null, "terminated": {"finishedAt": "2026-11-21T11:59:50Z", "reason": "Error"}}}),
    );
    assert_not_met(&ended.judge(&none()), "ended: Error");
}

#[test]
fn long_ago_is_stale() {
    assert_met(&killed_at("2026-11-21T11:00:00Z", "OOMKilled").judge(&none()));
    assert_not_met(&killed_at("2026-11-21T11:00:00Z", "OOMKilled").judge(&some(json!({}))), "none");
    assert_met(&killed_at("2026-11-21T11:00:00Z", "OOMKilled").judge(&some(json!({"within": "2h"}))));
}

#[test]
fn a_trigger_is_where_counting_begins() {
    let mut world = killed_at("2026-11-21T11:00:00Z", "Completed");
    world.triggered = Some(at("2026-11-21T10:59:00Z"));
    assert_met(&world.judge(&some(json!({}))));
    assert_not_met(&world.judge(&none()), "Completed");
    world.triggered = Some(at("2026-11-21T11:01:00Z"));
    assert_met(&world.judge(&none()));
}

#[test]
fn only_the_reason_asked_for() {
    let world = killed_at("2026-11-21T11:59:30Z", "Error");
    assert_not_met(&world.judge(&some(json!({"reason": "OOMKilled"}))), "none");
    assert_met(&world.judge(&some(json!({"reason": "Error"}))));
}

#[test]
fn an_init_container_ends_once_as_it_should() {
    let [a, b, c] = shop_pods();
    let init = |restarts: u32| {
        json!([{"name": "wait", "restartCount": restarts,
        "state": {"terminated": {"finishedAt": "2026-11-21T11:59:30Z", "reason": "Completed"}}}])
    };
    let world = |restarts| {
        shop().with(
            "Pod",
            [but(a.clone(), json!({"status": {"initContainerStatuses": init(restarts)}})), b.clone(), c.clone()],
        )
    };
    assert_met(&world(0).judge(&none()));
    assert_not_met(&world(1).judge(&none()), "container wait");
}

#[test]
fn bypassed_nothing_runs_so_nothing_ends() {
    assert_not_met(&shop().with("Pod", []).judge(&none()), "has no pod");
    let pending = first(json!({"state": {"running": null, "waiting": {"reason": "ContainerCreating"}}}));
    assert_not_met(&pending.judge(&none()), "does not run");
}

#[test]
fn an_api_error_is_unknown() {
    assert_unknown(&shop().failing("Pod").judge(&none()), "etcd is away");
}
