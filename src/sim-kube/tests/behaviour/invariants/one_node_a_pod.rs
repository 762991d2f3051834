//! A pod never changes its node, and no two pods on the pod network share an address.

use std::collections::BTreeMap;

use breakfix_sim_kube::{Cluster, kind};

#[derive(Default)]
pub struct Memory {
    nodes: BTreeMap<String, String>,
}

pub fn check(cluster: &Cluster, memory: &mut Memory) -> Result<(), String> {
    let mut addresses: BTreeMap<String, String> = BTreeMap::new();
    for pod in cluster.list(&kind::POD, None) {
        let uid = pod["metadata"]["uid"].as_str().unwrap_or("").to_owned();
        if let Some(node) = pod["spec"]["nodeName"].as_str() {
            let known = memory.nodes.entry(uid.clone()).or_insert_with(|| node.to_owned());
            if known != node {
                return Err(format!("{} moved from {known} to {node}", pod["metadata"]["name"]));
            }
        }
    }
    for run in cluster.nodes.pods() {
        let is_host = run.pod["spec"]["hostNetwork"] == true;
        if let Some(ip) = run.address().filter(|_| !is_host)
            && let Some(other) = addresses.insert(ip.to_string(), run.uid.clone())
        {
            return Err(format!("{} and {other} both have {ip}", run.uid));
        }
    }
    Ok(())
}
