//! An ingress controller, where one is asked for: a class and a Deployment, as its project's manifest for kind has them. kind comes without.

use serde_json::json;

use super::create;
use crate::{Cluster, Status, kind};

const SPACE: &str = "ingress-nginx";
const NAME: &str = "ingress-nginx-controller";
const IMAGE: &str = "registry.k8s.io/ingress-nginx/controller:v1.14.1";

/// Installs an ingress controller of class `nginx` in a cluster that has settled.
///
/// # Errors
/// The API refused an object of its own, which would be an error of this crate; or it is there already.
pub fn add_ingress_controller(cluster: &mut Cluster) -> Result<(), Status> {
    create(cluster, &kind::NAMESPACE, "", json!({"metadata": {"name": SPACE}}))?;
    create(cluster, &kind::SERVICE_ACCOUNT, SPACE, json!({"metadata": {"name": "ingress-nginx", "namespace": SPACE}}))?;
    let class = json!({"metadata": {"name": "nginx"}, "spec": {"controller": crate::network::INGRESS_CONTROLLER}});
    create(cluster, &kind::INGRESS_CLASS, "", class)?;
    let labels = json!({"app.kubernetes.io/name": "ingress-nginx", "app.kubernetes.io/component": "controller"});
    let probe = json!({"httpGet": {"path": "/healthz", "port": 10254}, "periodSeconds": 10});
    let deployment = json!({
        "metadata": {"name": NAME, "namespace": SPACE, "labels": labels},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "serviceAccountName": "ingress-nginx",
                    "nodeSelector": {"kubernetes.io/os": "linux"},
                    "tolerations": [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule", "operator": "Exists"}],
                    "containers": [{
                        "name": "controller",
                        "image": IMAGE,
                        "imagePullPolicy": "IfNotPresent",
                        "args": ["/nginx-ingress-controller", "--controller-class=k8s.io/ingress-nginx", "--ingress-class=nginx",
                            "--publish-status-address=localhost"],
                        "ports": [
                            {"name": "http", "containerPort": 80, "hostPort": 80},
                            {"name": "https", "containerPort": 443, "hostPort": 443},
                        ],
                        "readinessProbe": probe,
                        "resources": {"requests": {"cpu": "100m", "memory": "90Mi"}},
                    }],
                },
            },
        },
    });
    create(cluster, &kind::DEPLOYMENT, SPACE, deployment)?;
    let service = json!({
        "metadata": {"name": NAME, "namespace": SPACE, "labels": labels},
        "spec": {
            "type": "NodePort",
            "selector": labels,
            "ports": [
                {"name": "http", "port": 80, "targetPort": "http"},
                {"name": "https", "port": 443, "targetPort": "https"},
            ],
        },
    });
    create(cluster, &kind::SERVICE, SPACE, service).map(drop)
}
