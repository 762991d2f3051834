use serde_json::{Value, json};

use crate::{
    Verdict,
    fixture::{World, assert_met, assert_not_met, assert_unknown, but, check},
    steady::tests::{group, service, task},
};

fn judge(world: &World) -> Verdict {
    world.judge(&check(json!({"targets": {"group": "web", "service": "web", "healthy": 2}})))
}

fn world(tasks: &[Value], targets: &[(&str, &str)]) -> World {
    World::ecs().with("Service", [service()]).with("Task", tasks.to_vec()).with("TargetGroup", [group(targets)])
}

fn tasks() -> Vec<Value> {
    vec![task("a", "10.0.0.1"), task("b", "10.0.0.2")]
}

const HEALTHY: [(&str, &str); 2] = [("10.0.0.1", "healthy"), ("10.0.0.2", "healthy")];

#[test]
fn healthy() {
    assert_met(&judge(&world(&tasks(), &HEALTHY)));
}

#[test]
fn broken() {
    assert_not_met(&judge(&world(&tasks(), &[("10.0.0.1", "healthy"), ("10.0.0.2", "unhealthy")])), "is unhealthy");
    assert_not_met(&judge(&world(&tasks()[..1], &HEALTHY[..1])), "has 1 targets");
}

#[test]
fn bypassed() {
    assert_not_met(&judge(&world(&tasks(), &[HEALTHY[0], HEALTHY[1], ("10.0.0.9", "healthy")])), "10.0.0.9");
}

#[test]
fn empty() {
    assert_not_met(&judge(&World::ecs()), "no target group web");
    assert_not_met(&judge(&world(&[], &[])), "has 0 targets");
}

#[test]
fn stale() {
    let stopped = but(task("b", "10.0.0.2"), json!({"lastStatus": "STOPPED", "desiredStatus": "STOPPED"}));
    assert_not_met(&judge(&world(&[task("a", "10.0.0.1"), stopped], &HEALTHY)), "10.0.0.2 is no task of it");
}

#[test]
fn api_error() {
    assert_unknown(&judge(&world(&tasks(), &HEALTHY).failing("TargetGroup")), "list TargetGroup");
}
