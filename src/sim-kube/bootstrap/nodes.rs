//! The nodes: a tainted control plane and workers, each with what a kubelet reports of its machine.

use serde_json::{Value, json};

use crate::Cluster;

/// A node's machine: enough for every lab, and small enough that a request can be too large.
const CPUS: &str = "4";
const MEMORY: &str = "8145228Ki";
const DISK: &str = "61255492Ki";
const VERSION: &str = "v1.36.2";

/// The object that kubelet registers for the machine of that number; the first is the control plane's.
pub(crate) fn object(name: &str, number: usize) -> Value {
    let is_control_plane = number == 0;
    let mut labels = json!({
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
    });
    let mut spec = json!({
        "podCIDR": format!("10.244.{number}.0/24"),
        "podCIDRs": [format!("10.244.{number}.0/24")],
        "providerID": format!("breakfix://simulator/{name}"),
    });
    if is_control_plane {
        labels["node-role.kubernetes.io/control-plane"] = json!("");
        labels["node.kubernetes.io/exclude-from-external-load-balancers"] = json!("");
        spec["taints"] = json!([{"effect": "NoSchedule", "key": "node-role.kubernetes.io/control-plane"}]);
    }
    let annotations = json!({
        "node.alpha.kubernetes.io/ttl": "0",
        "volumes.kubernetes.io/controller-managed-attach-detach": "true",
    });
    json!({"metadata": {"name": name, "labels": labels, "annotations": annotations}, "spec": spec})
}

/// What it reports first.
pub(crate) fn status(cluster: &mut Cluster, name: &str, number: usize) -> Value {
    let today = cluster.today();
    let condition = |kind: &str, holds: bool, reason: &str, message: &str| {
        json!({
            "type": kind,
            "status": if holds { "True" } else { "False" },
            "reason": reason,
            "message": message,
            "lastHeartbeatTime": today,
            "lastTransitionTime": today,
        })
    };
    let amounts = json!({
        "cpu": CPUS,
        "ephemeral-storage": DISK,
        "hugepages-1Gi": "0",
        "hugepages-2Mi": "0",
        "memory": MEMORY,
        "pods": "110",
    });
    let machine = cluster.chance.uuid().replace('-', "");
    let boot = cluster.chance.uuid();
    let images: Vec<Value> =
        cluster.config.images.iter().map(|image| json!({"names": [image], "sizeBytes": 1_700_000})).collect();
    json!({
        "addresses": [
            {"type": "InternalIP", "address": format!("172.31.0.{}", number + 2)},
            {"type": "Hostname", "address": name},
        ],
        "allocatable": amounts,
        "capacity": amounts,
        "conditions": [
            condition("MemoryPressure", false, "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
            condition("DiskPressure", false, "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
            condition("PIDPressure", false, "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
            condition("Ready", true, "KubeletReady", "kubelet is posting ready status"),
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "images": images,
        "nodeInfo": {
            "architecture": "amd64",
            "bootID": boot,
            "containerRuntimeVersion": "containerd://2.1.9",
            "kernelVersion": "6.12.0-simulated",
            "kubeProxyVersion": "",
            "kubeletVersion": VERSION,
            "machineID": machine,
            "operatingSystem": "linux",
            "osImage": "breakfix simulator",
            "systemUUID": machine,
        },
    })
}
