//! Deployments: roll-outs, their bounds, their words.

use breakfix_sim_kube::kind;
use serde_json::json;

use crate::world::{SPACE, World, condition, deployment, is_ready, service};

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
    println!("{}", world.scene());
}
