//! Disruption budgets, and the evictions that they refuse.

use breakfix_sim_kube::{
    Status,
    api::verbs::{DeleteOptions, Part},
    kind,
};
use serde_json::{Value, json};

use crate::world::{SPACE, World, condition, deployment};

fn budget(spec: Value) -> Value {
    let mut budget = json!({"metadata": {"name": "web"}, "spec": {"selector": {"matchLabels": {"app": "web"}}}});
    for (field, value) in spec.as_object().unwrap() {
        budget["spec"][field] = value.clone();
    }
    budget
}

fn with_web(replicas: u64, spec: Value) -> World {
    let mut world = World::new();
    let probe = json!({"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 1});
    world.create(&kind::DEPLOYMENT, SPACE, deployment("web", replicas, json!({"readinessProbe": probe})));
    world.create(&kind::POD_DISRUPTION_BUDGET, SPACE, budget(spec));
    world.run(6);
    world
}

fn status(world: &World) -> Value {
    world.get(&kind::POD_DISRUPTION_BUDGET, "web")["status"].clone()
}

fn evict(world: &mut World, pod: &Value) -> Result<(), Status> {
    let name = pod["metadata"]["name"].as_str().unwrap();
    world.cluster.evict(SPACE, name, &DeleteOptions::default(), &World::admin())
}

/// Documented (`disruption.go`, `eviction.go`): one may go at a time, the next when its successor is healthy.
#[test]
fn a_budget_lets_one_go_at_a_time() {
    let mut world = with_web(3, json!({"minAvailable": 2}));
    let counts = status(&world);
    assert_eq!(
        (&counts["expectedPods"], &counts["currentHealthy"], &counts["desiredHealthy"], &counts["disruptionsAllowed"]),
        (&json!(3), &json!(3), &json!(2), &json!(1))
    );
    assert_eq!(condition(&world.get(&kind::POD_DISRUPTION_BUDGET, "web"), "DisruptionAllowed"), "True");
    let pods = world.pods();
    evict(&mut world, &pods[0]).unwrap();
    let gone = world.get(&kind::POD, pods[0]["metadata"]["name"].as_str().unwrap());
    assert!(gone["metadata"]["deletionTimestamp"].is_string());
    assert_eq!(condition(&gone, "DisruptionTarget"), "True");
    let refused = evict(&mut world, &pods[1]).unwrap_err();
    assert_eq!((refused.code, refused.reason.as_str()), (429, "TooManyRequests"));
    assert_eq!(refused.message, "Cannot evict pod as it would violate the pod's disruption budget.");
    world.run_millis(200);
    let refused = evict(&mut world, &pods[1]).unwrap_err();
    assert_eq!(
        refused.details["causes"][0],
        json!({"reason": "DisruptionBudget", "message": "The disruption budget web needs 2 healthy pods and has 2 currently"})
    );
    world.run(10);
    evict(&mut world, &pods[1]).unwrap();
}

#[test]
fn a_share_is_of_what_the_deployment_wants() {
    let mut world = with_web(4, json!({"maxUnavailable": "25%"}));
    assert_eq!((&status(&world)["desiredHealthy"], &status(&world)["disruptionsAllowed"]), (&json!(3), &json!(1)));
    world.edit(&kind::DEPLOYMENT, "web", |web| web["spec"]["replicas"] = json!(8));
    world.run(6);
    assert_eq!(status(&world)["disruptionsAllowed"], 2);
}

/// Documented: with every pod needed nothing can be drained, the classic trap.
#[test]
fn a_budget_of_all_pods_allows_nothing() {
    let mut world = with_web(2, json!({"minAvailable": "100%"}));
    assert_eq!(status(&world)["disruptionsAllowed"], 0);
    let pod = world.pods().remove(0);
    assert_eq!(evict(&mut world, &pod).unwrap_err().code, 429);
    let dry = DeleteOptions { dry_run: true, ..DeleteOptions::default() };
    let name = pod["metadata"]["name"].as_str().unwrap();
    assert_eq!(world.cluster.evict(SPACE, name, &dry, &World::admin()).unwrap_err().code, 429);
    let condition = &status(&world)["conditions"][0];
    assert_eq!((&condition["reason"], &condition["status"]), (&json!("InsufficientPods"), &json!("False")));
}

/// Documented (`unhealthyPodEvictionPolicy`): by default a pod that is not Ready goes only while the others are enough.
#[test]
fn an_unhealthy_pod_goes_where_the_policy_says_so() {
    for (policy, allowed) in [(None, false), (Some("AlwaysAllow"), true)] {
        let mut spec = json!({"minAvailable": 2});
        if let Some(policy) = policy {
            spec["unhealthyPodEvictionPolicy"] = json!(policy);
        }
        let mut world = with_web(2, spec);
        let pod = world.pods().remove(0);
        let name = pod["metadata"]["name"].as_str().unwrap().to_owned();
        world
            .cluster
            .update(&kind::POD, SPACE, &name, Part::Status, &World::admin(), |pod| {
                for condition in pod["status"]["conditions"].as_array_mut().unwrap() {
                    if condition["type"] == "Ready" {
                        condition["status"] = json!("False");
                    }
                }
            })
            .unwrap();
        world.run_millis(100);
        let pod = world.get(&kind::POD, &name);
        assert_eq!(evict(&mut world, &pod).is_ok(), allowed, "{policy:?}");
    }
}

/// `eviction.go`: two budgets over one pod are nobody's; a pod without a budget simply goes.
#[test]
fn two_budgets_are_one_too_many() {
    let mut world = with_web(2, json!({"minAvailable": 1}));
    let mut second = budget(json!({"maxUnavailable": 1}));
    second["metadata"]["name"] = json!("web-too");
    world.create(&kind::POD_DISRUPTION_BUDGET, SPACE, second);
    world.run(1);
    let pod = world.pods().remove(0);
    let refused = evict(&mut world, &pod).unwrap_err();
    assert_eq!(refused.code, 500);
    assert_eq!(
        refused.message,
        "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
    );
    let caller = world.caller();
    evict(&mut world, &caller).unwrap();
}

/// `disruption.go`: pods that nothing scales cannot be counted by share.
#[test]
fn what_cannot_be_counted_is_not_evicted() {
    let mut world = World::new();
    world.create(
        &kind::POD,
        SPACE,
        json!({"metadata": {"name": "bare", "labels": {"app": "web"}}, "spec": {"containers": [
            {"name": "main", "image": crate::world::WEB, "command": ["sleep", "infinity"]}]}}),
    );
    world.create(&kind::POD_DISRUPTION_BUDGET, SPACE, budget(json!({"maxUnavailable": 1})));
    world.run(4);
    assert_eq!(status(&world)["disruptionsAllowed"], 0);
    assert!(
        world.events().iter().any(|event| event.starts_with("UnmanagedPods PodDisruptionBudget/web")),
        "{}",
        world.scene()
    );
}
