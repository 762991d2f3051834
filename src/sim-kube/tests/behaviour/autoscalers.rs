//! Horizontal pod autoscalers: from load to replicas, in the real one's words and at its pace.

use std::{collections::BTreeMap, time::Duration};

use breakfix_sim_kube::{
    kind, metrics,
    network::{self, Source},
};
use breakfix_workload::Request;
use serde_json::{Value, json};

use crate::world::{SPACE, World, condition, deployment, service};

fn autoscaler(spec: Value) -> Value {
    let mut scaler = json!({
        "metadata": {"name": "web"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "minReplicas": 2,
            "maxReplicas": 6,
            "metrics": [{"type": "Resource", "resource": {
                "name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}],
        },
    });
    for (field, value) in spec.as_object().unwrap() {
        scaler["spec"][field] = value.clone();
    }
    scaler
}

/// A shop whose every request costs 50 ms, with a metrics server.
fn shop(resources: Value, spec: Value) -> World {
    let mut world = World::new();
    world.cluster.install_metrics_server();
    let container = json!({"resources": resources, "env": [{"name": "CPU", "value": "50ms"}]});
    world.create(&kind::DEPLOYMENT, SPACE, deployment("web", 2, container));
    world.create(&kind::SERVICE, SPACE, service("web", "web", 80, json!(8080)));
    world.caller();
    world.run(60);
    world.create(&kind::HORIZONTAL_POD_AUTOSCALER, SPACE, autoscaler(spec));
    world
}

fn asks_for(cpu: &str) -> Value {
    json!({"requests": {"cpu": cpu}})
}

/// So many requests a second, for so many seconds.
fn load(world: &mut World, seconds: u64, rate: u64) {
    let caller = world.get(&kind::POD, "caller");
    let from = Source::Pod(caller["metadata"]["uid"].as_str().unwrap().to_owned());
    let request = Request { method: "GET".into(), ..Request::default() };
    for _ in 0..seconds {
        for _ in 0..rate {
            network::http(&mut world.cluster, &from, "http://web/", &request, Duration::from_secs(2)).outcome.unwrap();
        }
        world.run(1);
    }
}

fn replicas(world: &World) -> i64 {
    world.get(&kind::DEPLOYMENT, "web")["spec"]["replicas"].as_i64().unwrap()
}

fn scaler(world: &World) -> Value {
    Value::clone(&world.get(&kind::HORIZONTAL_POD_AUTOSCALER, "web"))
}

fn said(world: &World, front: &str) -> bool {
    world.events().iter().any(|event| event.starts_with(front))
}

/// Documented: load brings replicas at once, its end takes them away after five minutes.
#[test]
fn replicas_follow_the_load_up_at_once_and_down_late() {
    let mut world = shop(asks_for("100m"), json!({}));
    load(&mut world, 60, 6);
    assert!(replicas(&world) >= 4, "300 ms a second over pods that should use 50m each: {}", world.scene());
    assert_eq!(condition(&scaler(&world), "ScalingActive"), "True");
    assert!(said(&world, "SuccessfulRescale HorizontalPodAutoscaler/web"), "{}", world.scene());
    let high = replicas(&world);
    world.run(240);
    assert_eq!(replicas(&world), high, "for five minutes the highest recommendation counts");
    let able = &scaler(&world)["status"]["conditions"][0];
    assert_eq!((&able["type"], &able["reason"]), (&json!("AbleToScale"), &json!("ScaleDownStabilized")));
    world.run(180);
    assert_eq!(replicas(&world), 2);
}

/// The words of `replica_calculator.go` for a container without a request.
#[test]
fn without_a_request_there_is_no_share() {
    let mut world = shop(json!({}), json!({}));
    world.run(40);
    let scaler = scaler(&world);
    let active =
        scaler["status"]["conditions"].as_array().unwrap().iter().find(|it| it["type"] == "ScalingActive").unwrap();
    assert_eq!((&active["status"], &active["reason"]), (&json!("False"), &json!("FailedGetResourceMetric")));
    let words = active["message"].as_str().unwrap();
    assert!(
        words.starts_with("the HPA was unable to compute the replica count: failed to get cpu utilization: missing request for cpu in container web of Pod web-"),
        "{words}"
    );
    assert_eq!(replicas(&world), 2);
}

#[test]
fn a_behaviour_slows_down() {
    let behavior = json!({
        "scaleUp": {"stabilizationWindowSeconds": 0, "selectPolicy": "Max",
            "policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}]},
        "scaleDown": {"stabilizationWindowSeconds": 30, "selectPolicy": "Max",
            "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}]},
    });
    let mut world = shop(asks_for("100m"), json!({"behavior": behavior}));
    load(&mut world, 45, 10);
    assert_eq!(replicas(&world), 3, "one a minute");
    let limited = scaler(&world);
    assert_eq!(condition(&limited, "ScalingLimited"), "True");
    load(&mut world, 40, 10);
    assert_eq!(replicas(&world), 4);
    world.run(75);
    assert_eq!(replicas(&world), 2, "down after half a minute, all at once");
}

/// `horizontal.go`: outside the range the metrics are not asked; a target of zero is left alone.
#[test]
fn the_range_comes_first_and_zero_means_off() {
    let mut world = shop(asks_for("100m"), json!({"minReplicas": 3}));
    world.run(20);
    assert_eq!(replicas(&world), 3);
    assert!(said(
        &world,
        "SuccessfulRescale HorizontalPodAutoscaler/web x1: New size: 3; reason: Current number of replicas below Spec.MinReplicas"
    ));
    world.edit(&kind::DEPLOYMENT, "web", |web| web["spec"]["replicas"] = json!(0));
    world.run(20);
    assert_eq!(replicas(&world), 0);
    let scaler = scaler(&world);
    let active =
        scaler["status"]["conditions"].as_array().unwrap().iter().find(|it| it["type"] == "ScalingActive").unwrap();
    assert_eq!(active["reason"], "ScalingDisabled");
}

#[test]
fn a_queue_outside_the_cluster_brings_workers() {
    let metric = |name: &str| {
        json!({"metrics": [{"type": "External", "external": {
            "metric": {"name": name, "selector": {"matchLabels": {"queue": "mail"}}},
            "target": {"type": "AverageValue", "averageValue": "10"}}}]})
    };
    let mut world = shop(asks_for("100m"), metric("queue_depth"));
    world.run(20);
    assert!(said(&world, "FailedGetExternalMetric"), "no adapter serves it yet");
    let mut external = metrics::External::default();
    external.set("queue_depth", BTreeMap::from([("queue".to_owned(), "mail".to_owned())]), 40_000);
    world.cluster.metrics.external = Some(external);
    world.run(16);
    assert_eq!(replicas(&world), 4);
}

#[test]
fn a_metric_of_pods_must_be_there_by_its_name() {
    let metric = |name: &str| {
        json!({"metrics": [{"type": "Pods", "pods": {"metric": {"name": name},
            "target": {"type": "AverageValue", "averageValue": "10"}}}]})
    };
    let mut world = shop(asks_for("100m"), metric("queue_length"));
    let pods = world.pods_of("web-");
    let mut custom = metrics::Custom::default();
    for pod in &pods {
        custom.set("pods", SPACE, pod["metadata"]["name"].as_str().unwrap(), "queue_depth", 20_000);
    }
    world.cluster.metrics.custom = Some(custom);
    world.run(20);
    assert!(said(&world, "FailedGetPodsMetric HorizontalPodAutoscaler/web"), "{}", world.scene());
    let right = metric("queue_depth")["metrics"].clone();
    world.edit(&kind::HORIZONTAL_POD_AUTOSCALER, "web", |scaler| scaler["spec"]["metrics"] = right);
    world.run(16);
    assert_eq!(replicas(&world), 4);
}

/// metrics-server measures what has run for a whole window.
#[test]
fn readings_tell_what_pods_and_nodes_use() {
    let mut world = shop(asks_for("100m"), json!({}));
    load(&mut world, 20, 4);
    let pods = metrics::read(&world.cluster, &kind::POD_METRICS, Some(SPACE));
    assert_eq!(pods.len(), 3);
    let web = pods.iter().find(|pod| pod["metadata"]["name"].as_str().unwrap().starts_with("web-")).unwrap();
    let cpu = web["containers"][0]["usage"]["cpu"].as_str().unwrap().trim_end_matches('n').parse::<u64>().unwrap();
    assert!(cpu > 20_000_000, "{web}");
    assert_eq!(metrics::read(&world.cluster, &kind::NODE_METRICS, None).len(), 3);
    let bare = World::new();
    assert!(metrics::read(&bare.cluster, &kind::NODE_METRICS, None).is_empty(), "a cluster of kind measures nothing");
}
