//! DaemonSets: a pod a node, its bounds, its replacement.

use std::collections::BTreeSet;

use breakfix_sim_kube::{
    api::verbs::{DeleteOptions, Part},
    kind,
};
use serde_json::{Value, json};

use crate::world::{SPACE, WEB, World, is_ready};

const NEW: &str = "registry.example/shop/web:1.5";

fn daemon_set(extra: Value) -> Value {
    let mut set = json!({
        "metadata": {"name": "agent"},
        "spec": {
            "selector": {"matchLabels": {"app": "agent"}},
            "template": {
                "metadata": {"labels": {"app": "agent"}},
                "spec": {"terminationGracePeriodSeconds": 1, "containers": [{
                    "name": "main",
                    "image": WEB,
                    "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 1},
                }]},
            },
        },
    });
    for (field, value) in extra.as_object().unwrap() {
        set["spec"][field] = value.clone();
    }
    set
}

fn nodes(world: &World) -> BTreeSet<String> {
    world.pods().iter().map(|pod| pod["spec"]["nodeName"].as_str().unwrap_or("").to_owned()).collect()
}

fn status(world: &World, field: &str) -> i64 {
    world.get(&kind::DAEMON_SET, "agent")["status"][field].as_i64().unwrap_or(0)
}

fn edit_node(world: &mut World, name: &str, edit: impl FnOnce(&mut Value)) {
    world.cluster.update(&kind::NODE, "", name, Part::Main, &World::admin(), edit).unwrap();
}

#[test]
fn every_node_that_should_has_one() {
    let mut world = World::new();
    world.create(&kind::DAEMON_SET, SPACE, daemon_set(json!({})));
    world.run(5);
    assert_eq!(nodes(&world), ["breakfix-worker", "breakfix-worker2"].map(str::to_owned).into());
    // The order of a real server: those of the daemon first, then what admission adds to every pod is there already.
    let pod = world.pods().remove(0);
    let tolerated: BTreeSet<&str> =
        pod["spec"]["tolerations"].as_array().unwrap().iter().map(|it| it["key"].as_str().unwrap()).collect();
    assert!(
        tolerated.contains("node.kubernetes.io/unschedulable") && tolerated.contains("node.kubernetes.io/pid-pressure")
    );
    assert_eq!(pod["metadata"]["labels"]["pod-template-generation"], "1");
    assert!(pod["spec"]["affinity"]["nodeAffinity"].is_object(), "the scheduler binds it");
    assert_eq!(status(&world, "desiredNumberScheduled"), 2);
    assert_eq!(status(&world, "numberAvailable"), 2);
}

/// Tried on 1.36 (`daemonset`): with the defaults one node after the other, and the new pod once the old one has ended.
#[test]
fn a_roll_out_goes_from_node_to_node() {
    let mut world = World::new();
    world.create(&kind::DAEMON_SET, SPACE, daemon_set(json!({})));
    world.run(5);
    world.edit(&kind::DAEMON_SET, "agent", |set| {
        set["spec"]["template"]["spec"]["containers"][0]["image"] = json!(NEW);
    });
    let mut fewest = 2;
    world.until(40, "both are new", |cluster| {
        let pods: Vec<_> = cluster.list(&kind::POD, Some(SPACE)).collect();
        let ready = pods.iter().filter(|pod| is_ready(pod) && pod["metadata"]["deletionTimestamp"].is_null()).count();
        fewest = fewest.min(ready);
        ready == 2 && pods.iter().all(|pod| pod["spec"]["containers"][0]["image"] == NEW)
    });
    assert_eq!(fewest, 1);
    world.run(1);
    assert_eq!(status(&world, "updatedNumberScheduled"), 2);
    let mut revisions: Vec<i64> = world
        .cluster
        .list(&kind::CONTROLLER_REVISION, Some(SPACE))
        .map(|revision| revision["revision"].as_i64().unwrap())
        .collect();
    revisions.sort_unstable();
    assert_eq!(revisions, [1, 2]);
}

/// Documented: with `maxSurge` the new pod is there before the old one goes.
#[test]
fn a_surge_leaves_no_node_without() {
    let mut world = World::new();
    let strategy = json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}});
    world.create(&kind::DAEMON_SET, SPACE, daemon_set(json!({"updateStrategy": strategy})));
    world.run(5);
    world.edit(&kind::DAEMON_SET, "agent", |set| {
        set["spec"]["template"]["spec"]["containers"][0]["image"] = json!(NEW);
    });
    world.until(40, "both are new", |cluster| {
        let pods: Vec<_> = cluster
            .list(&kind::POD, Some(SPACE))
            .filter(|pod| is_ready(pod) && pod["metadata"]["deletionTimestamp"].is_null())
            .collect();
        let served: BTreeSet<&str> = pods.iter().filter_map(|pod| pod["spec"]["nodeName"].as_str()).collect();
        assert_eq!(served.len(), 2, "a node is without");
        pods.iter().all(|pod| pod["spec"]["containers"][0]["image"] == NEW)
    });
}

/// Documented: `OnDelete` replaces nothing by itself.
#[test]
fn on_delete_waits() {
    let mut world = World::new();
    world.create(&kind::DAEMON_SET, SPACE, daemon_set(json!({"updateStrategy": {"type": "OnDelete"}})));
    world.run(5);
    world.edit(&kind::DAEMON_SET, "agent", |set| {
        set["spec"]["template"]["spec"]["containers"][0]["image"] = json!(NEW);
    });
    world.run(20);
    assert!(world.pods().iter().all(|pod| pod["spec"]["containers"][0]["image"] == WEB));
    assert_eq!(status(&world, "updatedNumberScheduled"), 0);
    let first = world.pods().remove(0);
    let name = first["metadata"]["name"].as_str().unwrap();
    world.cluster.delete(&kind::POD, SPACE, name, &DeleteOptions::default(), &World::admin()).unwrap();
    world.run(10);
    assert_eq!(status(&world, "updatedNumberScheduled"), 1);
}

/// `NodeShouldRunDaemonPod`: a cordon changes nothing, a taint NoSchedule keeps what is there, a label that goes takes it away.
#[test]
fn nodes_come_to_want_it_or_not() {
    let mut world = World::new();
    world.create(&kind::DAEMON_SET, SPACE, daemon_set(json!({})));
    world.run(5);
    edit_node(&mut world, "breakfix-worker", |node| node["spec"]["unschedulable"] = json!(true));
    world.run(2);
    assert_eq!(status(&world, "desiredNumberScheduled"), 2);
    edit_node(&mut world, "breakfix-worker", |node| {
        node["spec"]["taints"] = json!([{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]);
    });
    world.run(3);
    assert_eq!((status(&world, "desiredNumberScheduled"), status(&world, "numberMisscheduled")), (1, 1));
    assert_eq!(world.pods().len(), 2);
    world.edit(&kind::DAEMON_SET, "agent", |set| {
        set["spec"]["template"]["spec"]["nodeSelector"] = json!({"disk": "fast"});
    });
    world.run(10);
    assert_eq!(world.pods().len(), 0);
    assert_eq!(status(&world, "desiredNumberScheduled"), 0);
    edit_node(&mut world, "breakfix-worker2", |node| node["metadata"]["labels"]["disk"] = json!("fast"));
    world.run(5);
    assert_eq!(nodes(&world), ["breakfix-worker2".to_owned()].into());
}

/// `daemon_controller.go`: a pod that failed is deleted and made again, ever more slowly.
#[test]
fn a_failed_daemon_is_replaced() {
    let mut world = World::new();
    world.create(&kind::DAEMON_SET, SPACE, daemon_set(json!({})));
    world.run(5);
    let pod = world.pods().remove(0);
    let (name, node) = (pod["metadata"]["name"].as_str().unwrap(), pod["spec"]["nodeName"].as_str().unwrap());
    world
        .cluster
        .update(&kind::POD, SPACE, name, Part::Status, &World::admin(), |pod| pod["status"]["phase"] = json!("Failed"))
        .unwrap();
    world.run(5);
    let words = format!(
        "FailedDaemonPod DaemonSet/agent x1: Found failed daemon pod shop/{name} on node {node}, will try to kill it"
    );
    assert!(world.events().contains(&words), "{}", world.scene());
    assert_eq!(nodes(&world).len(), 2);
    assert!(world.pods().iter().all(|pod| is_ready(pod)));
}
