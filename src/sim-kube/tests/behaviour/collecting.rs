//! What goes when something else goes: owners, namespaces, old events.

use breakfix_sim_kube::{Cluster, api::verbs::DeleteOptions, kind};
use serde_json::{Value, json};

use crate::world::{SPACE, WEB, World, deployment};

fn delete(world: &mut World, name: &str, propagation: &str) {
    let options = DeleteOptions { propagation: Some(propagation.to_owned()), ..DeleteOptions::default() };
    world.cluster.delete(&kind::DEPLOYMENT, SPACE, name, &options, &World::admin()).unwrap();
}

fn left(cluster: &Cluster) -> (usize, usize, usize) {
    let count = |kind| cluster.list(kind, Some(SPACE)).count();
    (count(&kind::DEPLOYMENT), count(&kind::REPLICA_SET), count(&kind::POD))
}

fn shop() -> World {
    let mut world = World::new();
    world.create(&kind::DEPLOYMENT, SPACE, deployment("web", 2, json!({})));
    world.run(4);
    assert_eq!(left(&world.cluster), (1, 1, 2));
    world
}

/// Documented: in the background the owner goes first, everything else follows.
#[test]
fn in_the_background_the_owner_goes_first() {
    let mut world = shop();
    delete(&mut world, "web", "Background");
    assert_eq!(left(&world.cluster).0, 0);
    world.run(4);
    assert_eq!(left(&world.cluster), (0, 0, 0));
}

/// Documented: in the foreground the owner waits for all that depend on it.
#[test]
fn in_the_foreground_the_owner_goes_last() {
    let mut world = shop();
    delete(&mut world, "web", "Foreground");
    let mut order = Vec::new();
    world.until(10, "all is gone", |cluster| {
        let now = left(cluster);
        order.push(now);
        now == (0, 0, 0)
    });
    assert!(
        order.iter().all(|(deployments, sets, pods)| (*sets == 0 || *deployments == 1) && (*pods == 0 || *sets == 1)),
        "{order:?}"
    );
}

/// Recorded in delete-grace: `--cascade=orphan` leaves the rest, without an owner.
#[test]
fn orphans_stay() {
    let mut world = shop();
    delete(&mut world, "web", "Orphan");
    world.run(4);
    assert_eq!(left(&world.cluster), (0, 1, 2));
    let set = world.cluster.list(&kind::REPLICA_SET, Some(SPACE)).next().unwrap();
    assert!(set["metadata"]["ownerReferences"].is_null());
    world.create(&kind::DEPLOYMENT, SPACE, deployment("web", 2, json!({})));
    world.run(4);
    assert_eq!(left(&world.cluster), (1, 1, 2), "a new Deployment of the same template takes the set up again");
}

/// Tried on 1.36: with a wrong owner uid an object is gone within seconds; the namespace as owner keeps it.
#[test]
fn a_wrong_owner_is_none() {
    let mut world = World::new();
    let uid = world.cluster.get(&kind::NAMESPACE, "", SPACE).unwrap()["metadata"]["uid"].clone();
    let pod = |name: &str, uid: Value| {
        json!({"metadata": {"name": name, "ownerReferences": [
            {"apiVersion": "v1", "kind": "Namespace", "name": SPACE, "uid": uid, "controller": true}]},
            "spec": {"containers": [{"name": "main", "image": WEB}]}})
    };
    world.create(&kind::POD, SPACE, pod("right", uid));
    world.create(&kind::POD, SPACE, pod("wrong", json!("00000000-0000-4000-8000-000000000000")));
    world.run(10);
    assert!(world.cluster.get(&kind::POD, SPACE, "right").is_ok());
    assert!(world.cluster.get(&kind::POD, SPACE, "wrong").is_err());
}

/// Documented: a namespace takes everything in it along, and takes nothing new meanwhile.
#[test]
fn a_namespace_empties_itself() {
    let mut world = shop();
    world.create(&kind::CONFIG_MAP, SPACE, json!({"metadata": {"name": "shop"}, "data": {}}));
    world.cluster.delete(&kind::NAMESPACE, "", SPACE, &DeleteOptions::default(), &World::admin()).unwrap();
    assert_eq!(world.cluster.get(&kind::NAMESPACE, "", SPACE).unwrap()["status"]["phase"], "Terminating");
    let refused = world
        .cluster
        .create(&kind::CONFIG_MAP, SPACE, json!({"metadata": {"name": "new"}}), &World::admin())
        .unwrap_err();
    assert!(refused.message.contains("because it is being terminated"));
    let took = world.until(40, "it is gone", |cluster| cluster.get(&kind::NAMESPACE, "", SPACE).is_err());
    assert!((5.0..30.0).contains(&took), "{took}");
    assert_eq!(world.cluster.store.all().filter(|(key, _)| &*key.namespace == SPACE).count(), 0);
}

/// Tried on 1.36 (`namespace-will-not-die`): an object with a finalizer holds it, and the conditions say which.
#[test]
fn a_finalizer_holds_a_namespace() {
    let mut world = World::new();
    let held = json!({"metadata": {"name": "ledger", "finalizers": ["example.com/hold"]}, "data": {}});
    world.create(&kind::CONFIG_MAP, SPACE, held);
    world.cluster.delete(&kind::NAMESPACE, "", SPACE, &DeleteOptions::default(), &World::admin()).unwrap();
    world.run(20);
    let namespace = world.cluster.get(&kind::NAMESPACE, "", SPACE).unwrap();
    let conditions = namespace["status"]["conditions"].as_array().unwrap();
    let message =
        |name: &str| conditions.iter().find(|condition| condition["type"] == name).unwrap()["message"].clone();
    assert_eq!(
        message("NamespaceContentRemaining"),
        "Some resources are remaining: configmaps. has 1 resource instances"
    );
    assert_eq!(
        message("NamespaceFinalizersRemaining"),
        "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances"
    );
    world.edit(&kind::CONFIG_MAP, "ledger", |ledger| {
        drop(ledger["metadata"].as_object_mut().unwrap().remove("finalizers"))
    });
    world.until(30, "it is gone", |cluster| cluster.get(&kind::NAMESPACE, "", SPACE).is_err());
}

/// `--event-ttl` is an hour.
#[test]
fn old_events_are_dropped() {
    let mut world = shop();
    world.run(3400);
    assert!(!world.events().is_empty());
    world.run(400);
    assert!(world.events().is_empty(), "{:#?}", world.events());
}

/// Documented: what every namespace has from the start comes back.
#[test]
fn the_default_account_and_the_root_certificate_come_back() {
    let mut world = World::new();
    for (kind, name) in [(&kind::SERVICE_ACCOUNT, "default"), (&kind::CONFIG_MAP, "kube-root-ca.crt")] {
        let old = world.get(kind, name);
        world.cluster.delete(kind, SPACE, name, &DeleteOptions::default(), &World::admin()).unwrap();
        world.run(1);
        assert_ne!(world.get(kind, name)["metadata"]["uid"], old["metadata"]["uid"]);
    }
}
