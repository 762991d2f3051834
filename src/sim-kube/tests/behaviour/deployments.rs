//! Deployments: roll-outs, their bounds, their words.

use std::{collections::BTreeSet, sync::Arc};

use breakfix_sim_kube::{Cluster, kind};
use serde_json::{Value, json};

use crate::world::{SPACE, World, condition, deployment, is_ready, service};

/// Images of the pods of a Deployment that have not ended, with whether they are ready.
fn images(cluster: &Cluster, app: &str) -> Vec<(String, bool)> {
    cluster
        .list(&kind::POD, Some(SPACE))
        .filter(|pod| pod["metadata"]["labels"]["app"] == app && pod["metadata"]["deletionTimestamp"].is_null())
        .map(|pod| (pod["spec"]["containers"][0]["image"].as_str().unwrap().to_owned(), is_ready(pod)))
        .collect()
}

fn set_image(world: &mut World, name: &str, image: &str) {
    world.edit(&kind::DEPLOYMENT, name, |deployment| {
        deployment["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image);
    });
}

fn is_rolled_out(deployment: &Value, replicas: i64) -> bool {
    let status = &deployment["status"];
    status["observedGeneration"] == deployment["metadata"]["generation"]
        && ["replicas", "updatedReplicas", "availableReplicas"]
            .iter()
            .all(|field| status[*field].as_i64() == Some(replicas))
}

fn sets(world: &World) -> Vec<Arc<Value>> {
    world.cluster.list(&kind::REPLICA_SET, Some(SPACE)).cloned().collect()
}

fn revision(object: &Value) -> &str {
    object["metadata"]["annotations"]["deployment.kubernetes.io/revision"].as_str().unwrap()
}

#[test]
fn a_deployment_runs_and_its_service_answers() {
    let mut world = World::new();
    let probe = json!({"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 5});
    let caller = world.caller();
    world.create(&kind::DEPLOYMENT, SPACE, deployment("web", 2, json!({"readinessProbe": probe})));
    world.create(&kind::SERVICE, SPACE, service("web", "web", 80, json!(8080)));
    let took = world.until(5, "two pods are ready", |cluster| {
        let pods: Vec<_> =
            cluster.list(&kind::POD, Some(SPACE)).filter(|pod| pod["metadata"]["labels"]["app"] == "web").collect();
        pods.len() == 2 && pods.iter().all(|pod| is_ready(pod))
    });
    assert!(took < 3.0, "a real cluster takes about a second, this one took {took}");
    world.run(1);
    let answer = world.get_from(&caller, "http://web/").unwrap();
    assert_eq!((answer.status, answer.body_text().lines().next().unwrap()), (200, "web 1.4"));
    let deployment = world.get(&kind::DEPLOYMENT, "web");
    assert_eq!(condition(&deployment, "Available"), "True");
    assert_eq!(deployment["status"]["readyReplicas"], 2);
}

/// Documented: with 25 % of both, three replicas roll one by one and never fewer than three are available.
#[test]
fn a_rolling_update_keeps_its_promise_at_every_moment() {
    let mut world = World::new();
    let probe = json!({"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 1});
    world.create(&kind::DEPLOYMENT, SPACE, deployment("web", 3, json!({"readinessProbe": probe})));
    world
        .until(10, "three are ready", |cluster| images(cluster, "web").iter().filter(|(_, ready)| *ready).count() == 3);
    world.run(1);
    set_image(&mut world, "web", "registry.example/shop/web:1.5");
    let mut most = 0;
    world.until(60, "the roll-out ends", |cluster| {
        let images = images(cluster, "web");
        assert!(images.iter().filter(|(_, ready)| *ready).count() >= 3, "fewer than three ready: {images:?}");
        most = most.max(images.len());
        is_rolled_out(&cluster.get(&kind::DEPLOYMENT, SPACE, "web").unwrap(), 3)
    });
    assert_eq!(most, 4, "one above the three");
    assert!(images(&world.cluster, "web").iter().all(|(image, _)| image.ends_with(":1.5")));
    let deployment = world.get(&kind::DEPLOYMENT, "web");
    assert_eq!(revision(&deployment), "2");
    let events: Vec<String> =
        world.events().into_iter().filter(|event| event.starts_with("ScalingReplicaSet")).collect();
    assert_eq!(
        events.len(),
        7,
        "the first, then up to 1, down to 2, up to 2, down to 1, up to 3, down to 0: {events:#?}"
    );
}

/// Tried on 1.36 (`release-stuck-halfway`): with `maxUnavailable: 100%` all old pods are gone within seconds.
#[test]
fn all_may_be_missing_where_the_deployment_says_so() {
    let mut world = World::new();
    world.create(&kind::DEPLOYMENT, SPACE, deployment("web", 3, json!({})));
    world.run(5);
    world.edit(&kind::DEPLOYMENT, "web", |deployment| {
        deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] = json!("100%");
        deployment["spec"]["template"]["spec"]["containers"][0]["image"] = json!("registry.example/shop/none:1");
    });
    world.run(6);
    assert!(images(&world.cluster, "web").iter().all(|(image, ready)| image.contains("none") && !ready));
}

/// Documented: Recreate ends every old pod before the first new one is made.
#[test]
fn recreate_never_mixes_versions() {
    let mut world = World::new();
    let mut body = deployment("db", 2, json!({}));
    body["spec"]["strategy"] = json!({"type": "Recreate"});
    world.create(&kind::DEPLOYMENT, SPACE, body);
    world.run(5);
    set_image(&mut world, "db", "registry.example/shop/web:1.5");
    world.until(60, "the roll-out ends", |cluster| {
        let running: BTreeSet<String> = cluster
            .list(&kind::POD, Some(SPACE))
            // A pod that has ended and waits to be cleared away counts no more, for the real controller neither.
            .filter(|pod| matches!(pod["status"]["phase"].as_str(), Some("Pending" | "Running")))
            .map(|pod| pod["spec"]["containers"][0]["image"].as_str().unwrap().to_owned())
            .collect();
        assert!(running.len() <= 1, "{running:?}");
        is_rolled_out(&cluster.get(&kind::DEPLOYMENT, SPACE, "db").unwrap(), 2)
            && images(cluster, "db").iter().all(|(image, _)| image.ends_with(":1.5"))
    });
}

/// Tried on 1.36 (`undo-made-it-worse`): undoing gives the old set a new number, and the number that it had is gone from the history.
#[test]
fn an_undo_takes_the_old_set_up_again() {
    let mut world = World::new();
    world.create(&kind::DEPLOYMENT, SPACE, deployment("web", 1, json!({})));
    world.run(4);
    set_image(&mut world, "web", "registry.example/shop/web:1.5");
    world.run(6);
    set_image(&mut world, "web", "registry.example/shop/web:1.4");
    world.run(6);
    let mut revisions: Vec<String> = sets(&world).iter().map(|set| revision(set).to_owned()).collect();
    revisions.sort();
    assert_eq!(revisions, ["2", "3"]);
    let newest = sets(&world).into_iter().find(|set| revision(set) == "3").unwrap();
    assert_eq!(newest["metadata"]["annotations"]["deployment.kubernetes.io/revision-history"], "1");
    assert_eq!(revision(&world.get(&kind::DEPLOYMENT, "web")), "3");
}

/// Documented: `revisionHistoryLimit` old sets are kept.
#[test]
fn the_history_has_a_limit() {
    let mut world = World::new();
    let mut body = deployment("web", 1, json!({}));
    body["spec"]["revisionHistoryLimit"] = json!(1);
    world.create(&kind::DEPLOYMENT, SPACE, body);
    for number in 0..4 {
        world.edit(&kind::DEPLOYMENT, "web", |deployment| {
            deployment["spec"]["template"]["metadata"]["annotations"] = json!({"try": number.to_string()});
        });
        world.run(6);
    }
    assert_eq!(sets(&world).len(), 2, "the present one and one old one");
}

/// Documented: a paused Deployment takes changes of its template without acting on them, and scales all the same.
#[test]
fn a_paused_deployment_waits() {
    let mut world = World::new();
    world.create(&kind::DEPLOYMENT, SPACE, deployment("web", 2, json!({})));
    world.run(4);
    world.edit(&kind::DEPLOYMENT, "web", |deployment| deployment["spec"]["paused"] = json!(true));
    set_image(&mut world, "web", "registry.example/shop/web:1.5");
    world.run(5);
    assert_eq!(sets(&world).len(), 1);
    let progressing = |world: &World| {
        let deployment = world.get(&kind::DEPLOYMENT, "web");
        let conditions = deployment["status"]["conditions"].as_array().unwrap().clone();
        conditions.into_iter().find(|condition| condition["type"] == "Progressing").unwrap()["reason"].clone()
    };
    assert_eq!(progressing(&world), "DeploymentPaused");
    world.edit(&kind::DEPLOYMENT, "web", |deployment| deployment["spec"]["replicas"] = json!(3));
    world.run(4);
    assert_eq!(images(&world.cluster, "web").len(), 3);
    world.edit(&kind::DEPLOYMENT, "web", |deployment| deployment["spec"]["paused"] = json!(false));
    world.run(10);
    assert!(images(&world.cluster, "web").iter().all(|(image, ready)| image.ends_with(":1.5") && *ready));
    assert_eq!(progressing(&world), "NewReplicaSetAvailable");
}

/// Tried on 1.36: an impostor with all labels, the hash included, is adopted and deleted by the ReplicaSet.
#[test]
fn an_impostor_with_the_hash_is_adopted_and_goes() {
    let mut world = World::new();
    world.create(&kind::DEPLOYMENT, SPACE, deployment("web", 2, json!({})));
    world.run(30);
    let labels = world.pods_of("web")[0]["metadata"]["labels"].clone();
    let body = |name: &str, labels: Value| json!({"metadata": {"name": name, "labels": labels}, "spec": {"containers": [{"name": "main", "image": crate::world::WEB}]}});
    world.create(&kind::POD, SPACE, body("impostor", labels));
    world.create(&kind::POD, SPACE, body("stranger", json!({"app": "web"})));
    world.run(5);
    assert!(world.cluster.get(&kind::POD, SPACE, "impostor").is_err());
    let stranger = world.get(&kind::POD, "stranger");
    assert!(stranger["metadata"]["ownerReferences"].is_null(), "without the hash it stays what it is");
}

/// Tried on 1.36: after FailedCreate the next try comes about 41, 82, 164 … s after the first failure; a scale acts at once.
#[test]
fn pods_that_cannot_be_made_are_tried_ever_more_slowly() {
    let mut world = World::new();
    let mut body = deployment("web", 2, json!({}));
    body["spec"]["template"]["spec"]["serviceAccountName"] = json!("clerk");
    world.create(&kind::DEPLOYMENT, SPACE, body);
    world.run(60);
    let set = &sets(&world)[0];
    assert_eq!(set["status"]["conditions"][0]["reason"], "FailedCreate");
    let deployment = world.get(&kind::DEPLOYMENT, "web");
    assert_eq!(condition(&deployment, "ReplicaFailure"), "True");
    assert!(world.events().iter().any(|event| event.contains("Error creating: pods \"web-")
        && event.contains(
            "is forbidden: error looking up service account shop/clerk: serviceaccount \"clerk\" not found"
        )));
    world.create(&kind::SERVICE_ACCOUNT, SPACE, json!({"metadata": {"name": "clerk"}}));
    world.run(10);
    assert_eq!(world.pods().len(), 0, "nobody tells the controller");
    world.edit(&kind::DEPLOYMENT, "web", |deployment| deployment["spec"]["replicas"] = json!(3));
    world.run(2);
    assert_eq!(world.pods().len(), 3);
    world.run(4);
    assert_eq!(condition(&world.get(&kind::DEPLOYMENT, "web"), "ReplicaFailure"), "-");
}
