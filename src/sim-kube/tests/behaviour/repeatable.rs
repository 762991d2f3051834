//! The same seed and the same requests give the same bytes; a cluster that was saved and read back goes on as if nothing had been.

use breakfix_sim_kube::{Cluster, kind};
use serde_json::json;

use crate::world::{SPACE, World, deployment, service};

/// A busy minute: roll-outs, crashes, a failing pull, probes, deletions.
fn busy(world: &mut World) {
    let probe = json!({"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 3});
    world.create(&kind::DEPLOYMENT, SPACE, deployment("web", 3, json!({"readinessProbe": probe})));
    world.create(&kind::SERVICE, SPACE, service("web", "web", 80, json!(8080)));
    world.create(
        &kind::DEPLOYMENT,
        SPACE,
        deployment("crash", 2, json!({"command": ["sh", "-c", "echo boot; exit 3"]})),
    );
    world.create(&kind::DEPLOYMENT, SPACE, deployment("pull", 1, json!({"image": "registry.example/shop/none:1"})));
    world.create(
        &kind::DEPLOYMENT,
        SPACE,
        deployment("client", 1, json!({"args": ["client"], "env": [{"name": "URL", "value": "http://web/"}]})),
    );
    world.run(15);
    world.edit(&kind::DEPLOYMENT, "web", |deployment| {
        deployment["spec"]["template"]["spec"]["containers"][0]["image"] = json!("registry.example/shop/web:1.5");
    });
    world.run(20);
    world.edit(&kind::DEPLOYMENT, "crash", |deployment| deployment["spec"]["replicas"] = json!(0));
    world.run(15);
}

fn bytes(cluster: &Cluster) -> String {
    serde_json::to_string(cluster).unwrap()
}

/// Where two texts begin to differ, with what stands there.
fn difference(left: &str, right: &str) -> String {
    let at =
        left.bytes().zip(right.bytes()).position(|(left, right)| left != right).unwrap_or(left.len().min(right.len()));
    let around = |text: &str| text.get(at.saturating_sub(200)..(at + 80).min(text.len())).unwrap_or("").to_owned();
    format!("at byte {at}:\n{}\n{}", around(left), around(right))
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let (mut first, mut second) = (World::new(), World::new());
    busy(&mut first);
    busy(&mut second);
    let (left, right) = (bytes(&first.cluster), bytes(&second.cluster));
    assert!(left == right, "{}", difference(&left, &right));
    let mut other = World::with_seed(8);
    busy(&mut other);
    assert_ne!(bytes(&other.cluster), left, "another seed lives another life");
}

#[test]
fn a_saved_cluster_goes_on_as_if_nothing_had_been() {
    let mut world = World::new();
    busy(&mut world);
    let saved = bytes(&world.cluster);
    let mut restored = World::new();
    restored.cluster = serde_json::from_str(&saved).unwrap();
    assert!(bytes(&restored.cluster) == saved, "{}", difference(&bytes(&restored.cluster), &saved));
    world.cluster.advance(world.cluster.now() + std::time::Duration::from_secs(120));
    restored.cluster.advance(restored.cluster.now() + std::time::Duration::from_secs(120));
    let (left, right) = (bytes(&world.cluster), bytes(&restored.cluster));
    assert!(left == right, "{}", difference(&left, &right));
}

#[test]
fn a_copy_lives_a_life_of_its_own() {
    let mut world = World::new();
    busy(&mut world);
    let before = bytes(&world.cluster);
    let mut copy = world.cluster.clone();
    copy.advance(copy.now() + std::time::Duration::from_secs(60));
    let after = bytes(&world.cluster);
    assert!(before == after, "{}", difference(&before, &after));
}

/// What a namespace is after so many ten minutes with all that a busy one has: a job a minute, a client, crashes, a release every time.
fn lived(steps: u64) -> String {
    let mut world = World::new();
    busy(&mut world);
    world.create(
        &kind::CRON_JOB,
        SPACE,
        json!({"metadata": {"name": "report"}, "spec": {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": {"spec": {
            "restartPolicy": "Never", "containers": [{"name": "main", "image": crate::world::WEB, "args": ["job", "--after=5s"]}]}}}}}}),
    );
    world.edit(&kind::DEPLOYMENT, "crash", |deployment| deployment["spec"]["replicas"] = json!(1));
    for step in 0..steps {
        world.edit(&kind::DEPLOYMENT, "web", |deployment| {
            deployment["spec"]["template"]["metadata"]["annotations"] = json!({"release": step.to_string()});
        });
        world.cluster.tell_controllers();
        world.cluster.advance(world.cluster.now() + std::time::Duration::from_secs(600));
    }
    bytes(&world.cluster)
}

/// `ci/bench` lets it be a whole day (`BREAKFIX_SIMULATED_HOURS=24`) and takes the time.
#[test]
fn a_busy_namespace_lives_the_same_time_twice() {
    let hours: Option<u64> = std::env::var("BREAKFIX_SIMULATED_HOURS").ok().and_then(|hours| hours.parse().ok());
    let steps = hours.map_or(1, |hours| hours * 6);
    let (first, second) = (lived(steps), lived(steps));
    assert!(first == second, "{}", difference(&first, &second));
    assert!(first.len() < 20 << 20, "what is over is forgotten: {} bytes after {steps} times ten minutes", first.len());
}
