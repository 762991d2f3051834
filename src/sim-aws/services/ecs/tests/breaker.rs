//! Releases that fail: back-off, circuit breaker, rollback.

use std::time::Instant;

use serde_json::{Value, json};

use super::world::{World, plain};

const WEB: &str = "registry.example/shop/web:1.4";

fn with_breaker(enable: bool, rollback: bool) -> Value {
    json!({"deploymentCircuitBreaker": {"enable": enable, "rollback": rollback}})
}

/// A steady service of two with these settings.
fn steady(configuration: Value) -> World {
    let mut world = World::with_instances(21, 2);
    let definition = world.define("web", WEB, json!({}));
    world.serve(&definition, 2, json!({"deploymentConfiguration": configuration}));
    world.pass(180);
    world
}

/// Texts: an event list of a real account (tag that is not there), and the developer guide on the circuit breaker.
#[test]
fn the_breaker_rolls_back_a_release_that_cannot_start() {
    let mut world = steady(with_breaker(true, true));
    let good = world.service()["deployments"][0]["id"].as_str().unwrap().to_owned();
    let bad = world.define("web", "registry.example/shop/web:2.10", json!({}));
    world.update(json!({"taskDefinition": bad}));
    let failing = world.service()["deployments"][0]["id"].as_str().unwrap().to_owned();
    let mut seen_failed = false;
    for _ in 0..1200 {
        world.pass(1);
        let service = world.service();
        assert!(service["runningCount"].as_u64().unwrap() >= 2, "the old revision goes on");
        let rolling = service["deployments"].as_array().unwrap().iter().find(|it| it["id"] == json!(good)).unwrap();
        if rolling["rolloutStateReason"]
            == json!(format!("ECS deployment circuit breaker: rolling back to deploymentId {good}."))
        {
            seen_failed = true;
        }
    }
    assert!(seen_failed);
    let service = world.service();
    assert_eq!(service["deployments"].as_array().unwrap().len(), 1);
    assert_eq!(service["deployments"][0]["id"], json!(good));
    assert_eq!(service["deployments"][0]["rolloutState"], "COMPLETED");
    assert_eq!(service["taskDefinition"], service["deployments"][0]["taskDefinition"]);
    let events = world.events();
    let at =
        |message: &str| events.iter().position(|it| it == message).unwrap_or_else(|| panic!("{message}: {events:#?}"));
    let failed = at(&format!("(service web) (deployment {failing}) deployment failed: tasks failed to start."));
    assert_eq!(at(&format!("(service web) rolling back to deployment {good}.")), failed + 1);
    assert_eq!(events.last().unwrap(), "(service web) has reached a steady state.");
    let placed = events
        .iter()
        .filter(|it| it.contains("was unable to place a task. Reason: CannotPullContainerError: "))
        .count();
    assert_eq!(placed, 1, "a cause is said once: {events:#?}");
    let records = world.ok("ListServiceDeployments", json!({"cluster": "shop", "service": "web"}));
    assert_eq!(records["serviceDeployments"][0]["status"], "ROLLBACK_SUCCESSFUL");
    let arn = records["serviceDeployments"][0]["serviceDeploymentArn"].clone();
    let record = world.ok("DescribeServiceDeployments", json!({"serviceDeploymentArns": [arn]}));
    let record = &record["serviceDeployments"][0];
    assert_eq!(record["deploymentCircuitBreaker"], json!({"status": "TRIGGERED", "failureCount": 4, "threshold": 3}));
    assert_eq!(
        record["statusReason"],
        "Service deployment rolled back because the circuit breaker threshold was exceeded."
    );
}

#[test]
fn without_rollback_it_stalls() {
    let mut world = steady(with_breaker(true, false));
    let bad = world.define("web", "registry.example/shop/web:2.10", json!({}));
    world.update(json!({"taskDefinition": bad}));
    world.pass(3600);
    let service = world.service();
    assert_eq!(service["deployments"][0]["rolloutState"], "FAILED");
    assert_eq!(
        service["deployments"][0]["rolloutStateReason"],
        "ECS deployment circuit breaker: tasks failed to start."
    );
    assert_eq!(service["runningCount"], 2);
    let before = service["deployments"][0]["failedTasks"].clone();
    world.pass(3600);
    assert_eq!(world.service()["deployments"][0]["failedTasks"], before, "no more tasks");
}

/// Developer guide, "service throttle logic": ever longer waits up to 27 minutes, no end, the message once.
#[test]
fn without_a_breaker_it_tries_all_night_ever_more_seldom() {
    let mut world = steady(with_breaker(false, false));
    let bad = world.define("web", "registry.example/shop/web:2.10", json!({}));
    world.update(json!({"taskDefinition": bad}));
    world.pass(3600);
    let first = world.service()["deployments"][0]["failedTasks"].as_u64().unwrap();
    world.pass(3600);
    let second = world.service()["deployments"][0]["failedTasks"].as_u64().unwrap() - first;
    assert!(first > second && second >= 2, "{first} then {second}");
    let sentence = "(service web) is unable to consistently start tasks successfully. For more information, see the Troubleshooting section \
                    of the Amazon ECS Developer Guide.";
    assert_eq!(world.events().iter().filter(|it| *it == sentence).count(), 1);
    let service = world.service();
    assert_eq!(
        (&service["deployments"][0]["rolloutState"], &service["deployments"][1]["rolloutState"]),
        (&json!("IN_PROGRESS"), &json!("COMPLETED"))
    );
    assert_eq!(
        (&service["deployments"][0]["status"], &service["deployments"][1]["status"]),
        (&json!("PRIMARY"), &json!("ACTIVE"))
    );
    let good = world.define("web", "registry.example/shop/web:2.0", json!({}));
    world.update(json!({"taskDefinition": good}));
    world.pass(300);
    assert_eq!(
        world.service()["deployments"][0]["rolloutState"],
        "COMPLETED",
        "a new definition resets the throttle: {:?}",
        world.events()
    );
}

/// A program that ends before it counts as healthy is a failure of its deployment.
#[test]
fn a_release_that_crashes_is_rolled_back() {
    let mut world = steady(with_breaker(true, true));
    let bad = world.define("web", WEB, json!({"environment": [{"name": "NEEDS_ENV", "value": "DB_HOST"}]}));
    world.update(json!({"taskDefinition": bad}));
    world.pass(1200);
    let service = world.service();
    assert_eq!(service["deployments"][0]["rolloutState"], "COMPLETED", "{:#?}", world.events());
    assert_ne!(service["taskDefinition"], json!(bad));
    let stopped = world.tasks("STOPPED");
    let crashed = stopped.iter().find(|it| it["taskDefinitionArn"] == json!(bad)).unwrap();
    assert_eq!(crashed["stopCode"], "EssentialContainerExited");
    assert_eq!(crashed["stoppedReason"], "Essential container in task exited");
    assert_eq!(crashed["containers"][0]["exitCode"], 78);
}

/// Container checks: condemned tasks are replaced, and count.
#[test]
fn a_release_that_fails_its_health_check_is_rolled_back() {
    let mut world = steady(with_breaker(true, true));
    let check =
        json!({"command": ["CMD-SHELL", "wget -q -O- http://localhost:9999/healthz"], "interval": 10, "retries": 2});
    let bad = world.define("web", WEB, json!({"healthCheck": check}));
    world.update(json!({"taskDefinition": bad}));
    world.pass(1200);
    let events: Vec<String> = world.events().iter().map(|it| plain(it)).collect();
    assert!(events.iter().any(|it| it == "(service web) (task T) failed container health checks."), "{events:#?}");
    assert!(events.iter().any(|it| it == "(service web) rolling back to deployment D."), "{events:#?}");
    assert_eq!(events.last().unwrap(), "(service web) has reached a steady state.", "{events:#?}");
    let condemned = world.tasks("STOPPED");
    assert!(condemned.iter().any(|it| it["stoppedReason"] == "Task failed container health checks"), "{condemned:#?}");
}

#[test]
fn a_first_deployment_has_nothing_to_go_back_to() {
    let mut world = World::with_instances(22, 1);
    let bad = world.define("web", "registry.example/shop/web:2.10", json!({}));
    world.serve(&bad, 1, json!({"deploymentConfiguration": with_breaker(true, true)}));
    world.pass(3600);
    assert_eq!(world.service()["deployments"][0]["rolloutState"], "FAILED");
    let records = world.ok("ListServiceDeployments", json!({"cluster": "shop", "service": "web"}));
    assert_eq!(records["serviceDeployments"][0]["statusReason"], "No rollback candidate was found to run the rollback");
}

#[test]
fn a_rollout_of_ten_minutes_takes_no_time() {
    let mut world = steady(with_breaker(true, true));
    let bad = world.define("web", "registry.example/shop/web:2.10", json!({}));
    let began = Instant::now();
    world.update(json!({"taskDefinition": bad}));
    world.pass(1200);
    let took = began.elapsed();
    println!("breaker and rollback, 20 simulated minutes: {took:?}");
    assert_eq!(world.service()["deployments"][0]["rolloutState"], "COMPLETED");
}
