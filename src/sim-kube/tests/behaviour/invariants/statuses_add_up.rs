//! Counts in a status never contradict each other, and a restart count never outruns the runs.

use breakfix_sim_kube::{Cluster, kind};
use serde_json::Value;

pub fn check(cluster: &Cluster) -> Result<(), String> {
    for kind in [&kind::DEPLOYMENT, &kind::REPLICA_SET] {
        for object in cluster.list(kind, None) {
            let count = |field: &str| object["status"][field].as_i64().unwrap_or(0);
            let name = &object["metadata"]["name"];
            if count("availableReplicas") > count("readyReplicas") || count("readyReplicas") > count("replicas") {
                return Err(format!("{name}: {}", object["status"]));
            }
            if count("observedGeneration") > object["metadata"]["generation"].as_i64().unwrap_or(0) {
                return Err(format!("{name} has observed the future"));
            }
        }
    }
    for pod in cluster.list(&kind::POD, None) {
        pod_adds_up(pod)?;
    }
    Ok(())
}

fn pod_adds_up(pod: &Value) -> Result<(), String> {
    let name = &pod["metadata"]["name"];
    let holds = |wanted: &str| {
        pod["status"]["conditions"]
            .as_array()
            .into_iter()
            .flatten()
            .any(|condition| condition["type"] == wanted && condition["status"] == "True")
    };
    if holds("Ready") && !holds("ContainersReady") {
        return Err(format!("{name} is ready and its containers are not"));
    }
    for status in pod["status"]["containerStatuses"].as_array().into_iter().flatten() {
        let states = status["state"].as_object().map_or(0, serde_json::Map::len);
        if states != 1 {
            return Err(format!("{name}: a container is in {states} states"));
        }
        if status["ready"] == true && status["state"]["running"].is_null() {
            return Err(format!("{name}: a container is ready and does not run"));
        }
    }
    Ok(())
}
