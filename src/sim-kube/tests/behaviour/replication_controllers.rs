//! ReplicationControllers (`pkg/controller/replication`, `pkg/apis/core/v1/defaults.go`, `pkg/registry/core/replicationcontroller`).

use breakfix_sim_kube::{api::verbs::DeleteOptions, kind};
use serde_json::{Value, json};

use crate::world::{SPACE, WEB, World, is_ready};

fn controller(name: &str, replicas: u64) -> Value {
    json!({
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "web", "image": WEB}]},
            },
        },
    })
}

fn running(front: &'static str, count: usize) -> impl FnMut(&breakfix_sim_kube::Cluster) -> bool {
    move |cluster| {
        let pods = cluster.list(&kind::POD, Some(SPACE));
        pods.filter(|pod| pod["metadata"]["name"].as_str().unwrap().starts_with(front) && is_ready(pod)).count()
            == count
    }
}

#[test]
fn it_keeps_as_many_pods_as_are_wanted() {
    let mut world = World::new();
    let made = world.create(&kind::REPLICATION_CONTROLLER, SPACE, controller("old", 3));
    assert_eq!(made["spec"]["selector"], json!({"app": "old"}), "the template's labels are the selector");
    assert_eq!(made["metadata"]["labels"], json!({"app": "old"}));
    world.until(20, "three pods", running("old-", 3));
    let own = world.get(&kind::REPLICATION_CONTROLLER, "old");
    let status = &own["status"];
    assert_eq!(
        (&status["replicas"], &status["availableReplicas"], &status["observedGeneration"]),
        (&json!(3), &json!(3), &json!(1))
    );
    assert!(status.get("terminatingReplicas").is_none(), "a field of its younger sister's");
    let pod = world.pods_of("old-")[0].clone();
    let owner = &pod["metadata"]["ownerReferences"][0];
    assert_eq!((&owner["kind"], &owner["apiVersion"]), (&json!("ReplicationController"), &json!("v1")));
    let created = format!(
        "SuccessfulCreate ReplicationController/old x1: Created pod: {}",
        pod["metadata"]["name"].as_str().unwrap()
    );
    assert!(world.events().contains(&created), "{:?}", world.events());
    let name = pod["metadata"]["name"].as_str().unwrap().to_owned();
    world.cluster.delete(&kind::POD, SPACE, &name, &DeleteOptions::default(), &World::admin()).unwrap();
    world.run(40);
    assert_eq!(world.pods_of("old-").len(), 3, "one that goes is replaced");
    world.edit(&kind::REPLICATION_CONTROLLER, "old", |own| own["spec"]["replicas"] = json!(1));
    world.run(40);
    assert_eq!(world.pods_of("old-").len(), 1);
}

/// A new template changes no pod that is there: whoever wants a roll-out deletes them.
#[test]
fn a_new_template_is_for_new_pods() {
    let mut world = World::new();
    world.create(&kind::REPLICATION_CONTROLLER, SPACE, controller("old", 2));
    world.until(20, "two pods", running("old-", 2));
    let image = "registry.example/shop/web:1.5";
    world.edit(&kind::REPLICATION_CONTROLLER, "old", |own| {
        own["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image)
    });
    world.run(20);
    let images = |world: &World| -> Vec<Value> {
        let mut images: Vec<Value> =
            world.pods_of("old-").iter().map(|pod| pod["spec"]["containers"][0]["image"].clone()).collect();
        images.sort_by_key(Value::to_string);
        images
    };
    assert_eq!(images(&world), [WEB, WEB]);
    let name = world.pods_of("old-")[0]["metadata"]["name"].as_str().unwrap().to_owned();
    world.cluster.delete(&kind::POD, SPACE, &name, &DeleteOptions::default(), &World::admin()).unwrap();
    world.run(40);
    assert_eq!(images(&world), [WEB, image]);
}

/// Over `v1` a deletion that says nothing leaves the pods; `kubectl delete` says `Background`.
#[test]
fn its_deletion_leaves_the_pods_unless_it_says_otherwise() {
    let mut world = World::new();
    for name in ["kept", "gone"] {
        world.create(&kind::REPLICATION_CONTROLLER, SPACE, controller(name, 1));
    }
    world.until(20, "a pod of each", |cluster| running("kept-", 1)(cluster) && running("gone-", 1)(cluster));
    world
        .cluster
        .delete(&kind::REPLICATION_CONTROLLER, SPACE, "kept", &DeleteOptions::default(), &World::admin())
        .unwrap();
    let background = DeleteOptions { propagation: Some("Background".to_owned()), ..DeleteOptions::default() };
    world.cluster.delete(&kind::REPLICATION_CONTROLLER, SPACE, "gone", &background, &World::admin()).unwrap();
    world.run(60);
    assert!(world.cluster.list(&kind::REPLICATION_CONTROLLER, Some(SPACE)).next().is_none());
    assert_eq!((world.pods_of("kept-").len(), world.pods_of("gone-").len()), (1, 0));
    assert!(world.pods_of("kept-")[0]["metadata"].get("ownerReferences").is_none());
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let mut world = World::new();
    let mut refused = |edit: fn(&mut Value)| {
        let mut body = controller("bad", 1);
        edit(&mut body);
        world.cluster.create(&kind::REPLICATION_CONTROLLER, SPACE, body, &World::admin()).unwrap_err().message
    };
    assert_eq!(
        refused(|body| body["spec"]["selector"] = json!({"app": "other"})),
        "ReplicationController \"bad\" is invalid: spec.template.metadata.labels: Invalid value: {\"app\":\"bad\"}: `selector` does not match \
         template `labels`"
    );
    assert_eq!(
        refused(|body| drop(body["spec"].as_object_mut().unwrap().remove("template"))),
        "ReplicationController \"bad\" is invalid: [spec.selector: Required value, spec.template: Required value]"
    );
    assert_eq!(
        refused(|body| body["spec"]["replicas"] = json!(-1)),
        "ReplicationController \"bad\" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0"
    );
}
