//! Claims and volumes: who gets which, what waits for what, what outlives whom.

use breakfix_sim_kube::{
    api::verbs::{DeleteOptions, Part},
    kind, node,
};
use serde_json::{Value, json};

use crate::world::{SPACE, WEB, World, condition, is_ready};

fn claim(name: &str, class: Option<&str>) -> Value {
    let mut claim = json!({"metadata": {"name": name},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}});
    if let Some(class) = class {
        claim["spec"]["storageClassName"] = json!(class);
    }
    claim
}

/// A pod that has the claim at `/data`.
fn user(name: &str, claim: &str) -> Value {
    json!({"metadata": {"name": name}, "spec": {
        "containers": [{"name": "main", "image": WEB, "command": ["sleep", "infinity"],
            "volumeMounts": [{"name": "data", "mountPath": "/data"}]}],
        "terminationGracePeriodSeconds": 1,
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]}})
}

fn volume(name: &str, class: &str, size: &str) -> Value {
    json!({"metadata": {"name": name}, "spec": {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": size},
        "hostPath": {"path": format!("/srv/{name}")}, "storageClassName": class}})
}

fn run(world: &mut World, pod: &str, script: &str) -> String {
    let argv = ["sh".to_owned(), "-c".to_owned(), script.to_owned()];
    let done = node::exec(&mut world.cluster, SPACE, pod, "", &argv, b"").unwrap();
    String::from_utf8([done.stdout, done.stderr].concat()).unwrap()
}

fn phase(world: &World, name: &str) -> String {
    world.get(&kind::PERSISTENT_VOLUME_CLAIM, name)["status"]["phase"].as_str().unwrap().to_owned()
}

fn remove(world: &mut World, kind: &'static breakfix_sim_kube::Kind, name: &str) {
    let space = if kind.namespaced { SPACE } else { "" };
    world.cluster.delete(kind, space, name, &DeleteOptions::default(), &World::admin()).unwrap();
}

fn ready_in(world: &mut World, name: &str, seconds: u64) -> f64 {
    world.until(seconds, name, |cluster| cluster.get(&kind::POD, SPACE, name).is_ok_and(|pod| is_ready(&pod)))
}

/// Recorded: pvc-bound of a 1.36 cluster (class and waiting); documented: kind's class makes folders on the pod's node.
#[test]
fn a_claim_of_the_default_class_waits_for_its_pod_and_its_data_outlives_it() {
    let mut world = World::new();
    world.create(&kind::PERSISTENT_VOLUME_CLAIM, SPACE, claim("data", None));
    world.run(20);
    let found = world.get(&kind::PERSISTENT_VOLUME_CLAIM, "data");
    assert_eq!(found["spec"]["storageClassName"], "standard");
    assert_eq!(found["status"]["phase"], "Pending");
    assert!(
        world.events().iter().any(|event| event.starts_with("WaitForFirstConsumer PersistentVolumeClaim/data x2")),
        "{:#?}",
        world.events()
    );
    world.create(&kind::POD, SPACE, user("first", "data"));
    let took = ready_in(&mut world, "first", 20);
    assert!(took > 2.0, "a volume is not made in no time: {took}");
    assert_eq!(phase(&world, "data"), "Bound");
    let node = world.get(&kind::POD, "first")["spec"]["nodeName"].clone();
    run(&mut world, "first", "echo order > /data/orders");
    remove(&mut world, &kind::POD, "first");
    world.run(5);
    for _ in 0..4 {
        world.create(&kind::POD, SPACE, user("next", "data"));
        ready_in(&mut world, "next", 10);
        let next = world.get(&kind::POD, "next");
        assert_eq!(next["spec"]["nodeName"], node, "the volume is on that node");
        assert_eq!(run(&mut world, "next", "cat /data/orders"), "order\n");
        remove(&mut world, &kind::POD, "next");
        world.run(5);
    }
    let reasons: Vec<String> =
        world.events().iter().filter(|event| event.contains("PersistentVolumeClaim/")).cloned().collect();
    for wanted in ["ExternalProvisioning", "Provisioning ", "ProvisioningSucceeded"] {
        assert!(reasons.iter().any(|event| event.starts_with(wanted)), "{wanted}: {reasons:#?}");
    }
}

/// Recorded: pvc-no-storageclass. Tried on 1.36 (`claim-stays-pending`): the class made later binds it; a deleted claim is gone at once.
#[test]
fn a_claim_of_a_class_that_is_not_there_waits_and_its_pod_with_it() {
    let mut world = World::new();
    world.create(&kind::PERSISTENT_VOLUME_CLAIM, SPACE, claim("ledger", Some("fast-ssd")));
    world.create(&kind::POD, SPACE, user("ledger", "ledger"));
    world.run(3);
    let pod = world.get(&kind::POD, "ledger");
    let scheduled = &pod["status"]["conditions"][0];
    assert_eq!(
        scheduled["message"],
        "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found"
    );
    assert!(world.events().iter().any(|event| {
        event.starts_with(
            "ProvisioningFailed PersistentVolumeClaim/ledger x1: storageclass.storage.k8s.io \"fast-ssd\" not found",
        )
    }));
    remove(&mut world, &kind::PERSISTENT_VOLUME_CLAIM, "ledger");
    world.run(1);
    assert!(world.cluster.get(&kind::PERSISTENT_VOLUME_CLAIM, SPACE, "ledger").is_err(), "no pod with a node uses it");
    world.create(&kind::PERSISTENT_VOLUME_CLAIM, SPACE, claim("ledger", Some("standard")));
    ready_in(&mut world, "ledger", 20);
}

/// Documented: a class whose provisioner does not run leaves the claim pending, with an event that says so.
#[test]
fn a_provisioner_that_does_not_run_makes_nothing() {
    let mut world = World::new();
    let class = |name: &str, provisioner: &str| json!({"metadata": {"name": name}, "provisioner": provisioner, "volumeBindingMode": "Immediate"});
    for (name, provisioner) in
        [("gone", "disk.example.com"), ("hand", "kubernetes.io/no-provisioner"), ("at-once", "rancher.io/local-path")]
    {
        world.create(&kind::STORAGE_CLASS, "", class(name, provisioner));
        world.create(&kind::PERSISTENT_VOLUME_CLAIM, SPACE, claim(name, Some(name)));
    }
    world.run(40);
    let events = world.events();
    let says = |front: &str| events.iter().any(|event| event.starts_with(front));
    for name in ["gone", "hand", "at-once"] {
        assert_eq!(phase(&world, name), "Pending");
    }
    assert!(says("ExternalProvisioning PersistentVolumeClaim/gone"), "{events:#?}");
    assert!(events.iter().any(|event| event.contains("external provisioner 'disk.example.com' or manually")));
    assert!(says("ProvisioningFailed PersistentVolumeClaim/hand"), "{events:#?}");
    assert!(events.iter().any(|event| event.ends_with(
        "failed to provision volume with StorageClass \"at-once\": configuration error, no node was specified"
    )));
}

/// The provisioner is a pod of the cluster: without it nothing is made, and with it what waited is.
#[test]
fn the_provisioner_works_while_its_pod_is_ready() {
    let mut world = World::new();
    let scale = |world: &mut World, replicas: u64| {
        let edit = |deployment: &mut Value| deployment["spec"]["replicas"] = json!(replicas);
        let (space, name) = ("local-path-storage", "local-path-provisioner");
        world.cluster.update(&kind::DEPLOYMENT, space, name, Part::Main, &World::admin(), edit).unwrap();
    };
    scale(&mut world, 0);
    world.run(40);
    world.create(&kind::PERSISTENT_VOLUME_CLAIM, SPACE, claim("data", None));
    world.create(&kind::POD, SPACE, user("app", "data"));
    world.run(60);
    assert_eq!(phase(&world, "data"), "Pending");
    let pod = world.get(&kind::POD, "app");
    assert!(pod["spec"]["nodeName"].is_null(), "it waits for its volume");
    assert!(pod["status"]["nominatedNodeName"].is_string());
    scale(&mut world, 1);
    ready_in(&mut world, "app", 20);
    assert!(world.get(&kind::POD, "app")["status"]["nominatedNodeName"].is_null());
}

/// Tried on 1.36: a hand-made volume binds a claim of its class within the controller's 15 s, class or no class.
#[test]
fn a_volume_made_by_hand_is_taken_by_class_and_size() {
    let mut world = World::new();
    world.create(&kind::PERSISTENT_VOLUME_CLAIM, SPACE, claim("ledger", Some("fast-ssd")));
    world.create(&kind::PERSISTENT_VOLUME, "", volume("small", "fast-ssd", "500Mi"));
    world.run(20);
    assert_eq!(phase(&world, "ledger"), "Pending");
    world.create(&kind::PERSISTENT_VOLUME, "", volume("large", "fast-ssd", "10Gi"));
    world.until(16, "bound", |cluster| {
        cluster.get(&kind::PERSISTENT_VOLUME_CLAIM, SPACE, "ledger").unwrap()["status"]["phase"] == "Bound"
    });
    let claim = world.get(&kind::PERSISTENT_VOLUME_CLAIM, "ledger");
    assert_eq!(claim["spec"]["volumeName"], "large");
    assert_eq!(claim["status"]["capacity"]["storage"], "10Gi");
    world.run(1);
    let taken = world.cluster.get(&kind::PERSISTENT_VOLUME, "", "large").unwrap();
    assert_eq!((&taken["status"]["phase"], &taken["spec"]["claimRef"]["name"]), (&json!("Bound"), &json!("ledger")));
}

/// Documented; tried on 1.36 (`data-exists-claim-is-lost`): a released volume is kept with its data until its mark is taken off.
#[test]
fn a_kept_volume_is_released_and_can_be_bound_again() {
    let mut world = World::new();
    world.create(
        &kind::STORAGE_CLASS,
        "",
        json!({"metadata": {"name": "kept"}, "provisioner": "rancher.io/local-path", "reclaimPolicy": "Retain",
            "volumeBindingMode": "WaitForFirstConsumer"}),
    );
    world.create(&kind::PERSISTENT_VOLUME_CLAIM, SPACE, claim("data", Some("kept")));
    world.create(&kind::POD, SPACE, user("app", "data"));
    ready_in(&mut world, "app", 20);
    run(&mut world, "app", "echo seven > /data/orders");
    let old = world.get(&kind::PERSISTENT_VOLUME_CLAIM, "data")["spec"]["volumeName"].as_str().unwrap().to_owned();
    remove(&mut world, &kind::PERSISTENT_VOLUME_CLAIM, "data");
    world.run(2);
    assert!(world.get(&kind::PERSISTENT_VOLUME_CLAIM, "data")["metadata"]["deletionTimestamp"].is_string(), "in use");
    remove(&mut world, &kind::POD, "app");
    world.run(5);
    assert!(world.cluster.get(&kind::PERSISTENT_VOLUME_CLAIM, SPACE, "data").is_err());
    let volume = |world: &World| world.cluster.get(&kind::PERSISTENT_VOLUME, "", &old).unwrap();
    assert_eq!(volume(&world)["status"]["phase"], "Released");
    let free = |volume: &mut Value| drop(volume["spec"].as_object_mut().unwrap().remove("claimRef"));
    world.cluster.update(&kind::PERSISTENT_VOLUME, "", &old, Part::Main, &World::admin(), free).unwrap();
    let mut again = claim("data", Some("kept"));
    again["spec"]["volumeName"] = json!(old);
    world.create(&kind::PERSISTENT_VOLUME_CLAIM, SPACE, again);
    world.create(&kind::POD, SPACE, user("app", "data"));
    ready_in(&mut world, "app", 30);
    assert_eq!(volume(&world)["status"]["phase"], "Bound");
    assert_eq!(run(&mut world, "app", "cat /data/orders"), "seven\n");
}

/// Recorded: pvc-bound: with the policy Delete the volume goes with its claim. Documented: a claim without its volume is lost.
#[test]
fn a_deleted_claim_takes_its_volume_along_and_a_deleted_volume_loses_its_claim() {
    let mut world = World::new();
    for name in ["one", "two"] {
        world.create(&kind::PERSISTENT_VOLUME_CLAIM, SPACE, claim(name, None));
        world.create(&kind::POD, SPACE, user(name, name));
        ready_in(&mut world, name, 20);
    }
    remove(&mut world, &kind::POD, "one");
    remove(&mut world, &kind::PERSISTENT_VOLUME_CLAIM, "one");
    world.run(12);
    assert_eq!(world.cluster.list(&kind::PERSISTENT_VOLUME, None).count(), 1);
    let volume = world.get(&kind::PERSISTENT_VOLUME_CLAIM, "two")["spec"]["volumeName"].as_str().unwrap().to_owned();
    remove(&mut world, &kind::PERSISTENT_VOLUME, &volume);
    world.run(2);
    let marked = world.cluster.get(&kind::PERSISTENT_VOLUME, "", &volume).unwrap();
    assert!(marked["metadata"]["deletionTimestamp"].is_string(), "a bound volume is protected");
    let bare = |volume: &mut Value| drop(volume["metadata"].as_object_mut().unwrap().remove("finalizers"));
    world.cluster.update(&kind::PERSISTENT_VOLUME, "", &volume, Part::Main, &World::admin(), bare).unwrap();
    world.run(2);
    assert_eq!(phase(&world, "two"), "Lost");
    assert!(
        world
            .events()
            .iter()
            .any(|event| event.starts_with("ClaimLost PersistentVolumeClaim/two x1: Bound claim has lost its"))
    );
    remove(&mut world, &kind::POD, "two");
    world.run(5);
    world.create(&kind::POD, SPACE, user("two", "two"));
    world.run(3);
    let pod = world.get(&kind::POD, "two");
    assert_eq!(condition(&pod, "PodScheduled"), "False");
}

/// A `hostPath` is the node's: pods of one node share it, another node has its own.
#[test]
fn a_host_path_is_the_nodes_own() {
    let mut world = World::new();
    let pod = |name: &str, node: &str, kind: &str| {
        json!({"metadata": {"name": name}, "spec": {"nodeName": node,
            "containers": [{"name": "main", "image": WEB, "command": ["sleep", "infinity"],
                "volumeMounts": [{"name": "disk", "mountPath": "/disk", "subPath": "shop"}]}],
            "volumes": [{"name": "disk", "hostPath": {"path": "/srv/shared", "type": kind}}]}})
    };
    world.create(&kind::POD, SPACE, pod("a", "breakfix-worker", "DirectoryOrCreate"));
    world.create(&kind::POD, SPACE, pod("c", "breakfix-worker2", "Directory"));
    world.run(4);
    world.create(&kind::POD, SPACE, pod("b", "breakfix-worker", "Directory"));
    world.run(4);
    run(&mut world, "a", "echo here > /disk/file");
    assert_eq!(run(&mut world, "b", "cat /disk/file"), "here\n");
    assert!(!is_ready(&world.get(&kind::POD, "c")));
    assert!(world.events().iter().any(|event| event.contains(
        "MountVolume.SetUp failed for volume \"disk\" : hostPath type check failed: /srv/shared is not a directory"
    )));
}
