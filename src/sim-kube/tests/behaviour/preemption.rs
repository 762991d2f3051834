//! Priorities: who goes first, who has to make room, and who says so.

use breakfix_sim_kube::{api::verbs::Part, kind};
use serde_json::{Value, json};

use crate::world::{SPACE, WEB, World, is_ready};

/// A cluster whose workers have three slots together, all on the first.
fn with_slots() -> World {
    let mut world = World::new();
    for (name, value, policy) in
        [("low", 1000, "PreemptLowerPriority"), ("high", 10_000, "PreemptLowerPriority"), ("polite", 20_000, "Never")]
    {
        let class = json!({"metadata": {"name": name}, "value": value, "preemptionPolicy": policy});
        world.create(&kind::PRIORITY_CLASS, "", class);
    }
    let edit = |node: &mut Value| node["status"]["capacity"]["example.com/slot"] = json!("3");
    world.cluster.update(&kind::NODE, "", "breakfix-worker", Part::Status, &World::admin(), edit).unwrap();
    world.run(7);
    world
}

fn pod(name: &str, class: &str) -> Value {
    let slot = json!({"example.com/slot": "1"});
    json!({"metadata": {"name": name, "labels": {"app": class}}, "spec": {"priorityClassName": class, "terminationGracePeriodSeconds": 1,
        "containers": [{"name": "main", "image": WEB, "resources": {"limits": slot, "requests": slot}}]}})
}

fn ready(world: &World) -> Vec<String> {
    let pods = world.pods();
    pods.iter().filter(|pod| is_ready(pod)).map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned()).collect()
}

/// Tried on 1.36: allocatable follows capacity after 5 s.
#[test]
fn an_extended_resource_can_be_had_once_the_node_tells_it() {
    let mut world = World::new();
    let edit = |node: &mut Value| node["status"]["capacity"]["example.com/slot"] = json!("3");
    world.cluster.update(&kind::NODE, "", "breakfix-worker", Part::Status, &World::admin(), edit).unwrap();
    let allocatable = |world: &World| {
        world.cluster.get(&kind::NODE, "", "breakfix-worker").unwrap()["status"]["allocatable"]["example.com/slot"]
            .clone()
    };
    world.run(2);
    assert_eq!(allocatable(&world), Value::Null);
    world.run(5);
    assert_eq!(allocatable(&world), "3");
}

/// Tried on 1.36 (`shop-evicted-by-a-report`): the event Preempted; the victim goes, the other one comes. Words of the source.
#[test]
fn a_pod_of_higher_priority_takes_the_place_of_another() {
    let mut world = with_slots();
    for name in ["low-0", "low-1", "low-2"] {
        world.create(&kind::POD, SPACE, pod(name, "low"));
    }
    world.run(4);
    assert_eq!(ready(&world).len(), 3);
    world.create(&kind::POD, SPACE, pod("high-0", "high"));
    world.run(8);
    let now = ready(&world);
    assert!(now.contains(&"high-0".to_owned()) && now.len() == 3, "{now:?} {:#?}", world.events());
    let uid = world.get(&kind::POD, "high-0")["metadata"]["uid"].as_str().unwrap().to_owned();
    let wanted = format!("x1: Preempted by pod {uid} on node breakfix-worker");
    assert!(world.events().iter().any(|event| event.starts_with("Preempted Pod/low-") && event.ends_with(&wanted)));
    assert!(world.events().iter().any(|event| {
        event.ends_with("0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient example.com/slot.")
    }));
}

/// The words of `FitError` and `PodEligibleToPreemptOthers`; documented: such a pod still goes before others in the queue.
#[test]
fn a_polite_pod_waits_and_is_the_first_when_there_is_room() {
    let mut world = with_slots();
    for name in ["low-0", "low-1", "low-2"] {
        world.create(&kind::POD, SPACE, pod(name, "low"));
    }
    world.run(4);
    world.create(&kind::POD, SPACE, pod("low-3", "low"));
    world.run(1);
    world.create(&kind::POD, SPACE, pod("polite-0", "polite"));
    world.run(4);
    assert_eq!(ready(&world).len(), 3);
    let said = world.get(&kind::POD, "polite-0")["status"]["conditions"][0]["message"].clone();
    assert_eq!(
        said,
        "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient example.com/slot. no new claims to deallocate, \
         preemption: not eligible due to preemptionPolicy=Never."
    );
    let options = breakfix_sim_kube::api::verbs::DeleteOptions::default();
    world.cluster.delete(&kind::POD, SPACE, "low-0", &options, &World::admin()).unwrap();
    world.run(16);
    assert!(ready(&world).contains(&"polite-0".to_owned()), "{:?}", ready(&world));
    assert!(!ready(&world).contains(&"low-3".to_owned()));
}

/// Recorded: unschedulable-cpu. Where nobody is less important, nobody can be made to go.
#[test]
fn equals_do_not_make_room() {
    let mut world = with_slots();
    for name in ["low-0", "low-1", "low-2", "low-3"] {
        world.create(&kind::POD, SPACE, pod(name, ""));
    }
    world.run(4);
    let waiting = world.pods().into_iter().find(|pod| !is_ready(pod)).unwrap();
    assert_eq!(
        waiting["status"]["conditions"][0]["message"],
        "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient example.com/slot. no new claims to deallocate, \
         preemption: 0/3 nodes are available: 1 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling."
    );
}
