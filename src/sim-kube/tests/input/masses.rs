//! Ten thousand objects, and a thousand and a half pods that find no node: slower than a few, but neither stuck nor slower by the square.

use std::time::{Duration, Instant};

use breakfix_sim_kube::{Cluster, kind};
use serde_json::{Value, json};

use crate::asking::{DEPLOYMENTS, MAPS, MERGE, cluster, config_map, get, lives_on, pass, post, send, watch};

const MANY: u64 = 10_000;
/// Of a debug build on a busy machine. By the square it would be many minutes.
const IN_TIME: Duration = Duration::from_secs(90);

fn with_maps(count: u64) -> Cluster {
    let mut cluster = cluster();
    for number in 0..count {
        let made = post(&mut cluster, MAPS, &config_map(&format!("map-{number}")));
        assert_eq!(made.0, 201, "{}", made.1);
    }
    pass(&mut cluster, 1);
    cluster
}

#[test]
fn ten_thousand_objects_are_listed_paged_watched_and_deleted() {
    let began = Instant::now();
    let mut cluster = with_maps(MANY);
    let own = usize::try_from(MANY).unwrap() + 1;
    assert_eq!(get(&mut cluster, MAPS).1["items"].as_array().unwrap().len(), own, "and the cluster's own");
    let (mut pages, mut listed, mut next) = (0, 0, String::new());
    loop {
        let (status, page) = get(&mut cluster, &format!("{MAPS}?limit=500&continue={next}"));
        assert_eq!(status, 200);
        pages += 1;
        listed += page["items"].as_array().unwrap().len();
        match page["metadata"]["continue"].as_str() {
            Some(token) => token.clone_into(&mut next),
            None => break,
        }
    }
    assert_eq!((pages, listed), (21, own));
    let mut open = watch(&mut cluster, &format!("{MAPS}?watch=true")).unwrap();
    assert_eq!(open.poll(&cluster).bytes.iter().filter(|byte| **byte == b'\n').count(), own);
    lives_on(&mut cluster);
    let (status, _) = send(&mut cluster, "DELETE", MAPS, "", Vec::new());
    assert_eq!(status, 200);
    pass(&mut cluster, 10);
    assert!(get(&mut cluster, MAPS).1["items"].as_array().unwrap().len() < 2);
    assert!(began.elapsed() < IN_TIME, "{:?}", began.elapsed());
}

#[test]
fn a_namespace_with_ten_thousand_objects_goes() {
    let began = Instant::now();
    let mut cluster = with_maps(MANY);
    assert_eq!(send(&mut cluster, "DELETE", "/api/v1/namespaces/shop", "", Vec::new()).0, 200);
    pass(&mut cluster, 120);
    assert_eq!(get(&mut cluster, "/api/v1/namespaces/shop").0, 404);
    assert!(began.elapsed() < IN_TIME, "{:?}", began.elapsed());
}

fn scale(cluster: &mut Cluster, replicas: u64) {
    let patch = json!({"spec": {"replicas": replicas}}).to_string().into_bytes();
    let (status, said) = send(cluster, "PATCH", &format!("{DEPLOYMENTS}/web"), MERGE, patch);
    assert_eq!(status, 200, "{said}");
}

fn pods(cluster: &Cluster, holds: impl Fn(&Value) -> bool) -> usize {
    cluster.list(&kind::POD, Some("shop")).filter(|pod| holds(pod)).count()
}

fn is_placed(pod: &Value) -> bool {
    pod["spec"]["nodeName"].is_string()
}

/// More pods in one step than the store remembers writes: every one is seen by scheduler and nodes.
#[test]
fn no_pod_of_a_crowd_is_forgotten() {
    let began = Instant::now();
    let mut cluster = cluster();
    scale(&mut cluster, 1_500);
    pass(&mut cluster, 60);
    assert_eq!(pods(&cluster, |_| true), 1_500);
    let placed = pods(&cluster, is_placed);
    assert!((200..=220).contains(&placed), "two nodes have room for 110 each, some of it taken: {placed}");
    let running = pods(&cluster, |pod| pod["status"]["phase"] == "Running");
    assert_eq!(running, placed, "whoever has a node runs");
    let told = pods(&cluster, |pod| !is_placed(pod) && pod["status"]["conditions"][0]["reason"] == "Unschedulable");
    assert_eq!(told, 1_500 - placed, "whoever has none is told why");
    let ready = cluster.get(&kind::DEPLOYMENT, "shop", "web").unwrap()["status"]["readyReplicas"].clone();
    assert_eq!(ready, json!(running));
    scale(&mut cluster, 2);
    pass(&mut cluster, 90);
    assert_eq!(pods(&cluster, |_| true), 2);
    assert!(began.elapsed() < IN_TIME, "{:?}", began.elapsed());
}

/// A controller looks at an owner once for all that happened to its pods at about the same moment. The more pods, the longer a step takes in
/// a real one, and the more it finds when it looks again.
#[test]
fn a_crowd_is_looked_at_seldom() {
    let steps = |replicas: u64| {
        let mut cluster = cluster();
        let before = cluster.controllers.steps("replica-set");
        scale(&mut cluster, replicas);
        pass(&mut cluster, 60);
        cluster.controllers.steps("replica-set") - before
    };
    let (few, many) = (steps(20), steps(1_500));
    assert!(few > 3, "{few}");
    assert!(many < 300, "{many} looks at a set of 1500 pods, {few} at one of 20");
}
