//! Services: steady, replaced, rolled, scaled, placed.

use serde_json::json;

use super::world::{World, plain};

const WEB: &str = "registry.example/shop/web:1.4";

fn steady(seed: u64) -> World {
    let mut world = World::with_instances(seed, 2);
    let definition = world.define("web", WEB, json!({}));
    world.serve(&definition, 2, json!({}));
    world.pass(180);
    world
}

/// Sentences: events of production services, 2026.
#[test]
fn a_service_of_two_becomes_steady() {
    let mut world = steady(1);
    let events: Vec<String> = world.events().iter().map(|it| plain(it)).collect();
    assert_eq!(
        events,
        [
            "(service web) has started 2 tasks: (task T) (task T).",
            "(service web) (deployment D) deployment completed.",
            "(service web) has reached a steady state.",
        ]
    );
    let service = world.service();
    assert_eq!((&service["runningCount"], &service["pendingCount"]), (&json!(2), &json!(0)));
    let deployment = &service["deployments"][0];
    assert_eq!((&deployment["status"], &deployment["rolloutState"]), (&json!("PRIMARY"), &json!("COMPLETED")));
    let reason = format!("ECS deployment {} completed.", deployment["id"].as_str().unwrap());
    assert_eq!(deployment["rolloutStateReason"], json!(reason));
    for task in world.tasks("RUNNING") {
        assert_eq!(task["lastStatus"], "RUNNING");
        assert_eq!(task["group"], "service:web");
        assert_eq!(task["containers"][0]["lastStatus"], "RUNNING");
    }
}

#[test]
fn a_steady_cloud_sleeps() {
    let world = steady(1);
    assert_eq!(world.account.cloud.next_due(), None);
}

#[test]
fn a_stopped_task_is_replaced() {
    let mut world = steady(1);
    let victim = world.tasks("RUNNING")[0]["taskArn"].as_str().unwrap().to_owned();
    let answer = world.ok("StopTask", json!({"cluster": "shop", "task": victim, "reason": "a drill"}));
    assert_eq!(
        (&answer["task"]["lastStatus"], &answer["task"]["desiredStatus"]),
        (&json!("DEACTIVATING"), &json!("STOPPED"))
    );
    world.pass(120);
    let stopped = world.task(&victim);
    assert_eq!(
        (&stopped["lastStatus"], &stopped["stopCode"], &stopped["stoppedReason"]),
        (&json!("STOPPED"), &json!("UserInitiated"), &json!("a drill"))
    );
    assert_eq!(stopped["containers"][0]["exitCode"], 0);
    assert_eq!(world.tasks("RUNNING").len(), 2);
    let last = world.events().pop().unwrap();
    assert_eq!(last, "(service web) has reached a steady state.");
    assert!(world.events().iter().any(|it| plain(it) == "(service web) has started 1 tasks: (task T)."));
    world.pass(3600);
    let gone = world.ok("DescribeTasks", json!({"cluster": "shop", "tasks": [victim]}));
    assert_eq!(gone["failures"], json!([{"arn": victim, "reason": "MISSING"}]), "shown for an hour only");
}

#[test]
fn a_rolling_update_keeps_to_its_bounds() {
    for (least, most) in [(100, 200), (50, 100), (0, 100), (100, 150)] {
        let mut world = World::with_instances(7, 2);
        let old = world.define("web", WEB, json!({}));
        let configuration = json!({"minimumHealthyPercent": least, "maximumPercent": most});
        world.serve(&old, 4, json!({"deploymentConfiguration": configuration}));
        world.pass(240);
        let new = world.define("web", "registry.example/shop/web:2.0", json!({}));
        world.update(json!({"taskDefinition": new}));
        let (floor, ceiling) = (4 * least / 100, 4 * most / 100);
        let mut lowest = 4;
        for _ in 0..900 {
            world.pass(1);
            let tasks = world.tasks("RUNNING");
            let running = tasks.iter().filter(|it| it["lastStatus"] == "RUNNING").count();
            assert!(tasks.len() <= ceiling, "{least}/{most}: {} tasks", tasks.len());
            lowest = lowest.min(running);
        }
        assert!(lowest >= floor, "{least}/{most}: {lowest} running");
        let service = world.service();
        assert_eq!(service["deployments"].as_array().unwrap().len(), 1, "{least}/{most}");
        assert_eq!(service["deployments"][0]["rolloutState"], "COMPLETED", "{least}/{most}");
        assert!(world.tasks("RUNNING").iter().all(|it| it["taskDefinitionArn"] == json!(new)));
        assert_eq!(world.events().pop().unwrap(), "(service web) has reached a steady state.");
    }
}

/// The sentence: an event of a real service.
#[test]
fn a_configuration_without_room_says_so_once() {
    let mut world = World::with_instances(3, 2);
    let old = world.define("web", WEB, json!({}));
    let configuration = json!({"minimumHealthyPercent": 100, "maximumPercent": 100});
    world.serve(&old, 2, json!({"deploymentConfiguration": configuration, "availabilityZoneRebalancing": "DISABLED"}));
    world.pass(180);
    world.update(json!({"forceNewDeployment": true}));
    world.pass(600);
    let sentence = "(service web) was unable to stop or start tasks during a deployment because of the service deployment configuration. \
                    Update the minimumHealthyPercent or maximumPercent value and try again.";
    assert_eq!(world.events().iter().filter(|it| *it == sentence).count(), 1, "{:?}", world.events());
    assert_eq!(world.service()["deployments"].as_array().unwrap().len(), 2);
    assert_eq!(world.account.cloud.next_due(), None, "nothing will change by itself");
    world.update(json!({"deploymentConfiguration": {"minimumHealthyPercent": 50, "maximumPercent": 100}}));
    world.pass(600);
    assert_eq!(world.service()["deployments"].as_array().unwrap().len(), 1);
}

/// UpdateService in the API's reference: what makes a new deployment and what does not.
#[test]
fn only_some_members_deploy() {
    let mut world = steady(5);
    let first = world.service()["deployments"][0]["id"].clone();
    for quiet in [
        json!({"desiredCount": 2}),
        json!({"healthCheckGracePeriodSeconds": 30}),
        json!({"enableExecuteCommand": true}),
        json!({"placementStrategy": [{"type": "binpack", "field": "memory"}]}),
        json!({"deploymentConfiguration": {"maximumPercent": 150}}),
    ] {
        world.update(quiet.clone());
        assert_eq!(world.service()["deployments"][0]["id"], first, "{quiet}");
    }
    world.update(json!({"forceNewDeployment": true}));
    assert_ne!(world.service()["deployments"][0]["id"], first);
}

#[test]
fn scaling_goes_both_ways() {
    let mut world = steady(2);
    world.update(json!({"desiredCount": 5}));
    world.pass(180);
    assert_eq!(world.service()["runningCount"], 5);
    world.update(json!({"desiredCount": 1}));
    world.pass(180);
    assert_eq!(world.service()["runningCount"], 1);
    let stopped = world.tasks("STOPPED");
    assert_eq!(stopped.len(), 4);
    assert!(
        stopped[0]["stoppedReason"].as_str().unwrap().starts_with("Scaling activity initiated by (deployment ecs-svc/")
    );
    assert_eq!(stopped[0]["stopCode"], "ServiceSchedulerInitiated");
    let has = world.events().iter().any(|it| it.starts_with("(service web) has stopped 4 running tasks: (task "));
    assert!(has, "{:?}", world.events());
}

/// The sentence: service event messages of the developer guide; the id in brackets as in events of real services.
#[test]
fn what_does_not_fit_is_said_and_placed_when_there_is_room() {
    let mut world = World::with_instances(4, 1);
    let definition = world.define("web", WEB, json!({"memory": 2048}));
    world.serve(&definition, 2, json!({}));
    world.pass(300);
    let has = |world: &mut World, part: &str| world.events().iter().filter(|it| it.contains(part)).count();
    assert_eq!(world.service()["runningCount"], 1);
    assert_eq!(
        has(
            &mut world,
            "was unable to place a task because no container instance met all of its requirements. The closest matching (container-instance "
        ),
        1
    );
    assert_eq!(
        has(
            &mut world,
            ") has insufficient memory available. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
        ),
        1
    );
    world.instance(1);
    world.pass(120);
    assert_eq!(world.service()["runningCount"], 2);
}

#[test]
fn fixed_host_ports_allow_one_task_an_instance() {
    let mut world = World::with_instances(4, 1);
    let definition = world.define("web", WEB, json!({"portMappings": [{"containerPort": 8080, "hostPort": 8080}]}));
    world.serve(&definition, 2, json!({}));
    world.pass(120);
    assert_eq!(world.service()["runningCount"], 1);
    assert!(
        world.events().iter().any(|it| it.contains("is already using a port required by your task")),
        "{:?}",
        world.events()
    );
    let dynamic = world.define("web", WEB, json!({"portMappings": [{"containerPort": 8080, "hostPort": 0}]}));
    world.update(json!({"taskDefinition": dynamic}));
    world.pass(400);
    assert_eq!(world.service()["runningCount"], 2, "{:?}", world.events());
    let ports: Vec<u64> = world
        .tasks("RUNNING")
        .iter()
        .map(|it| it["containers"][0]["networkBindings"][0]["hostPort"].as_u64().unwrap())
        .collect();
    assert!(ports.iter().all(|port| *port >= 32_768) && ports[0] != ports[1], "{ports:?}");
}

#[test]
fn strategies_spread_and_pack() {
    for (strategy, expected) in [
        (json!([{"type": "spread", "field": "instanceId"}]), vec![2, 2]),
        (json!([{"type": "binpack", "field": "memory"}]), vec![4]),
    ] {
        let mut world = World::with_instances(4, 2);
        let definition = world.define("web", WEB, json!({}));
        let more = json!({"placementStrategy": strategy, "availabilityZoneRebalancing": "DISABLED"});
        world.serve(&definition, 4, more);
        world.pass(120);
        let mut load = std::collections::BTreeMap::new();
        for task in world.tasks("RUNNING") {
            *load.entry(task["containerInstanceArn"].to_string()).or_insert(0) += 1;
        }
        assert_eq!(load.into_values().collect::<Vec<_>>(), expected);
    }
}

#[test]
fn a_draining_instance_hands_its_tasks_over() {
    let mut world = World::with_instances(6, 2);
    let definition = world.define("web", WEB, json!({}));
    world.serve(&definition, 2, json!({}));
    world.pass(180);
    let instance = world.tasks("RUNNING")[0]["containerInstanceArn"].clone();
    world.ok(
        "UpdateContainerInstancesState",
        json!({"cluster": "shop", "containerInstances": [instance], "status": "DRAINING"}),
    );
    for _ in 0..300 {
        world.pass(1);
        let running = world.tasks("RUNNING").iter().filter(|it| it["lastStatus"] == "RUNNING").count();
        assert!(running >= 2, "start first");
    }
    assert!(world.tasks("RUNNING").iter().all(|it| it["containerInstanceArn"] != instance));
    assert_eq!(world.events().pop().unwrap(), "(service web) has reached a steady state.");
}

#[test]
fn a_lost_agent_takes_nothing_new() {
    let mut world = steady(8);
    crate::services::ecs::connect(&mut world.account.cloud, "i-00000000000000000", false);
    world.update(json!({"desiredCount": 4}));
    world.pass(120);
    assert_eq!(world.service()["runningCount"], 4, "the other instance takes them");
    crate::services::ecs::connect(&mut world.account.cloud, "i-00000000000000001", false);
    world.update(json!({"desiredCount": 5}));
    world.pass(120);
    assert!(world.events().iter().any(|it| it.contains("encountered error \"AGENT\"")), "{:?}", world.events());
}

/// amazon-ecs-agent: a stop is a payload that the agent acts on; without a connection nobody hands it over.
#[test]
fn a_task_of_a_lost_agent_stops_when_the_agent_is_back() {
    let mut world = steady(12);
    let task = world.tasks("RUNNING").remove(0);
    let (arn, machine) = (task["taskArn"].clone(), task["containerInstanceArn"].clone());
    let instance =
        world.ok("DescribeContainerInstances", json!({"cluster": "shop", "containerInstances": [machine.clone()]}));
    let id = instance["containerInstances"][0]["ec2InstanceId"].as_str().unwrap().to_owned();
    let outage = crate::services::outage::Outage::Agent(id);
    crate::services::outage::begin(&mut world.account.cloud, &outage).unwrap();
    let instance = world.ok("DescribeContainerInstances", json!({"cluster": "shop", "containerInstances": [machine]}));
    assert_eq!(instance["containerInstances"][0]["agentConnected"], false);
    assert_eq!(world.service()["runningCount"], 2, "what runs goes on being shown");
    world.ok("StopTask", json!({"cluster": "shop", "task": arn}));
    world.pass(300);
    let shown = world.task(arn.as_str().unwrap());
    assert_eq!((&shown["desiredStatus"], shown["lastStatus"] == "STOPPED"), (&json!("STOPPED"), false), "{shown}");
    assert_eq!(world.tasks("RUNNING").iter().filter(|it| it["lastStatus"] == "RUNNING").count(), 2, "one in its place");
    crate::services::outage::end(&mut world.account.cloud, &outage).unwrap();
    world.pass(120);
    assert_eq!(world.task(arn.as_str().unwrap())["lastStatus"], "STOPPED");
}

#[test]
fn a_daemon_runs_once_on_each_instance() {
    let mut world = World::with_instances(9, 2);
    let definition = world.define("web", WEB, json!({}));
    world.ok(
        "CreateService",
        json!({"cluster": "shop", "serviceName": "web", "taskDefinition": definition, "launchType": "EC2", "schedulingStrategy": "DAEMON"}),
    );
    world.pass(180);
    assert_eq!(world.service()["runningCount"], 2);
    world.instance(2);
    world.pass(180);
    let service = world.service();
    assert_eq!((&service["runningCount"], &service["desiredCount"]), (&json!(3), &json!(3)));
    assert_eq!(service["events"][0]["message"], "(service web) has reached a steady state.");
}

#[test]
fn a_deleted_service_drains_and_is_inactive() {
    let mut world = steady(2);
    let refusal = world.refused("DeleteService", json!({"cluster": "shop", "service": "web"}));
    assert_eq!(refusal, "InvalidParameterException: The service cannot be stopped while it is scaled above 0.");
    let answer = world.ok("DeleteService", json!({"cluster": "shop", "service": "web", "force": true}));
    assert_eq!(answer["service"]["status"], "DRAINING");
    world.pass(120);
    assert_eq!(world.service()["status"], "INACTIVE");
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let story = |seed| {
        let mut world = steady(seed);
        let new = world.define("web", "registry.example/shop/web:9.9", json!({}));
        world.update(json!({"taskDefinition": new}));
        world.pass(900);
        serde_json::to_string(&world.account.cloud).unwrap()
    };
    assert_eq!(story(11), story(11));
    assert_ne!(story(11), story(12));
}

#[test]
fn a_saved_cloud_goes_on_as_it_would_have() {
    let mut world = steady(13);
    let new = world.define("web", "registry.example/shop/web:2.0", json!({}));
    world.update(json!({"taskDefinition": new}));
    world.pass(20);
    let saved = serde_json::to_string(&world.account.cloud).unwrap();
    let mut other = World::empty(13);
    other.account.cloud = serde_json::from_str(&saved).unwrap();
    world.pass(600);
    other.pass(600);
    assert_eq!(
        serde_json::to_string(&world.account.cloud).unwrap(),
        serde_json::to_string(&other.account.cloud).unwrap()
    );
}
