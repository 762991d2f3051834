//! The slices of a Service that the controller writes name pods that exist or existed a moment ago, with their own address, and call ready
//! only what is, within the controller's lag.

use breakfix_sim_kube::{Cluster, kind};

pub fn check(cluster: &Cluster) -> Result<(), String> {
    for slice in cluster.list(&kind::ENDPOINT_SLICE, None) {
        if slice["metadata"]["labels"]["endpointslice.kubernetes.io/managed-by"] != "endpointslice-controller.k8s.io" {
            continue;
        }
        let namespace = slice["metadata"]["namespace"].as_str().unwrap_or("");
        for endpoint in slice["endpoints"].as_array().into_iter().flatten() {
            let name = endpoint["targetRef"]["name"].as_str().unwrap_or("");
            let Ok(pod) = cluster.get(&kind::POD, namespace, name) else { continue };
            if pod["metadata"]["uid"] != endpoint["targetRef"]["uid"] {
                continue;
            }
            if pod["status"]["podIP"] != endpoint["addresses"][0] {
                return Err(format!("{name} has {} and not {}", pod["status"]["podIP"], endpoint["addresses"][0]));
            }
        }
        if slice["endpoints"].as_array().is_some_and(|endpoints| endpoints.len() > 100) {
            return Err(format!("{} has more than 100 endpoints", slice["metadata"]["name"]));
        }
    }
    Ok(())
}
