use serde_json::{Value, json};

use crate::{
    Verdict,
    fixture::{World, assert_met, assert_not_met, assert_unknown, but, check},
};

pub(crate) fn service() -> Value {
    json!({
        "Name": "web", "serviceName": "web", "clusterArn": "c", "status": "ACTIVE", "createdAt": 1_795_000_000.0,
        "taskDefinition": "arn:aws:ecs:eu-central-1:1:task-definition/web:3",
        "desiredCount": 2, "runningCount": 2, "pendingCount": 0,
        "loadBalancers": [{"targetGroupArn": "tg", "containerName": "web", "containerPort": 8080}],
        "deployments": [{"status": "PRIMARY", "rolloutState": "COMPLETED"}],
    })
}

pub(crate) fn task(id: &str, ip: &str) -> Value {
    json!({
        "Name": id, "taskArn": format!("arn:aws:ecs:eu-central-1:1:task/shop/{id}"), "clusterArn": "c", "group": "service:web",
        "startedBy": "ecs-svc/7", "lastStatus": "RUNNING", "desiredStatus": "RUNNING",
        "taskDefinitionArn": "arn:aws:ecs:eu-central-1:1:task-definition/web:3",
        "containers": [{"networkInterfaces": [{"privateIpv4Address": ip}]}],
    })
}

pub(crate) fn group(targets: &[(&str, &str)]) -> Value {
    let targets: Vec<Value> = targets
        .iter()
        .map(|(ip, state)| json!({"Target": {"Id": ip, "Port": 8080}, "TargetHealth": {"State": state}}))
        .collect();
    json!({"Name": "web", "TargetGroupArn": "tg", "TargetType": "ip", "TargetHealthDescriptions": targets})
}

fn world(service: Value, tasks: &[Value], targets: &[(&str, &str)]) -> World {
    World::ecs().with("Service", [service]).with("Task", tasks.to_vec()).with("TargetGroup", [group(targets)])
}

fn judge(world: &World) -> Verdict {
    world.judge(&check(json!({"steady": {"service": "web", "desired": 2}})))
}

const HEALTHY: [(&str, &str); 2] = [("10.0.0.1", "healthy"), ("10.0.0.2", "healthy")];

fn tasks() -> Vec<Value> {
    vec![task("a", "10.0.0.1"), task("b", "10.0.0.2")]
}

#[test]
fn healthy() {
    assert_met(&judge(&world(service(), &tasks(), &HEALTHY)));
}

#[test]
fn broken() {
    let looping = but(
        service(),
        json!({"runningCount": 1, "deployments": [{"status": "PRIMARY", "rolloutState": "IN_PROGRESS"}]}),
    );
    assert_not_met(&judge(&world(looping, &tasks(), &HEALTHY)), "not completed");
    assert_not_met(&judge(&world(but(service(), json!({"runningCount": 1})), &tasks(), &HEALTHY)), "runs 1 of 2");
    let sick = [("10.0.0.1", "healthy"), ("10.0.0.2", "unhealthy")];
    assert_not_met(&judge(&world(service(), &tasks(), &sick)), "1 of 2 healthy");
}

#[test]
fn bypassed() {
    // Nothing runs, so nothing fails; a target registered by hand; a task that somebody started beside the service.
    assert_not_met(&judge(&world(but(service(), json!({"desiredCount": 0, "runningCount": 0})), &[], &[])), "wants 0");
    let by_hand = [("10.0.0.1", "healthy"), ("10.0.0.2", "healthy"), ("10.0.0.9", "healthy")];
    assert_not_met(&judge(&world(service(), &tasks(), &by_hand)), "10.0.0.9 is no task of it");
    let loose = but(task("b", "10.0.0.2"), json!({"startedBy": "somebody"}));
    assert_not_met(&judge(&world(service(), &[task("a", "10.0.0.1"), loose], &HEALTHY)), "runs 1 of 2");
    let detached = but(service(), json!({"loadBalancers": [{"targetGroupArn": "other"}]}));
    assert_not_met(&judge(&world(detached, &tasks(), &HEALTHY)), "target group that is gone");
}

#[test]
fn empty() {
    assert_not_met(&judge(&World::ecs()), "there is no service web");
    assert_not_met(&judge(&world(service(), &tasks(), &[])), "no target of web");
}

#[test]
fn stale() {
    let old =
        but(task("b", "10.0.0.2"), json!({"taskDefinitionArn": "arn:aws:ecs:eu-central-1:1:task-definition/web:2"}));
    assert_not_met(&judge(&world(service(), &[task("a", "10.0.0.1"), old], &HEALTHY)), "web:2");
    // The fixture's moment is 2026-11-21T12:00:00Z.
    let gone = |at: f64| {
        but(task("c", "10.0.0.3"), json!({"lastStatus": "STOPPED", "desiredStatus": "STOPPED", "stoppedAt": at}))
    };
    let with = |at: f64| world(service(), &[tasks(), vec![gone(at)]].concat(), &HEALTHY);
    assert_not_met(&judge(&with(1_795_262_395.0)), "5 s ago");
    assert_met(&judge(&with(1_795_262_300.0)));
    let leaving = [HEALTHY.as_slice(), &[("10.0.0.3", "draining")]].concat();
    assert_met(&judge(&world(service(), &tasks(), &leaving)));
}

#[test]
fn api_error() {
    for kind in ["Service", "Task", "TargetGroup"] {
        assert_unknown(&judge(&world(service(), &tasks(), &HEALTHY).failing(kind)), "list");
    }
    let without = check(json!({"steady": {"service": "web"}}));
    assert_unknown(&world(service(), &tasks(), &HEALTHY).judge(&without), "baseline");
    assert_met(&world(service(), &tasks(), &HEALTHY).from("Service", [service()]).judge(&without));
}
