//! Single tasks: how they start, fail and end.

use serde_json::json;

use super::world::World;

const JOB: &str = "registry.example/shop/job:1.0";
const WEB: &str = "registry.example/shop/web:1.4";

#[test]
fn a_job_ends_with_its_code() {
    for (exit, code) in [("0", 0), ("7", 7)] {
        let mut world = World::with_instances(1, 1);
        let command = json!({"command": ["job", "--after=5s", format!("--exit={exit}")]});
        let definition = world.define("job", JOB, command);
        let arn = world.run(&definition);
        world.pass(60);
        let task = world.task(&arn);
        assert_eq!((&task["lastStatus"], &task["stopCode"]), (&json!("STOPPED"), &json!("EssentialContainerExited")));
        assert_eq!(task["containers"][0]["exitCode"], code);
        assert!(task["startedAt"].as_f64().unwrap() < task["stoppingAt"].as_f64().unwrap());
        assert!(task["executionStoppedAt"].as_f64().unwrap() <= task["stoppedAt"].as_f64().unwrap());
    }
}

/// The words: amazon-ecs-agent, OutOfMemoryError.
#[test]
fn memory_over_the_limit_is_killed() {
    let mut world = World::with_instances(1, 1);
    let definition = world.define("web", WEB, json!({"memory": 64}));
    let arn = world.run(&definition);
    world.pass(60);
    let id = arn.rsplit('/').next().unwrap().to_owned();
    let load: Vec<String> = ["wget", "-q", "-O-", "--post-data=", "http://localhost:8080/load?mb=100&seconds=5"]
        .map(str::to_owned)
        .to_vec();
    let ran = crate::tasks::exec(&mut world.account.cloud, &id, "web", &load).unwrap();
    assert_ne!(ran.exit, 0, "{}", String::from_utf8_lossy(&ran.stderr));
    world.pass(60);
    let task = world.task(&arn);
    assert_eq!(task["stoppedReason"], "Essential container in task exited");
    assert_eq!(task["containers"][0]["exitCode"], 137);
    assert_eq!(task["containers"][0]["reason"], "OutOfMemoryError: Container killed due to memory usage");
}

#[test]
fn a_program_without_a_handler_is_killed_after_its_stop_timeout() {
    let mut world = World::with_instances(1, 1);
    let definition =
        world.define("web", WEB, json!({"stopTimeout": 20, "environment": [{"name": "STOP", "value": "none"}]}));
    let arn = world.run(&definition);
    world.pass(60);
    world.ok("StopTask", json!({"cluster": "shop", "task": arn}));
    world.pass(15);
    assert_eq!(world.task(&arn)["lastStatus"], "STOPPING");
    world.pass(30);
    let task = world.task(&arn);
    assert_eq!((&task["lastStatus"], &task["containers"][0]["exitCode"]), (&json!("STOPPED"), &json!(137)));
    assert_eq!(task["stoppedReason"], "Task stopped by user");
}

#[test]
fn containers_wait_for_what_they_depend_on() {
    let mut world = World::with_instances(1, 1);
    let migrate =
        json!({"name": "migrate", "image": JOB, "memory": 64, "essential": false, "command": ["job", "--after=20s"]});
    let web = json!({
        "name": "web", "image": WEB, "memory": 128,
        "dependsOn": [{"containerName": "migrate", "condition": "SUCCESS"}],
    });
    let register = |world: &mut World, migrate: &serde_json::Value| {
        let answer =
            world.ok("RegisterTaskDefinition", json!({"family": "web", "containerDefinitions": [migrate, web]}));
        answer["taskDefinition"]["taskDefinitionArn"].as_str().unwrap().to_owned()
    };
    let definition = register(&mut world, &migrate);
    let arn = world.run(&definition);
    world.pass(20);
    let task = world.task(&arn);
    assert_eq!((&task["lastStatus"], &task["containers"][1]["lastStatus"]), (&json!("PENDING"), &json!("PENDING")));
    world.pass(30);
    let task = world.task(&arn);
    assert_eq!((&task["lastStatus"], &task["containers"][0]["exitCode"]), (&json!("RUNNING"), &json!(0)));

    let mut failing = migrate.clone();
    failing["command"] = json!(["job", "--exit=3"]);
    let definition = register(&mut world, &failing);
    let arn = world.run(&definition);
    world.pass(60);
    let task = world.task(&arn);
    assert_eq!((&task["lastStatus"], &task["stopCode"]), (&json!("STOPPED"), &json!("TaskFailedToStart")));
}

#[test]
fn health_of_containers_is_asked_and_told() {
    let mut world = World::with_instances(1, 1);
    let check = json!({"command": ["CMD-SHELL", "wget -q -O- http://localhost:8080/healthz || exit 1"], "interval": 10, "retries": 2});
    let definition = world.define("web", WEB, json!({"healthCheck": check}));
    let arn = world.run(&definition);
    world.pass(12);
    assert_eq!(world.task(&arn)["healthStatus"], "UNKNOWN");
    world.pass(20);
    assert_eq!(world.task(&arn)["healthStatus"], "HEALTHY");
    world.pass(120);
    assert_eq!(world.account.cloud.next_due(), None, "a healthy container that nobody asks sleeps");
    let id = arn.rsplit('/').next().unwrap().to_owned();
    let argv: Vec<String> =
        ["wget", "-q", "-O-", "--post-data=", "http://localhost:8080/break"].map(str::to_owned).to_vec();
    crate::tasks::exec(&mut world.account.cloud, &id, "web", &argv).unwrap();
    world.pass(40);
    assert_eq!(world.task(&arn)["healthStatus"], "UNHEALTHY");
    assert_eq!(world.task(&arn)["lastStatus"], "RUNNING", "nobody replaces a task of its own");
}

#[test]
fn what_is_not_there_is_missing() {
    let mut world = World::with_instances(1, 1);
    let answer = world.ok("DescribeTasks", json!({"cluster": "shop", "tasks": ["0123"]}));
    let arn = "arn:aws:ecs:eu-central-1:123456789012:task/shop/0123";
    assert_eq!(answer, json!({"tasks": [], "failures": [{"arn": arn, "reason": "MISSING"}]}));
    let refusal = world.refused("StopTask", json!({"cluster": "shop", "task": "0123"}));
    assert_eq!(refusal, "InvalidParameterException: The referenced task was not found.");
    assert_eq!(world.refused("ListTasks", json!({"cluster": "nope"})), "ClusterNotFoundException: Cluster not found.");
}

#[test]
fn a_task_that_fits_nowhere_is_a_failure_of_run_task() {
    let mut world = World::with_instances(1, 1);
    let definition = world.define("web", WEB, json!({"memory": 8000}));
    let input = json!({"cluster": "shop", "taskDefinition": definition, "launchType": "EC2"});
    let answer = world.ok("RunTask", input.clone());
    assert_eq!(answer["failures"][0]["reason"], "RESOURCE:MEMORY");
    let mut empty = World::empty(1);
    empty.define("web", WEB, json!({}));
    let refusal = empty.refused("RunTask", input);
    assert_eq!(refusal, "InvalidParameterException: No Container Instances were found in your cluster.");
}

/// The sentence: issues of aws-cli on ECS Exec.
#[test]
fn a_command_needs_a_task_that_was_started_for_it() {
    let mut world = World::with_instances(1, 1);
    let definition = world.define("web", WEB, json!({}));
    let arn = world.run(&definition);
    world.pass(60);
    let input = json!({"cluster": "shop", "task": arn, "command": "sh", "interactive": true});
    let refusal = world.refused("ExecuteCommand", input);
    assert!(
        refusal.starts_with(
            "InvalidParameterException: The execute command failed because execute command was not enabled"
        )
    );
}
