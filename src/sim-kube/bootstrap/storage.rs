//! Storage as a kind cluster has it: the class `standard`, and the provisioner of local folders that serves it.

use serde_json::{Value, json};

use super::create;
use crate::{
    Cluster, Status,
    controllers::volumes::{LOCAL_PATH_APP as APP, LOCAL_PATH_SPACE as SPACE},
    kind,
};

const IMAGE: &str = "docker.io/kindest/local-path-provisioner:v20251212-v0.29.0-alpha-105-g20ccfc88";
const CONFIG: &str = r#"{
        "nodePathMap":[
        {
                "node":"DEFAULT_PATH_FOR_NON_LISTED_NODES",
                "paths":["/var/local-path-provisioner"]
        }
        ]
}
"#;

pub(super) fn create_all(cluster: &mut Cluster) -> Result<(), Status> {
    let class = json!({
        "metadata": {
            "name": "standard",
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": "rancher.io/local-path",
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
    });
    create(cluster, &kind::STORAGE_CLASS, "", class)?;
    let account = json!({"metadata": {"name": "local-path-provisioner-service-account", "namespace": SPACE}});
    create(cluster, &kind::SERVICE_ACCOUNT, SPACE, account)?;
    let setup = "#!/bin/sh\nset -eu\nmkdir -m 0777 -p \"$VOL_DIR\"\n";
    let teardown = "#!/bin/sh\nset -eu\nrm -rf \"$VOL_DIR\"\n";
    let config = json!({
        "metadata": {"name": "local-path-config", "namespace": SPACE},
        "data": {"config.json": CONFIG, "setup": setup, "teardown": teardown},
    });
    create(cluster, &kind::CONFIG_MAP, SPACE, config)?;
    create(cluster, &kind::DEPLOYMENT, SPACE, provisioner()).map(drop)
}

fn provisioner() -> Value {
    json!({
        "metadata": {"name": APP, "namespace": SPACE},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": APP}},
            "template": {
                "metadata": {"labels": {"app": APP}},
                "spec": {
                    "nodeSelector": {"kubernetes.io/os": "linux"},
                    "serviceAccountName": "local-path-provisioner-service-account",
                    "tolerations": [
                        {"key": "node-role.kubernetes.io/control-plane", "operator": "Equal", "effect": "NoSchedule"},
                        {"key": "node-role.kubernetes.io/master", "operator": "Equal", "effect": "NoSchedule"},
                    ],
                    "containers": [{
                        "name": APP,
                        "image": IMAGE,
                        "imagePullPolicy": "IfNotPresent",
                        "command": [
                            "local-path-provisioner", "--debug", "start", "--helper-image",
                            "docker.io/kindest/local-path-helper:v20241212-8ac705d0", "--config", "/etc/config/config.json",
                        ],
                        "env": [
                            {"name": "POD_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
                            {"name": "CONFIG_MOUNT_PATH", "value": "/etc/config/"},
                        ],
                        "volumeMounts": [{"name": "config-volume", "mountPath": "/etc/config/"}],
                    }],
                    "volumes": [{"name": "config-volume", "configMap": {"name": "local-path-config"}}],
                },
            },
        },
    })
}
