//! StatefulSets: order, identity, claims, updates, and the update that waits for ever.

use breakfix_sim_kube::{
    api::verbs::{DeleteOptions, Part},
    kind,
};
use serde_json::{Value, json};

use crate::world::{SPACE, WEB, World, is_ready};

fn stateful_set(name: &str, replicas: u64, extra: Value) -> Value {
    let mut set = json!({
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "serviceName": name,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {
                    "terminationGracePeriodSeconds": 1,
                    "containers": [{
                        "name": "main",
                        "image": WEB,
                        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 1},
                    }],
                },
            },
        },
    });
    for (field, value) in extra.as_object().unwrap() {
        set["spec"][field] = value.clone();
    }
    set
}

fn names(world: &World) -> Vec<String> {
    world.pods().iter().map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned()).collect()
}

fn image(world: &World, pod: &str) -> String {
    world.get(&kind::POD, pod)["spec"]["containers"][0]["image"].as_str().unwrap().to_owned()
}

fn set_image(world: &mut World, image: &str) {
    world.edit(&kind::STATEFUL_SET, "db", |set| {
        set["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image);
    });
}

fn until_ready(world: &mut World, count: usize) {
    world.until(60, "all pods are ready", |cluster| {
        let pods: Vec<_> = cluster.list(&kind::POD, Some(SPACE)).collect();
        pods.len() == count && pods.iter().all(|pod| is_ready(pod) && pod["metadata"]["deletionTimestamp"].is_null())
    });
    world.run(1);
}

/// Documented (concepts, StatefulSets): each pod waits for the one before it; scaling down goes the other way round.
#[test]
fn pods_come_one_by_one_and_go_in_reverse() {
    let mut world = World::new();
    world.create(&kind::STATEFUL_SET, SPACE, stateful_set("db", 3, json!({})));
    let mut seen: Vec<Vec<String>> = Vec::new();
    world.until(60, "three are ready", |cluster| {
        let pods: Vec<_> = cluster.list(&kind::POD, Some(SPACE)).collect();
        let fresh = pods.iter().map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned()).collect();
        if seen.last() != Some(&fresh) {
            assert!(pods.iter().filter(|pod| !is_ready(pod)).count() <= 1, "one at a time: {fresh:?}");
            seen.push(fresh);
        }
        pods.len() == 3 && pods.iter().all(|pod| is_ready(pod))
    });
    assert_eq!(seen.last().unwrap(), &["db-0", "db-1", "db-2"]);
    world.run(1);
    let pod = world.get(&kind::POD, "db-1");
    assert_eq!((&pod["spec"]["hostname"], &pod["spec"]["subdomain"]), (&json!("db-1"), &json!("db")));
    assert_eq!(pod["metadata"]["labels"]["statefulset.kubernetes.io/pod-name"], "db-1");
    assert_eq!(pod["metadata"]["labels"]["apps.kubernetes.io/pod-index"], "1");
    let set = world.get(&kind::STATEFUL_SET, "db");
    assert_eq!(pod["metadata"]["labels"]["controller-revision-hash"], set["status"]["updateRevision"]);
    for field in ["replicas", "readyReplicas", "availableReplicas", "currentReplicas", "updatedReplicas"] {
        assert_eq!(set["status"][field], 3, "{field}");
    }
    assert_eq!(set["status"]["collisionCount"], 0);
    assert!(
        world
            .events()
            .contains(&"SuccessfulCreate StatefulSet/db x1: create Pod db-0 in StatefulSet db successful".to_owned())
    );
    world.edit(&kind::STATEFUL_SET, "db", |set| set["spec"]["replicas"] = json!(1));
    let mut going = Vec::new();
    world.until(60, "one is left", |cluster| {
        for pod in cluster.list(&kind::POD, Some(SPACE)) {
            let name = pod["metadata"]["name"].as_str().unwrap().to_owned();
            if !pod["metadata"]["deletionTimestamp"].is_null() && !going.contains(&name) {
                going.push(name);
            }
        }
        cluster.list(&kind::POD, Some(SPACE)).count() == 1
    });
    assert_eq!(going, ["db-2", "db-1"]);
    assert!(
        world
            .events()
            .contains(&"SuccessfulDelete StatefulSet/db x1: delete Pod db-2 in StatefulSet db successful".to_owned())
    );
}

/// Documented: `Parallel` does not wait.
#[test]
fn parallel_pods_come_at_once() {
    let mut world = World::new();
    world.create(&kind::STATEFUL_SET, SPACE, stateful_set("db", 3, json!({"podManagementPolicy": "Parallel"})));
    world.run_millis(200);
    assert_eq!(names(&world), ["db-0", "db-1", "db-2"]);
}

/// Documented: updates go from the highest ordinal down to the partition; a pod below it that is deleted comes back as it was.
#[test]
fn a_partition_holds_the_lower_pods_back() {
    let mut world = World::new();
    let partition = json!({"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}});
    world.create(&kind::STATEFUL_SET, SPACE, stateful_set("db", 3, partition));
    until_ready(&mut world, 3);
    set_image(&mut world, "registry.example/shop/web:1.5");
    world.run(10);
    assert_eq!(image(&world, "db-2"), "registry.example/shop/web:1.5");
    assert_eq!(image(&world, "db-1"), WEB);
    let set = world.get(&kind::STATEFUL_SET, "db");
    assert_eq!((&set["status"]["currentReplicas"], &set["status"]["updatedReplicas"]), (&json!(2), &json!(1)));
    assert_ne!(set["status"]["currentRevision"], set["status"]["updateRevision"]);
    world.cluster.delete(&kind::POD, SPACE, "db-0", &DeleteOptions::default(), &World::admin()).unwrap();
    world.run(10);
    assert_eq!(image(&world, "db-0"), WEB, "below the partition the old template counts");
    world.edit(&kind::STATEFUL_SET, "db", |set| {
        set["spec"]["updateStrategy"]["rollingUpdate"]["partition"] = json!(0);
    });
    world.run(15);
    let set = world.get(&kind::STATEFUL_SET, "db");
    assert_eq!(set["status"]["currentRevision"], set["status"]["updateRevision"]);
    assert_eq!(image(&world, "db-0"), "registry.example/shop/web:1.5");
}

/// Documented (Forced rollback): a pod of a broken template blocks the set even after the template is put right, until it is deleted.
#[test]
fn a_broken_revision_stays_until_its_pod_is_deleted() {
    let mut world = World::new();
    world.create(&kind::STATEFUL_SET, SPACE, stateful_set("db", 3, json!({})));
    until_ready(&mut world, 3);
    set_image(&mut world, "registry.example/shop/none:1");
    world.run(10);
    assert_eq!(image(&world, "db-2"), "registry.example/shop/none:1");
    assert_eq!(image(&world, "db-1"), WEB, "the others wait");
    set_image(&mut world, WEB);
    world.run(120);
    assert_eq!(image(&world, "db-2"), "registry.example/shop/none:1", "nobody deletes the broken pod");
    world.cluster.delete(&kind::POD, SPACE, "db-2", &DeleteOptions::default(), &World::admin()).unwrap();
    until_ready(&mut world, 3);
    assert_eq!(image(&world, "db-2"), WEB);
    // Back to the first template is the first revision under a new number (`getStatefulSetRevisions`).
    let revisions: Vec<i64> = world
        .cluster
        .list(&kind::CONTROLLER_REVISION, Some(SPACE))
        .map(|revision| revision["revision"].as_i64().unwrap())
        .collect();
    assert_eq!(revisions.len(), 2);
    assert!(revisions.contains(&3) && revisions.contains(&2), "{revisions:?}");
}

/// Documented: `OnDelete` replaces nothing by itself.
#[test]
fn on_delete_waits_for_somebody_to_delete() {
    let mut world = World::new();
    world.create(&kind::STATEFUL_SET, SPACE, stateful_set("db", 2, json!({"updateStrategy": {"type": "OnDelete"}})));
    until_ready(&mut world, 2);
    set_image(&mut world, "registry.example/shop/web:1.5");
    world.run(20);
    assert_eq!(image(&world, "db-1"), WEB);
    world.cluster.delete(&kind::POD, SPACE, "db-1", &DeleteOptions::default(), &World::admin()).unwrap();
    until_ready(&mut world, 2);
    assert_eq!(
        (image(&world, "db-1"), image(&world, "db-0")),
        ("registry.example/shop/web:1.5".to_owned(), WEB.to_owned())
    );
}

/// Documented: `minReadySeconds` holds up the next pod.
#[test]
fn a_pod_must_be_ready_for_a_while() {
    let mut world = World::new();
    world.create(&kind::STATEFUL_SET, SPACE, stateful_set("db", 2, json!({"minReadySeconds": 10})));
    let first = world.until(20, "the first is ready", |cluster| {
        cluster.get(&kind::POD, SPACE, "db-0").is_ok_and(|pod| is_ready(&pod))
    });
    let second = world.until(30, "the second is made", |cluster| cluster.get(&kind::POD, SPACE, "db-1").is_ok());
    assert!((9.0..12.0).contains(&second), "after {first} s and {second} s");
}

/// Documented: claims are made from the templates and outlive pods and set, unless the retention policy says otherwise.
#[test]
fn claims_follow_their_policy() {
    let mut world = World::new();
    let templates = json!([{"metadata": {"name": "data"}, "spec": {
        "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}]);
    let policy = json!({"whenScaled": "Delete", "whenDeleted": "Retain"});
    let spec = json!({
        "podManagementPolicy": "Parallel",
        "volumeClaimTemplates": templates,
        "persistentVolumeClaimRetentionPolicy": policy,
    });
    world.create(&kind::STATEFUL_SET, SPACE, stateful_set("db", 2, spec));
    world.run(2);
    let claim = world.get(&kind::PERSISTENT_VOLUME_CLAIM, "data-db-1");
    assert_eq!(claim["metadata"]["labels"], json!({"app": "db"}));
    let pod = world.get(&kind::POD, "db-1");
    assert_eq!(pod["spec"]["volumes"][0], json!({"name": "data", "persistentVolumeClaim": {"claimName": "data-db-1"}}));
    assert!(world.events().contains(
        &"SuccessfulCreate StatefulSet/db x1: create Claim data-db-1 Pod db-1 in StatefulSet db success".to_owned()
    ));
    world.edit(&kind::STATEFUL_SET, "db", |set| set["spec"]["replicas"] = json!(1));
    world.run(10);
    assert!(world.cluster.get(&kind::POD, SPACE, "db-1").is_err());
    assert!(world.cluster.get(&kind::PERSISTENT_VOLUME_CLAIM, SPACE, "data-db-1").is_err(), "scaled away with its pod");
    world.cluster.delete(&kind::STATEFUL_SET, SPACE, "db", &DeleteOptions::default(), &World::admin()).unwrap();
    world.run(10);
    assert!(world.cluster.get(&kind::PERSISTENT_VOLUME_CLAIM, SPACE, "data-db-0").is_ok(), "retained");
}

/// Documented: orphaned pods are adopted by a set of the same name and template, and are not replaced.
#[test]
fn orphans_are_adopted_again() {
    let mut world = World::new();
    let set = stateful_set("db", 2, json!({}));
    world.create(&kind::STATEFUL_SET, SPACE, set.clone());
    until_ready(&mut world, 2);
    let before: Vec<Value> = world.pods().iter().map(|pod| pod["metadata"]["uid"].clone()).collect();
    let orphan = DeleteOptions { propagation: Some("Orphan".to_owned()), ..DeleteOptions::default() };
    world.cluster.delete(&kind::STATEFUL_SET, SPACE, "db", &orphan, &World::admin()).unwrap();
    world.run(2);
    assert!(world.pods().iter().all(|pod| pod["metadata"]["ownerReferences"].is_null()));
    let made = world.create(&kind::STATEFUL_SET, SPACE, set);
    world.run(5);
    let after: Vec<Value> = world.pods().iter().map(|pod| pod["metadata"]["uid"].clone()).collect();
    assert_eq!(after, before);
    assert!(world.pods().iter().all(|pod| pod["metadata"]["ownerReferences"][0]["uid"] == made["metadata"]["uid"]));
}

/// `stateful_set_control.go`: a pod that has ended is replaced, whatever its exit code; labels of its place are put back.
#[test]
fn a_failed_pod_makes_room_and_its_labels_are_kept() {
    let mut world = World::new();
    world.create(&kind::STATEFUL_SET, SPACE, stateful_set("db", 1, json!({})));
    until_ready(&mut world, 1);
    world.edit(&kind::POD, "db-0", |pod| {
        pod["metadata"]["labels"].as_object_mut().unwrap().remove("apps.kubernetes.io/pod-index");
    });
    world.run(1);
    assert_eq!(world.get(&kind::POD, "db-0")["metadata"]["labels"]["apps.kubernetes.io/pod-index"], "0");
    let old = world.get(&kind::POD, "db-0")["metadata"]["uid"].clone();
    let by = World::admin();
    world
        .cluster
        .update(&kind::POD, SPACE, "db-0", Part::Status, &by, |pod| pod["status"]["phase"] = json!("Failed"))
        .unwrap();
    world.run(5);
    assert_ne!(world.get(&kind::POD, "db-0")["metadata"]["uid"], old);
}

/// Upstream (`ValidatePodTemplateSpecForStatefulSet`): a mount may name a claim template; the controller gives each pod the volume.
#[test]
fn a_container_mounts_what_its_claim_template_makes() {
    let mut world = World::new();
    let claim = json!([{"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}}]);
    let mut set = stateful_set("db", 1, json!({"volumeClaimTemplates": claim}));
    set["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] = json!([{"name": "data", "mountPath": "/data"}]);
    world.create(&kind::STATEFUL_SET, SPACE, set);
    until_ready(&mut world, 1);
    let pod = world.get(&kind::POD, "db-0");
    let volumes = pod["spec"]["volumes"].as_array().unwrap();
    assert!(volumes.iter().any(|volume| volume["persistentVolumeClaim"]["claimName"] == "data-db-0"), "{volumes:?}");
}
