//! Nodes that go quiet and come back: what the control plane says of them, and what becomes of their pods.

use breakfix_sim_kube::{
    api::verbs::{DeleteOptions, Part},
    kind,
    node::machine,
};
use serde_json::{Value, json};

use crate::world::{SPACE, WEB, World, condition, deployment, is_ready, service};

const QUIET: &str = "breakfix-worker2";

fn systemctl(world: &mut World, node: &str, verb: &str) {
    let argv = ["systemctl", verb, "kubelet"].map(str::to_owned);
    machine::command(&mut world.cluster, node, &argv).unwrap();
}

fn node(world: &World, name: &str) -> Value {
    Value::clone(&world.cluster.get(&kind::NODE, "", name).unwrap())
}

fn ready(world: &World, name: &str) -> String {
    condition(&node(world, name), "Ready").to_owned()
}

fn taints(world: &World, name: &str) -> Vec<String> {
    let node = node(world, name);
    let taints = node["spec"]["taints"].as_array().into_iter().flatten();
    taints.map(|taint| format!("{}:{}", taint["key"].as_str().unwrap(), taint["effect"].as_str().unwrap())).collect()
}

/// What the controllers said of a node.
fn told(world: &World, name: &str) -> Vec<String> {
    let of_node = |event: &&std::sync::Arc<Value>| event["involvedObject"]["name"] == name;
    let events = world.cluster.list(&kind::EVENT, Some("default")).filter(of_node);
    events.map(|event| event["reason"].as_str().unwrap().to_owned()).collect()
}

fn pinned(name: &str, node: &str, tolerations: Value) -> Value {
    json!({"metadata": {"name": name, "labels": {"app": name}}, "spec": {"nodeName": node, "tolerations": tolerations,
        "containers": [{"name": "main", "image": WEB}]}})
}

/// Recorded: node-not-ready, after 45 to 55 s (the last heartbeat lies up to ten seconds back, the monitor looks every five).
#[test]
fn a_quiet_node_is_unknown_after_the_grace() {
    let mut world = World::new();
    assert!(told(&world, QUIET).contains(&"RegisteredNode".to_owned()), "{:?}", told(&world, QUIET));
    systemctl(&mut world, QUIET, "stop");
    let took = world
        .until(70, "Unknown", |cluster| condition(&cluster.get(&kind::NODE, "", QUIET).unwrap(), "Ready") == "Unknown");
    assert!((40.0..=55.5).contains(&took), "{took}");
    world.run(1);
    assert_eq!(
        taints(&world, QUIET),
        ["node.kubernetes.io/unreachable:NoSchedule", "node.kubernetes.io/unreachable:NoExecute"]
    );
    assert!(told(&world, QUIET).contains(&"NodeNotReady".to_owned()));
    assert_eq!(ready(&world, "breakfix-worker"), "True");
    systemctl(&mut world, QUIET, "start");
    world.run(1);
    assert_eq!((ready(&world, QUIET).as_str(), taints(&world, QUIET).len()), ("True", 0));
    assert!(told(&world, QUIET).contains(&"NodeReady".to_owned()));
}

/// Documented (DefaultTolerationSeconds): five minutes for pods that say nothing; a daemon's pod stays.
#[test]
fn pods_leave_after_five_minutes_and_daemons_stay() {
    let mut world = World::new();
    world.create(&kind::DEPLOYMENT, SPACE, deployment("web", 2, json!({})));
    world.create(&kind::SERVICE, SPACE, service("web", "web", 80, json!(8080)));
    let mut daemon = deployment("agent", 1, json!({}));
    daemon["spec"].as_object_mut().unwrap().remove("replicas");
    world.create(&kind::DAEMON_SET, SPACE, daemon);
    world.run(5);
    let here = |world: &World, front: &str| {
        let pods = world.pods_of(front);
        pods.into_iter().filter(|pod| pod["spec"]["nodeName"] == QUIET).collect::<Vec<_>>()
    };
    let lost = here(&world, "web")[0]["metadata"]["name"].as_str().unwrap().to_owned();
    systemctl(&mut world, QUIET, "stop");
    world.run(60);
    let pod = world.get(&kind::POD, &lost);
    assert_eq!((condition(&pod, "Ready"), condition(&pod, "ContainersReady")), ("False", "True"));
    let slices: Vec<_> = world.cluster.list(&kind::ENDPOINT_SLICE, Some(SPACE)).cloned().collect();
    let endpoint =
        slices[0]["endpoints"].as_array().unwrap().iter().find(|one| one["targetRef"]["name"] == lost.as_str());
    assert_eq!(endpoint.unwrap()["conditions"]["ready"], false);
    assert!(world.events().iter().any(|event| event.ends_with(": Node is not ready")), "{}", world.scene());
    world.run(230);
    assert!(world.get(&kind::POD, &lost)["metadata"]["deletionTimestamp"].is_null(), "patience has not ended");
    world.run(75);
    let pod = world.get(&kind::POD, &lost);
    assert!(!pod["metadata"]["deletionTimestamp"].is_null());
    assert_eq!(pod["status"]["phase"], "Running", "nobody there says that it has ended");
    assert_eq!(world.pods_of("web").iter().filter(|pod| is_ready(pod)).count(), 2, "another has taken its place");
    assert_eq!(here(&world, "agent").len(), 1);
    assert!(here(&world, "agent")[0]["metadata"]["deletionTimestamp"].is_null());
    world.run(600);
    assert!(world.cluster.get(&kind::POD, SPACE, &lost).is_ok(), "it is Terminating for as long as the node is silent");
    systemctl(&mut world, QUIET, "start");
    world.run(5);
    assert!(world.cluster.get(&kind::POD, SPACE, &lost).is_err());
    assert!(is_ready(&here(&world, "agent")[0]), "{}", world.scene());
}

/// Documented: by force a pod leaves the API at once; its container is found and ended when kubelet is back.
#[test]
fn a_pod_removed_by_force_runs_on_until_kubelet_is_back() {
    let mut world = World::new();
    world.create(&kind::POD, SPACE, pinned("web", QUIET, json!([])));
    world.run(4);
    let caller = world.caller();
    let ip = world.get(&kind::POD, "web")["status"]["podIP"].as_str().unwrap().to_owned();
    systemctl(&mut world, QUIET, "stop");
    world.run(60);
    let now = DeleteOptions { grace_seconds: Some(0), ..DeleteOptions::default() };
    world.cluster.delete(&kind::POD, SPACE, "web", &now, &World::admin()).unwrap();
    world.run(5);
    assert!(world.get_from(&caller, &format!("http://{ip}:8080/")).is_ok(), "the container runs on");
    systemctl(&mut world, QUIET, "start");
    world.run(40);
    assert!(world.get_from(&caller, &format!("http://{ip}:8080/")).is_err());
}

/// Documented: a status that is written by hand is believed for as long as a heartbeat would be.
#[test]
fn a_ready_written_by_hand_does_not_last() {
    let mut world = World::new();
    systemctl(&mut world, QUIET, "stop");
    world.run(60);
    let by = World::admin();
    let lie = |node: &mut Value| {
        for condition in node["status"]["conditions"].as_array_mut().unwrap() {
            condition["status"] = json!(if condition["type"] == "Ready" { "True" } else { "False" });
        }
    };
    world.cluster.update(&kind::NODE, "", QUIET, Part::Status, &by, lie).unwrap();
    world.run(2);
    assert_eq!(taints(&world, QUIET).len(), 0, "the controllers believe what is written");
    world.run(58);
    assert_eq!(ready(&world, QUIET), "Unknown");
}

/// Documented: kubelet registers its node when it starts, and at no other time.
#[test]
fn a_deleted_node_comes_back_with_a_restart_of_kubelet() {
    let mut world = World::new();
    world.create(&kind::POD, SPACE, pinned("web", QUIET, json!([])));
    world.run(4);
    let old = node(&world, QUIET)["metadata"]["uid"].clone();
    world.cluster.delete(&kind::NODE, "", QUIET, &DeleteOptions::default(), &World::admin()).unwrap();
    world.run(90);
    assert!(world.cluster.get(&kind::NODE, "", QUIET).is_err());
    assert!(world.cluster.get(&kind::POD, SPACE, "web").is_err(), "pods of a node that is gone are collected");
    assert!(told(&world, QUIET).contains(&"RemovingNode".to_owned()));
    systemctl(&mut world, QUIET, "restart");
    world.run(10);
    let new = node(&world, QUIET);
    assert_ne!(new["metadata"]["uid"], old);
    assert_eq!(condition(&new, "Ready"), "True");
    world.create(&kind::POD, SPACE, pinned("again", QUIET, json!([])));
    world.run(4);
    assert!(is_ready(&world.get(&kind::POD, "again")));
}

/// Documented (`NodeStatusNeverUpdated`): a Node that nobody's kubelet stands behind.
#[test]
fn a_node_made_by_hand_never_becomes_ready() {
    let mut world = World::new();
    world.create(&kind::NODE, "", json!({"metadata": {"name": "paper"}}));
    world.create(&kind::POD, SPACE, pinned("web", "paper", json!([])));
    world.run(70);
    let paper = node(&world, "paper");
    assert_eq!(paper["status"]["conditions"][3]["reason"], "NodeStatusNeverUpdated");
    assert_eq!(world.get(&kind::POD, "web")["status"]["phase"], "Pending");
}

/// `handleDisruption`: where no node answers it is the control plane that is cut off, and nobody is driven out.
#[test]
fn when_every_node_is_quiet_no_pod_is_driven_out() {
    let mut world = World::new();
    for node in ["breakfix-control-plane", "breakfix-worker", QUIET] {
        systemctl(&mut world, node, "stop");
    }
    world.run(80);
    for node in ["breakfix-worker", QUIET] {
        assert_eq!(ready(&world, node), "Unknown");
        assert_eq!(taints(&world, node), ["node.kubernetes.io/unreachable:NoSchedule"]);
    }
    systemctl(&mut world, "breakfix-control-plane", "start");
    world.run(3);
    let driven = |world: &World| {
        let nodes = ["breakfix-worker", QUIET];
        nodes.iter().filter(|node| taints(world, node).len() == 2).count()
    };
    assert_eq!(driven(&world), 1, "one node in ten seconds");
    world.run(10);
    assert_eq!(driven(&world), 2);
}
