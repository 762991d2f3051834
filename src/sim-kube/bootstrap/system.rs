//! What runs in every cluster: the API's own Service, DNS, the control plane's pods.

use serde_json::{Value, json};

use super::{create, node_names};
use crate::{Cluster, Status, kind, object::uid};

const SPACE: &str = "kube-system";
const COREDNS: &str = "registry.k8s.io/coredns/coredns:v1.14.2";
const COREFILE: &str = ".:53 {
    errors
    health {
       lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus :9153
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30 {
       disable success cluster.local
       disable denial cluster.local
    }
    loop
    reload
    loadbalance
}
";

pub(super) fn create_all(cluster: &mut Cluster) -> Result<(), Status> {
    api_service(cluster)?;
    dns(cluster)?;
    control_plane(cluster)
}

/// `default/kubernetes`: its endpoints are the API server's own work.
fn api_service(cluster: &mut Cluster) -> Result<(), Status> {
    let labels = json!({"component": "apiserver", "provider": "kubernetes"});
    let service = json!({
        "metadata": {"name": "kubernetes", "namespace": "default", "labels": labels},
        "spec": {
            "clusterIP": "10.96.0.1",
            "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}],
            "type": "ClusterIP",
        },
    });
    create(cluster, &kind::SERVICE, "default", service)?;
    let ports = json!([{"name": "https", "port": 6443, "protocol": "TCP"}]);
    let endpoints = json!({
        "metadata": {
            "name": "kubernetes",
            "namespace": "default",
            "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"},
        },
        "subsets": [{"addresses": [{"ip": "172.31.0.2"}], "ports": ports}],
    });
    create(cluster, &kind::ENDPOINTS, "default", endpoints)?;
    let slice = json!({
        "metadata": {
            "name": "kubernetes",
            "namespace": "default",
            "labels": {"kubernetes.io/service-name": "kubernetes"},
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["172.31.0.2"], "conditions": {"ready": true}}],
        "ports": ports,
    });
    create(cluster, &kind::ENDPOINT_SLICE, "default", slice).map(drop)
}

fn dns(cluster: &mut Cluster) -> Result<(), Status> {
    let account = json!({"metadata": {"name": "coredns", "namespace": SPACE}});
    create(cluster, &kind::SERVICE_ACCOUNT, SPACE, account)?;
    let config = json!({"metadata": {"name": "coredns", "namespace": SPACE}, "data": {"Corefile": COREFILE}});
    create(cluster, &kind::CONFIG_MAP, SPACE, config)?;
    let service = json!({
        "metadata": {
            "name": "kube-dns",
            "namespace": SPACE,
            "labels": {
                "k8s-app": "kube-dns",
                "kubernetes.io/cluster-service": "true",
                "kubernetes.io/name": "CoreDNS",
            },
            "annotations": {"prometheus.io/port": "9153", "prometheus.io/scrape": "true"},
        },
        "spec": {
            "clusterIP": "10.96.0.10",
            "selector": {"k8s-app": "kube-dns"},
            "ports": [
                {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53},
                {"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": 53},
                {"name": "metrics", "port": 9153, "protocol": "TCP", "targetPort": 9153},
            ],
        },
    });
    create(cluster, &kind::SERVICE, SPACE, service)?;
    create(cluster, &kind::DEPLOYMENT, SPACE, dns_deployment()).map(drop)
}

fn dns_deployment() -> Value {
    let probe = |path: &str, port: &str| json!({"httpGet": {"path": path, "port": port, "scheme": "HTTP"}});
    let mut liveness = probe("/health", "liveness-probe");
    liveness["failureThreshold"] = json!(5);
    liveness["initialDelaySeconds"] = json!(60);
    liveness["timeoutSeconds"] = json!(5);
    json!({
        "metadata": {"name": "coredns", "namespace": SPACE, "labels": {"k8s-app": "kube-dns"}},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"k8s-app": "kube-dns"}},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 1}},
            "template": {
                "metadata": {"labels": {"k8s-app": "kube-dns"}},
                "spec": {
                    "serviceAccountName": "coredns",
                    "dnsPolicy": "Default",
                    "priorityClassName": "system-cluster-critical",
                    "nodeSelector": {"kubernetes.io/os": "linux"},
                    "tolerations": [
                        {"key": "CriticalAddonsOnly", "operator": "Exists"},
                        {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"},
                    ],
                    "volumes": [{"name": "config-volume", "configMap": {
                        "name": "coredns", "items": [{"key": "Corefile", "path": "Corefile"}]}}],
                    "containers": [{
                        "name": "coredns",
                        "image": COREDNS,
                        "imagePullPolicy": "IfNotPresent",
                        "args": ["-conf", "/etc/coredns/Corefile"],
                        "ports": [
                            {"name": "dns", "containerPort": 53, "protocol": "UDP"},
                            {"name": "dns-tcp", "containerPort": 53, "protocol": "TCP"},
                            {"name": "metrics", "containerPort": 9153, "protocol": "TCP"},
                            {"name": "liveness-probe", "containerPort": 8080, "protocol": "TCP"},
                            {"name": "readiness-probe", "containerPort": 8181, "protocol": "TCP"},
                        ],
                        "livenessProbe": liveness,
                        "readinessProbe": probe("/ready", "readiness-probe"),
                        "resources": {"limits": {"memory": "170Mi"}, "requests": {"cpu": "100m", "memory": "70Mi"}},
                        "volumeMounts": [{"name": "config-volume", "mountPath": "/etc/coredns", "readOnly": true}],
                    }],
                },
            },
        },
    })
}

/// Mirror pods of what runs on the control plane's node.
fn control_plane(cluster: &mut Cluster) -> Result<(), Status> {
    let node = node_names(0).into_iter().next().unwrap_or_default();
    let owner = cluster.get(&kind::NODE, "", &node)?;
    let parts = [
        ("etcd", "registry.k8s.io/etcd:3.6.8-0", "100m"),
        ("kube-apiserver", "registry.k8s.io/kube-apiserver:v1.36.2", "250m"),
        ("kube-controller-manager", "registry.k8s.io/kube-controller-manager:v1.36.2", "200m"),
        ("kube-scheduler", "registry.k8s.io/kube-scheduler:v1.36.2", "100m"),
    ];
    for (name, image, cpu) in parts {
        let body = json!({
            "metadata": {
                "name": format!("{name}-{node}"),
                "namespace": SPACE,
                "labels": {"component": name, "tier": "control-plane"},
                "annotations": {
                    "kubernetes.io/config.mirror": uid(&owner),
                    "kubernetes.io/config.source": "file",
                },
                "ownerReferences": [
                    {"apiVersion": "v1", "kind": "Node", "name": node, "uid": uid(&owner), "controller": true},
                ],
            },
            "spec": {
                "nodeName": node,
                "hostNetwork": true,
                "priorityClassName": "system-node-critical",
                "tolerations": [{"effect": "NoExecute", "operator": "Exists"}],
                "containers": [{
                    "name": name,
                    "image": image,
                    "imagePullPolicy": "IfNotPresent",
                    "command": [name],
                    "resources": {"requests": {"cpu": cpu}},
                }],
            },
        });
        create(cluster, &kind::POD, SPACE, body)?;
    }
    Ok(())
}
