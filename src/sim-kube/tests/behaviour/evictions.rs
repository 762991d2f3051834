//! A node that runs short of memory, and pods that fill the disk (`pkg/kubelet/eviction`, "Node-pressure Eviction" of the documentation; the
//! words about the disk are recorded on 1.36, `ephemeral-evicted`).

use std::{sync::Arc, time::Duration};

use breakfix_sim_kube::{
    kind,
    network::{self, Source},
    node,
};
use breakfix_workload::Request;
use serde_json::{Value, json};

use crate::world::{SPACE, WEB, World, condition};

const NODE: &str = "breakfix-worker";

/// A pod on the first worker that can be told to hold memory.
fn eater(world: &mut World, name: &str, requests: Value, more: Value) {
    let mut spec =
        json!({"nodeName": NODE, "containers": [{"name": "web", "image": WEB, "resources": {"requests": requests}}]});
    for (key, value) in more.as_object().unwrap() {
        spec[key] = value.clone();
    }
    world.create(&kind::POD, SPACE, json!({"metadata": {"name": name}, "spec": spec}));
}

/// Has a pod hold so many MiB for so long.
fn load(world: &mut World, caller: &Value, name: &str, mib: u64, seconds: u64) {
    let pod = world.get(&kind::POD, name);
    let url = format!("http://{}:8080/load?mb={mib}&seconds={seconds}", pod["status"]["podIP"].as_str().unwrap());
    let from = Source::Pod(caller["metadata"]["uid"].as_str().unwrap().to_owned());
    let request = Request { method: "POST".into(), ..Request::default() };
    let answered = network::http(&mut world.cluster, &from, &url, &request, Duration::from_secs(5));
    assert!(answered.outcome.is_ok(), "{:?}", answered.outcome);
}

fn node(world: &World) -> Arc<Value> {
    world.cluster.get(&kind::NODE, "", NODE).unwrap()
}

fn taints(world: &World) -> Vec<String> {
    let node = node(world);
    let taints = node["spec"]["taints"].as_array().into_iter().flatten();
    taints.map(|taint| format!("{}:{}", taint["key"].as_str().unwrap(), taint["effect"].as_str().unwrap())).collect()
}

fn phase(world: &World, name: &str) -> String {
    world.get(&kind::POD, name)["status"]["phase"].as_str().unwrap().to_owned()
}

#[test]
fn whoever_holds_more_than_it_asked_for_goes_first() {
    let mut world = World::new();
    let caller = world.caller();
    eater(&mut world, "asked", json!({"memory": "4Gi"}), json!({}));
    eater(&mut world, "greedy", json!({"memory": "100Mi"}), json!({}));
    eater(&mut world, "modest", json!({"memory": "1Gi"}), json!({}));
    world.run(5);
    for (name, mib) in [("asked", 3_500), ("modest", 1_500)] {
        load(&mut world, &caller, name, mib, 900);
    }
    world.run(30);
    assert_eq!(condition(&node(&world), "MemoryPressure"), "False", "there is enough for these");
    load(&mut world, &caller, "greedy", 2_500, 900);
    let took = world.until(15, "pressure", |cluster| {
        condition(&cluster.get(&kind::NODE, "", NODE).unwrap(), "MemoryPressure") == "True"
    });
    assert!(took <= 10.1, "kubelet looks every ten seconds: {took}");
    world.run(1);
    assert_eq!(taints(&world), ["node.kubernetes.io/memory-pressure:NoSchedule"]);
    world.run(10);
    let greedy = world.get(&kind::POD, "greedy");
    let status = &greedy["status"];
    assert_eq!((&status["phase"], &status["reason"]), (&json!("Failed"), &json!("Evicted")));
    let message = status["message"].as_str().unwrap();
    let (front, rest) = message.split_once(", available: ").unwrap();
    assert_eq!(front, "The node was low on resource: memory. Threshold quantity: 100Mi");
    let end = "Container web was using 2502Mi, request is 100Mi, has larger consumption of memory. ";
    assert!(rest.ends_with(end), "{message}");
    let disrupted =
        status["conditions"].as_array().unwrap().iter().find(|own| own["type"] == "DisruptionTarget").unwrap();
    assert_eq!((&disrupted["status"], &disrupted["reason"]), (&json!("True"), &json!("TerminationByKubelet")));
    assert_eq!(disrupted["message"], message);
    assert_eq!(status["containerStatuses"][0]["state"]["terminated"]["reason"], "Completed", "it was given a second");
    assert_eq!((phase(&world, "asked"), phase(&world, "modest")), ("Running".to_owned(), "Running".to_owned()));
    assert!(
        world.events().iter().any(|event| event.starts_with(&format!("Evicted Pod/greedy x1: {front}"))),
        "{:?}",
        world.events()
    );
    let told: Vec<String> = world
        .cluster
        .list(&kind::EVENT, Some("default"))
        .filter(|event| event["involvedObject"]["name"] == NODE)
        .map(|event| {
            format!(
                "{} {}: {}",
                event["type"].as_str().unwrap(),
                event["reason"].as_str().unwrap(),
                event["message"].as_str().unwrap()
            )
        })
        .collect();
    for wanted in [
        "Warning EvictionThresholdMet: Attempting to reclaim memory".to_owned(),
        format!("Normal NodeHasInsufficientMemory: Node {NODE} status is now: NodeHasInsufficientMemory"),
    ] {
        assert!(told.contains(&wanted), "{wanted}: {told:?}");
    }
    world.run(280);
    assert_eq!(condition(&node(&world), "MemoryPressure"), "True", "for five minutes");
    world.run(30);
    assert_eq!(condition(&node(&world), "MemoryPressure"), "False");
    assert!(taints(&world).is_empty());
}

#[test]
fn the_less_important_goes_before_the_greedier() {
    let mut world = World::new();
    let caller = world.caller();
    let class = json!({"metadata": {"name": "high"}, "value": 1000});
    world.create(&kind::PRIORITY_CLASS, "", class);
    eater(&mut world, "vital", json!({}), json!({"priorityClassName": "high"}));
    eater(&mut world, "plain", json!({}), json!({}));
    world.run(5);
    load(&mut world, &caller, "vital", 5_000, 900);
    load(&mut world, &caller, "plain", 2_500, 900);
    world.run(20);
    assert_eq!((phase(&world, "vital"), phase(&world, "plain")), ("Running".to_owned(), "Failed".to_owned()));
    // What says nothing of its needs is turned away now, even where the scheduler is not asked.
    eater(&mut world, "late", json!({}), json!({}));
    eater(&mut world, "late-but-honest", json!({"memory": "10Mi"}), json!({}));
    world.run(10);
    let late = world.get(&kind::POD, "late");
    assert_eq!((&late["status"]["phase"], &late["status"]["reason"]), (&json!("Failed"), &json!("Evicted")));
    assert_eq!(late["status"]["message"], "Pod was rejected: The node had condition: [MemoryPressure]. ");
    assert_eq!(phase(&world, "late-but-honest"), "Running");
}

/// A pod that its owner makes again finds another node: this one is tainted.
#[test]
fn a_deployment_moves_to_another_node() {
    let mut world = World::new();
    let caller = world.caller();
    let mut body = crate::world::deployment("web", 1, json!({}));
    body["spec"]["template"]["spec"]["nodeSelector"] = json!({"kubernetes.io/hostname": NODE});
    world.create(&kind::DEPLOYMENT, SPACE, body);
    world.run(5);
    let first = world.pods_of("web-")[0]["metadata"]["name"].as_str().unwrap().to_owned();
    load(&mut world, &caller, &first, 7_600, 900);
    world.run(20);
    assert_eq!(phase(&world, &first), "Failed");
    let pods = world.pods_of("web-");
    let other = pods.iter().find(|pod| pod["metadata"]["name"] != first).expect("a replacement is made");
    let told = other["status"]["conditions"][0]["message"].as_str().unwrap();
    assert!(told.contains("2 node(s) had untolerated taint(s)"), "{told}");
}

#[test]
fn a_pod_that_fills_more_than_it_may_goes() {
    let mut world = World::new();
    // Two thousand bytes, doubled ten times.
    let write = |at: &str| {
        let doubled = format!("cat {at}a {at}a > {at}b; cat {at}b > {at}a; ").repeat(10);
        format!("echo {} > {at}a; {doubled}sleep 600", "0123456789".repeat(200))
    };
    let limits = json!({"limits": {"ephemeral-storage": "1Mi"}});
    let disk = json!({"containers": [{"name": "main", "image": WEB, "command": ["sh", "-c", write("/tmp/x")], "resources": limits}]});
    world.create(&kind::POD, SPACE, json!({"metadata": {"name": "disk"}, "spec": disk}));
    let volume = json!({
        "containers": [{"name": "main", "image": WEB, "command": ["sh", "-c", write("/e/x")], "volumeMounts": [{"name": "e", "mountPath": "/e"}]}],
        "volumes": [{"name": "e", "emptyDir": {"sizeLimit": "1Mi"}}],
    });
    world.create(&kind::POD, SPACE, json!({"metadata": {"name": "emptydir"}, "spec": volume}));
    world.run(20);
    let disk = world.get(&kind::POD, "disk");
    assert_eq!(
        (&disk["status"]["phase"], &disk["status"]["reason"]),
        (&json!("Failed"), &json!("Evicted")),
        "{}",
        world.scene()
    );
    assert_eq!(
        disk["status"]["message"],
        "Pod ephemeral local storage usage exceeds the total limit of containers 1Mi. "
    );
    assert!(!disk["status"]["conditions"].as_array().unwrap().iter().any(|own| own["type"] == "DisruptionTarget"));
    world.run(60);
    let full = world.get(&kind::POD, "emptydir");
    assert_eq!(full["status"]["message"], "Usage of EmptyDir volume \"e\" exceeds the limit \"1Mi\". ");
}

/// What has no limit and holds little is left alone, and nobody looks at it.
#[test]
fn an_idle_node_is_not_looked_at() {
    let mut world = World::new();
    world.caller();
    world.run(60);
    assert_eq!(world.cluster.controllers.steps("kubelet-eviction"), 0);
    assert!(node::machine::has_kubelet(&world.cluster, NODE));
}
