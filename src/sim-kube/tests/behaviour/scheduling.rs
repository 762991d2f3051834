//! Which node a pod goes to, and why none.

use std::collections::BTreeSet;

use breakfix_sim_kube::{Kind, api::verbs::Part, kind};
use serde_json::{Value, json};

use crate::world::{SPACE, WEB, World, condition, deployment, is_ready};

fn pod(name: &str, spec: Value) -> Value {
    let mut spec = spec;
    spec["containers"] = json!([{"name": "main", "image": WEB, "resources": spec["resources"]}]);
    spec.as_object_mut().unwrap().remove("resources");
    if spec["containers"][0]["resources"].is_null() {
        spec["containers"][0].as_object_mut().unwrap().remove("resources");
    }
    json!({"metadata": {"name": name}, "spec": spec})
}

fn edit(world: &mut World, kind: &'static Kind, name: &str, edit: impl FnOnce(&mut Value)) {
    world.cluster.update(kind, "", name, Part::Main, &World::admin(), edit).unwrap();
}

fn node_of(world: &World, name: &str) -> String {
    world.get(&kind::POD, name)["spec"]["nodeName"].as_str().unwrap_or("").to_owned()
}

/// Documented: pods of one workload are spread, and never on the tainted node.
#[test]
fn pods_are_spread_over_the_workers() {
    let mut world = World::new();
    world.create(&kind::DEPLOYMENT, SPACE, deployment("web", 4, json!({})));
    world.run(3);
    let nodes: Vec<String> =
        world.pods().iter().map(|pod| pod["spec"]["nodeName"].as_str().unwrap().to_owned()).collect();
    for worker in ["breakfix-worker", "breakfix-worker2"] {
        assert_eq!(nodes.iter().filter(|node| *node == worker).count(), 2, "{nodes:?}");
    }
}

/// Documented: cordon taints the node, new pods stay away, and everything follows the cordon's end by itself.
#[test]
fn a_cordon_keeps_pods_away_until_it_ends() {
    let mut world = World::new();
    for worker in ["breakfix-worker", "breakfix-worker2"] {
        edit(&mut world, &kind::NODE, worker, |node| node["spec"]["unschedulable"] = json!(true));
    }
    world.run(1);
    let node = world.cluster.get(&kind::NODE, "", "breakfix-worker").unwrap();
    assert_eq!(node["spec"]["taints"][0]["key"], "node.kubernetes.io/unschedulable");
    world.create(&kind::POD, SPACE, pod("web", json!({})));
    world.run(3);
    let web = world.get(&kind::POD, "web");
    assert_eq!(condition(&web, "PodScheduled"), "False");
    assert!(world.events().iter().any(|event| event.contains(
        "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 node(s) were unschedulable. no new claims to deallocate"
    )), "{:#?}", world.events());
    edit(&mut world, &kind::NODE, "breakfix-worker2", |node| {
        drop(node["spec"].as_object_mut().unwrap().remove("unschedulable"))
    });
    world.run(15);
    assert_eq!(node_of(&world, "web"), "breakfix-worker2");
    assert!(is_ready(&world.get(&kind::POD, "web")));
}

/// Tried on 1.36 (`pending-for-ever`): a full cluster takes the pod as soon as there is room; nothing polls.
#[test]
fn a_waiting_pod_takes_the_room_that_others_leave() {
    let mut world = World::new();
    let big = |name: &str| pod(name, json!({"resources": {"requests": {"cpu": "3"}}}));
    for name in ["one", "two", "three"] {
        world.create(&kind::POD, SPACE, big(name));
        world.run(1);
    }
    assert_eq!(node_of(&world, "three"), "");
    assert!(world.events().iter().any(|event| event.contains("2 Insufficient cpu")
        && event.contains("preemption: 0/3 nodes are available: 1 Preemption is not helpful for scheduling, 2 No preemption victims found for incoming pod.")), "{:#?}", world.events());
    let before = world.events().iter().filter(|event| event.contains("FailedScheduling")).count();
    world.run(60);
    assert_eq!(world.events().iter().filter(|event| event.contains("FailedScheduling")).count(), before);
    world.cluster.delete(&kind::POD, SPACE, "one", &Default::default(), &World::admin()).unwrap();
    world.until(5, "it has a node", |cluster| {
        cluster.get(&kind::POD, SPACE, "three").unwrap()["spec"]["nodeName"].is_string()
    });
}

/// Documented: selectors, affinity, tolerations, a name, another scheduler, gates.
#[test]
fn a_pod_says_where_it_may_go() {
    let mut world = World::new();
    edit(&mut world, &kind::NODE, "breakfix-worker2", |node| node["metadata"]["labels"]["disk"] = json!("ssd"));
    let affinity = |operator: &str| {
        json!({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": [{"matchExpressions": [{"key": "disk", "operator": operator}]}]}}}})
    };
    let toleration = json!({"tolerations": [{"key": "node-role.kubernetes.io/control-plane", "operator": "Exists", "effect": "NoSchedule"}],
        "nodeSelector": {"node-role.kubernetes.io/control-plane": ""}});
    for (name, spec) in [
        ("selected", json!({"nodeSelector": {"disk": "ssd"}})),
        ("affine", affinity("Exists")),
        ("averse", affinity("DoesNotExist")),
        ("tolerant", toleration),
        ("named", json!({"nodeName": "breakfix-control-plane"})),
        ("foreign", json!({"schedulerName": "my-scheduler"})),
    ] {
        world.create(&kind::POD, SPACE, pod(name, spec));
    }
    world.run(4);
    let nodes: Vec<String> =
        ["selected", "affine", "averse", "tolerant", "named", "foreign"].map(|name| node_of(&world, name)).into();
    assert_eq!(
        nodes,
        [
            "breakfix-worker2",
            "breakfix-worker2",
            "breakfix-worker",
            "breakfix-control-plane",
            "breakfix-control-plane",
            ""
        ]
    );
    let foreign = world.get(&kind::POD, "foreign");
    assert_eq!(condition(&foreign, "PodScheduled"), "-", "nobody says anything");
    assert!(is_ready(&world.get(&kind::POD, "named")), "the scheduler's rules do not bind who names the node");
}

/// Recorded in noexecute-taint: at once, after the toleration's time, or never.
#[test]
fn a_taint_that_executes_drives_pods_away() {
    let mut world = World::new();
    let on_worker = |name: &str, tolerations: Value| {
        pod(name, json!({"nodeSelector": {"kubernetes.io/hostname": "breakfix-worker"}, "tolerations": tolerations}))
    };
    world.create(&kind::POD, SPACE, on_worker("plain", json!([])));
    world.create(
        &kind::POD,
        SPACE,
        on_worker(
            "patient",
            json!([{"key": "maint", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5}]),
        ),
    );
    world.create(
        &kind::POD,
        SPACE,
        on_worker("stays", json!([{"key": "maint", "operator": "Exists", "effect": "NoExecute"}])),
    );
    world.run(4);
    let today = world.cluster.today();
    edit(&mut world, &kind::NODE, "breakfix-worker", |node| {
        node["spec"]["taints"] = json!([{"key": "maint", "effect": "NoExecute", "timeAdded": today}]);
    });
    world.run(3);
    let there = |world: &World| -> BTreeSet<String> {
        world.pods().iter().map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(there(&world), ["patient", "stays"].map(str::to_owned).into());
    world.run(6);
    assert_eq!(there(&world), ["stays"].map(str::to_owned).into());
    assert!(
        world
            .events()
            .iter()
            .any(|event| event.contains("TaintManagerEviction Pod/plain x1: Marking for deletion Pod shop/plain"))
    );
}

/// Tried on 1.36 (`one-node-gets-no-answer`): with the tainted node as an empty domain a strict spread blocks; honouring taints does not.
#[test]
fn a_strict_spread_counts_the_tainted_node_unless_told_not_to() {
    let spread = |honour: bool| {
        let mut constraint = json!({"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": {"matchLabels": {"app": "web"}}});
        if honour {
            constraint["nodeTaintsPolicy"] = json!("Honor");
        }
        let mut body = deployment("web", 4, json!({}));
        body["spec"]["template"]["spec"]["topologySpreadConstraints"] = json!([constraint]);
        body
    };
    for (honour, placed) in [(false, 2), (true, 4)] {
        let mut world = World::new();
        world.create(&kind::DEPLOYMENT, SPACE, spread(honour));
        world.run(4);
        assert_eq!(world.pods().iter().filter(|pod| pod["spec"]["nodeName"].is_string()).count(), placed, "{honour}");
    }
}

/// Documented: affinity brings pods together, and anti-affinity works both ways.
#[test]
fn pods_want_company_or_distance() {
    let mut world = World::new();
    let near = |kind: &str, app: &str| {
        json!({"affinity": {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [
            {"labelSelector": {"matchLabels": {"app": app}}, "topologyKey": "kubernetes.io/hostname"}]}}})
    };
    let labelled = |name: &str, spec: Value| {
        let mut body = pod(name, spec);
        body["metadata"]["labels"] = json!({"app": name});
        body
    };
    world.create(&kind::POD, SPACE, labelled("db", json!({})));
    world.run(2);
    for number in 0..3 {
        world.create(&kind::POD, SPACE, pod(&format!("friend{number}"), near("podAffinity", "db")));
        world.create(&kind::POD, SPACE, pod(&format!("foe{number}"), near("podAntiAffinity", "db")));
    }
    world.create(&kind::POD, SPACE, pod("lonely", near("podAffinity", "nobody")));
    world.run(3);
    let home = node_of(&world, "db");
    for number in 0..3 {
        assert_eq!(node_of(&world, &format!("friend{number}")), home);
        assert_ne!(node_of(&world, &format!("foe{number}")), home);
    }
    assert_eq!(node_of(&world, "lonely"), "");
    assert!(
        world.events().iter().any(|event| event.contains("2 node(s) didn't match pod affinity rules")),
        "{:#?}",
        world.events()
    );
    // A second db may not come where those are that keep away from it.
    let other = if home == "breakfix-worker" { "breakfix-worker2" } else { "breakfix-worker" };
    let mut second = labelled("second", json!({"nodeSelector": {"kubernetes.io/hostname": other}}));
    second["metadata"]["labels"] = json!({"app": "db"});
    world.create(&kind::POD, SPACE, second);
    world.run(2);
    assert_eq!(node_of(&world, "second"), "");
    assert!(
        world.events().iter().any(|event| event.contains("1 node(s) didn't satisfy existing pods anti-affinity rules"))
    );
}

/// Upstream (queueing hint of InterPodAffinity, "assigned Pod add"): whoever waits for a neighbour is tried again when it comes.
#[test]
fn a_pod_that_wants_a_neighbour_runs_once_that_has_a_node() {
    let mut world = World::new();
    let pod = |name: &str, spec: serde_json::Value| {
        let mut pod = json!({"metadata": {"name": name, "labels": {"app": name}}, "spec": spec});
        pod["spec"]["containers"] = json!([{"name": "main", "image": crate::world::WEB}]);
        pod
    };
    let beside = json!([{"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "cache"}}}]);
    let wish = json!({"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": beside}}});
    world.create(&kind::POD, SPACE, pod("follower", wish));
    world.run(3);
    assert_eq!(world.get(&kind::POD, "follower")["status"]["phase"], "Pending");
    world.create(&kind::POD, SPACE, pod("cache", json!({})));
    world.run(15);
    let node = |name: &str| world.get(&kind::POD, name)["spec"]["nodeName"].clone();
    assert!(node("cache").is_string());
    assert_eq!(node("follower"), node("cache"));
}

/// Read off a real 1.36 cluster: a pod that names its node goes past the scheduler, and kubelet looks at it instead.
#[test]
fn kubelet_turns_away_what_its_node_cannot_hold() {
    let mut world = World::new();
    world.run(1);
    let on = |more: Value| {
        let mut spec = json!({"nodeName": "breakfix-worker"});
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        spec
    };
    world.create(&kind::POD, SPACE, pod("large", on(json!({"resources": {"requests": {"cpu": "100"}}}))));
    world.create(&kind::POD, SPACE, pod("elsewhere", on(json!({"nodeSelector": {"disk": "ssd"}}))));
    world.create(&kind::POD, SPACE, pod("fine", on(json!({}))));
    world.run(5);
    let large = &world.get(&kind::POD, "large")["status"];
    assert_eq!((&large["phase"], &large["reason"]), (&json!("Failed"), &json!("OutOfcpu")), "{large:#}");
    let said = large["message"].as_str().unwrap();
    assert!(
        said.starts_with("Pod was rejected: Node didn't have enough resource: cpu, requested: 100000, used: "),
        "{said}"
    );
    assert!(large.get("conditions").is_none() && large.get("containerStatuses").is_none(), "{large:#}");
    let elsewhere = &world.get(&kind::POD, "elsewhere")["status"];
    assert_eq!(elsewhere["reason"], "NodeAffinity");
    let why = "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector";
    assert_eq!(elsewhere["message"], format!("Pod was rejected: {why}"));
    assert!(
        world.events().iter().any(|event| event.contains(why) && !event.contains("rejected")),
        "{:#?}",
        world.events()
    );
    assert!(is_ready(&world.get(&kind::POD, "fine")));
}

/// The same: a Deployment whose pods are turned away makes new ones for ever, as fast as its controller may ask.
#[test]
fn a_replica_set_does_not_learn_from_pods_that_are_turned_away() {
    let mut world = World::new();
    let mut large = deployment("web", 2, json!({}));
    large["spec"]["template"]["spec"]["nodeName"] = json!("breakfix-worker");
    large["spec"]["template"]["spec"]["containers"][0]["resources"] = json!({"requests": {"cpu": "100"}});
    world.create(&kind::DEPLOYMENT, SPACE, large);
    world.run(12);
    let pods = world.pods();
    assert!((100..250).contains(&pods.len()), "{}", pods.len());
    assert!(pods.iter().filter(|pod| pod["status"]["phase"] == "Failed").count() + 4 >= pods.len());
}
