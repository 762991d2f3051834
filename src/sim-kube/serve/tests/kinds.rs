//! Every kind through the real `kubectl`: made, shown, described, applied both ways, patched, explained, deleted.

use serde_json::{Value, json};

use super::{kubectl::Served, *};

fn object(version: &str, kind: &str, rest: Value) -> Value {
    let mut object = json!({"apiVersion": version, "kind": kind, "metadata": {"name": "a"}});
    if let (Value::Object(object), Value::Object(rest)) = (&mut object, rest) {
        object.extend(rest);
    }
    object
}

fn template(policy: &str) -> Value {
    let container = json!({"name": "a", "image": "registry.example/web:1"});
    json!({"metadata": {"labels": {"app": "a"}}, "spec": {"restartPolicy": policy, "containers": [container]}})
}

/// One object of each kind that needs nothing else to stand.
pub(crate) fn objects() -> Vec<Value> {
    let selector = json!({"matchLabels": {"app": "a"}});
    let rules = json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]);
    let subjects = json!([{"kind": "User", "name": "jo", "apiGroup": "rbac.authorization.k8s.io"}]);
    let role = |kind: &str| json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": "a"});
    let storage = json!({"storage": "1Gi"});
    let backend = json!({"service": {"name": "a", "port": {"number": 80}}});
    let path = json!({"path": "/", "pathType": "Prefix", "backend": backend});
    let asked = json!([{"apiGroups": ["none.example.com"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["things"]}]);
    let webhook = json!({
        "name": "a.lab.example",
        "clientConfig": {"service": {"name": "a", "namespace": "shop"}},
        "rules": asked,
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    });
    vec![
        object(
            "apps/v1",
            "StatefulSet",
            json!({"spec": {"serviceName": "a", "replicas": 0, "selector": selector, "template": template("Always")}}),
        ),
        object("apps/v1", "DaemonSet", json!({"spec": {"selector": selector, "template": template("Always")}})),
        object("apps/v1", "ControllerRevision", json!({"revision": 1, "data": {"spec": {}}})),
        object("batch/v1", "Job", json!({"spec": {"suspend": true, "template": template("Never")}})),
        object(
            "batch/v1",
            "CronJob",
            json!({"spec": {"schedule": "0 3 * * *", "suspend": true, "jobTemplate": {"spec": {"template": template("Never")}}}}),
        ),
        object(
            "autoscaling/v2",
            "HorizontalPodAutoscaler",
            json!({"spec": {"maxReplicas": 3, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "a"}}}),
        ),
        object("policy/v1", "PodDisruptionBudget", json!({"spec": {"minAvailable": 1, "selector": selector}})),
        object("rbac.authorization.k8s.io/v1", "Role", json!({"rules": rules})),
        object("rbac.authorization.k8s.io/v1", "ClusterRole", json!({"rules": rules})),
        object("rbac.authorization.k8s.io/v1", "RoleBinding", json!({"subjects": subjects, "roleRef": role("Role")})),
        object(
            "rbac.authorization.k8s.io/v1",
            "ClusterRoleBinding",
            json!({"subjects": subjects, "roleRef": role("ClusterRole")}),
        ),
        object("networking.k8s.io/v1", "NetworkPolicy", json!({"spec": {"podSelector": {}}})),
        object(
            "networking.k8s.io/v1",
            "Ingress",
            json!({"spec": {"rules": [{"host": "shop.example", "http": {"paths": [path]}}]}}),
        ),
        object("networking.k8s.io/v1", "IngressClass", json!({"spec": {"controller": "example.com/ingress"}})),
        object(
            "v1",
            "PersistentVolume",
            json!({"spec": {"capacity": storage, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/a"}}}),
        ),
        object(
            "v1",
            "PersistentVolumeClaim",
            json!({"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "9Gi"}}}}),
        ),
        object("v1", "ReplicationController", json!({"spec": {"replicas": 0, "template": template("Always")}})),
        object("v1", "ResourceQuota", json!({"spec": {"hard": {"secrets": "100"}}})),
        object("v1", "LimitRange", json!({"spec": {"limits": [{"type": "Container", "max": {"cpu": "4"}}]}})),
        object("v1", "PodTemplate", json!({"template": template("Always")})),
        object("storage.k8s.io/v1", "StorageClass", json!({"provisioner": "example.com/disk"})),
        object("scheduling.k8s.io/v1", "PriorityClass", json!({"value": 5})),
        object("node.k8s.io/v1", "RuntimeClass", json!({"handler": "runc"})),
        object("coordination.k8s.io/v1", "Lease", json!({"spec": {"holderIdentity": "me"}})),
        object("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", json!({"webhooks": [webhook]})),
        object("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", json!({"webhooks": [webhook]})),
        object(
            "admissionregistration.k8s.io/v1",
            "ValidatingAdmissionPolicy",
            json!({"spec": {"matchConstraints": {"resourceRules": asked}, "validations": [{"expression": "true"}]}}),
        ),
        object(
            "admissionregistration.k8s.io/v1",
            "ValidatingAdmissionPolicyBinding",
            json!({"spec": {"policyName": "a", "validationActions": ["Deny"]}}),
        ),
        json!({
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "lamps.lab.example"},
            "spec": {
                "group": "lab.example",
                "scope": "Namespaced",
                "names": {"plural": "lamps", "kind": "Lamp"},
                "versions": [{
                    "name": "v1", "served": true, "storage": true,
                    "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                        "spec": {"type": "object", "properties": {"watts": {"type": "integer", "description": "How bright."}}},
                    }}},
                }],
            },
        }),
    ]
}

#[test]
fn kubectl_does_everything_with_every_kind() {
    let Some(served) = Served::new(cluster()) else { return };
    served.prints(&["create", "namespace", "shop"]);
    let objects = objects();
    let count = objects.len();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
    let file = served.file("all.json", &list);
    let file = file.to_str().unwrap();
    let lines = |text: &str, word: &str| text.lines().filter(|line| line.contains(word)).count();
    assert_eq!(lines(&served.prints(&["create", "-f", file, "--save-config"]), "created"), count);
    assert_eq!(lines(&served.prints(&["get", "-f", file, "-o", "name"]), "/"), count);
    served.prints(&["get", "-f", file, "-o", "wide"]);
    let described = served.prints(&["describe", "-f", file]);
    assert!(lines(&described, "Name:") >= count, "{described}");
    let applied = served.prints(&["apply", "-f", file]);
    assert_eq!(lines(&applied, "unchanged") + lines(&applied, "configured"), count, "{applied}");
    let applied = served.prints(&["apply", "--server-side", "--force-conflicts", "-f", file]);
    assert_eq!(lines(&applied, "serverside-applied"), count, "{applied}");
    assert_eq!(lines(&served.prints(&["label", "-f", file, "tier=back"]), "labeled"), count);
    let patch = r#"{"metadata": {"annotations": {"note": "x"}}}"#;
    assert_eq!(lines(&served.prints(&["patch", "-f", file, "--type=merge", "-p", patch]), "patched"), count);
    for (what, wanted) in [
        ("statefulset.spec.updateStrategy", "RollingUpdate"),
        ("networkpolicy.spec.ingress", "from"),
        ("hpa.spec.metrics", "averageUtilization"),
        ("crd.spec.versions.schema", "openAPIV3Schema"),
        ("lamp.spec", "watts"),
        ("lamp.spec.watts", "How bright."),
    ] {
        let explained = served.prints(&["explain", what, "--recursive"]);
        assert!(explained.contains(wanted), "{what}: {explained}");
    }
    let old = served.prints(&["get", "--raw", "/apis/autoscaling/v1/namespaces/shop/horizontalpodautoscalers/a"]);
    assert!(old.contains("\"targetCPUUtilizationPercentage\":80"), "{old}");
    let lamp = served.file(
        "lamp.json",
        &json!({"apiVersion": "lab.example/v1", "kind": "Lamp", "metadata": {"name": "desk"}, "spec": {"watts": 5}}),
    );
    assert_eq!(served.prints(&["apply", "-f", lamp.to_str().unwrap()]), "lamp.lab.example/desk created\n");
    assert_eq!(served.prints(&["get", "lamps", "-o", "jsonpath={.items[0].spec.watts}"]), "5");
    assert_eq!(lines(&served.prints(&["delete", "-f", file, "--wait=false"]), "deleted"), count);
}

/// `kubectl create KIND` sends protobuf bodies.
#[test]
fn kubectl_makes_kinds_from_words_alone() {
    let Some(served) = Served::new(cluster()) else { return };
    served.prints(&["create", "namespace", "shop"]);
    for words in [
        "create role reader --verb=get,list --resource=pods",
        "create clusterrole reader --verb=get --resource=nodes",
        "create rolebinding reader --role=reader --serviceaccount=shop:default",
        "create clusterrolebinding reader --clusterrole=reader --user=jo",
        "create quota small --hard=pods=5,requests.cpu=1",
        "create poddisruptionbudget keep --selector=app=web --min-available=50%",
        "create priorityclass high --value=1000 --description=high",
        "create ingress web --rule=shop.example/*=web:80",
        "create job once --image=registry.example/web:1 -- true",
        "create cronjob nightly --image=registry.example/web:1 --schedule=0,3,*,*,*",
        "create deployment web --image=registry.example/web:1",
        "autoscale deployment web --min=1 --max=3 --cpu-percent=70",
    ] {
        let words: Vec<String> = words.split(' ').map(|word| word.replace("=0,3,*,*,*", "=0 3 * * *")).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let said = served.prints(&words);
        assert!(said.contains("created") || said.contains("autoscaled"), "{words:?}: {said}");
    }
    assert_eq!(
        served.prints(&["get", "hpa", "web", "-o", "jsonpath={.spec.metrics[0].resource.target.averageUtilization}"]),
        "70"
    );
    assert_eq!(served.prints(&["get", "pdb", "keep", "-o", "jsonpath={.spec.minAvailable}"]), "50%");
    assert_eq!(served.prints(&["get", "cronjob", "nightly", "-o", "jsonpath={.spec.schedule}"]), "0 3 * * *");
}
