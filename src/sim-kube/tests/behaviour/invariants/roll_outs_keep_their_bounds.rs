//! A Deployment never wants more pods than its replicas and its surge; its sets together are what it scales.

use breakfix_sim_kube::{Cluster, kind};
use serde_json::Value;

pub fn check(cluster: &Cluster) -> Result<(), String> {
    for deployment in cluster.list(&kind::DEPLOYMENT, None) {
        let uid = &deployment["metadata"]["uid"];
        let sets: Vec<_> = cluster
            .list(&kind::REPLICA_SET, deployment["metadata"]["namespace"].as_str())
            .filter(|set| {
                set["metadata"]["ownerReferences"].as_array().into_iter().flatten().any(|owner| owner["uid"] == *uid)
            })
            .collect();
        let wanted: i64 = sets.iter().map(|set| set["spec"]["replicas"].as_i64().unwrap_or(0)).sum();
        let replicas = deployment["spec"]["replicas"].as_i64().unwrap_or(1);
        let settled = deployment["status"]["observedGeneration"] == deployment["metadata"]["generation"];
        let most = replicas + surge(deployment, replicas);
        // Right after a scale-down the sets still have what they had.
        if settled && wanted > most {
            return Err(format!("{} wants {wanted} pods of {most}", deployment["metadata"]["name"]));
        }
    }
    Ok(())
}

fn surge(deployment: &Value, replicas: i64) -> i64 {
    if deployment["spec"]["strategy"]["type"] == "Recreate" {
        return 0;
    }
    match &deployment["spec"]["strategy"]["rollingUpdate"]["maxSurge"] {
        Value::Number(number) => number.as_i64().unwrap_or(0),
        Value::String(text) => {
            let percent: i64 = text.trim_end_matches('%').parse().unwrap_or(0);
            (percent * replicas + 99) / 100
        }
        _ => 0,
    }
}
