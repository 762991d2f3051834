use serde_json::json;

use super::*;
use crate::{
    api::{
        golden::golden_json,
        verbs::Part,
        write::{
            Options, Touch,
            tests::{admin, cluster},
        },
    },
    kind,
    object::{entries, set, text},
};

fn container() -> Value {
    json!({"name": "a", "image": "registry.example/web:1"})
}

fn template(policy: &str) -> Value {
    json!({"metadata": {"labels": {"app": "a"}}, "spec": {"restartPolicy": policy, "containers": [container()]}})
}

fn named(spec: Value) -> Value {
    json!({"metadata": {"name": "a"}, "spec": spec})
}

fn set_of(kind: &str) -> Value {
    let mut spec = json!({"selector": {"matchLabels": {"app": "a"}}, "template": template("Always")});
    if kind == "StatefulSet" {
        spec["serviceName"] = json!("a");
    }
    named(spec)
}

/// What the API says to an object.
fn refusal(kind: &'static Kind, object: Value) -> String {
    let space = if kind.namespaced { "shop" } else { "" };
    cluster().create(kind, space, object, &admin()).expect_err("a refusal").message
}

/// What the API says to a change of an object.
fn refused(kind: &'static Kind, object: Value, pointer: &str, value: Value) -> String {
    let mut cluster = cluster();
    let space = if kind.namespaced { "shop" } else { "" };
    cluster.create(kind, space, object, &admin()).expect("an object");
    let edit = |object: &mut Value| set(object, pointer, value);
    cluster.update(kind, space, "a", Part::Main, &admin(), edit).expect_err("a refusal").message
}

/// What a recorded object was made of comes out here as it came out there (`golden/*/objects.json`).
#[test]
fn what_is_left_out_is_filled_in_as_on_a_real_server() {
    for file in ["job-backofflimit", "cronjob", "daemonset", "hpa-no-metrics", "pvc-bound", "limitrange-reject"] {
        let Some(record) = golden_json(&format!("{file}/objects.json")) else { return };
        let mut seen = 0;
        for recorded in entries(&record, "/items") {
            let notes = recorded.pointer("/metadata/annotations");
            let Some(applied) = notes.and_then(|notes| notes.get("kubectl.kubernetes.io/last-applied-configuration"))
            else {
                continue;
            };
            let Some(kind) = kind::by_kind(text(recorded, "/apiVersion"), text(recorded, "/kind")) else { continue };
            let mut applied: Value = serde_json::from_str(applied.as_str().unwrap()).unwrap();
            if text(&applied, "/kind") != text(recorded, "/kind") || ["pods", "services"].contains(&kind.collection) {
                continue;
            }
            set(&mut applied, "/metadata/namespace", json!("shop"));
            if file == "daemonset" {
                // The record is of a time when the template had been changed.
                set(&mut applied, "/spec/template", recorded["spec"]["template"].clone());
            }
            let made = cluster().create(kind, "shop", applied, &admin()).unwrap();
            let uid = |object: &Value| text(object, "/metadata/uid").to_owned();
            let tame = |object: &Value| -> Value {
                let own = json!([object["spec"], object["metadata"]["labels"]]).to_string();
                serde_json::from_str(&own.replace(&uid(object), "UID")).unwrap()
            };
            let mut wanted = recorded.clone();
            for bound in ["volumeName", "storageClassName"] {
                crate::object::unset(&mut wanted, &format!("/spec/{bound}"));
            }
            assert_eq!(tame(&made), tame(&wanted), "{file}");
            assert_eq!(made["metadata"]["finalizers"], recorded["metadata"]["finalizers"], "{file}");
            let counts = |object: &Value| object["metadata"].get("generation").is_some();
            assert_eq!(counts(&made), counts(recorded), "{file}");
            seen += 1;
        }
        assert!(seen > 0, "{file}");
    }
}

#[test]
fn a_set_of_pods_keeps_most_of_what_it_is() {
    assert_eq!(
        refused(&kind::STATEFUL_SET, set_of("StatefulSet"), "/spec/serviceName", json!("b")),
        "StatefulSet.apps \"a\" is invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', \
         'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
    );
    let mut cluster = cluster();
    cluster.create(&kind::STATEFUL_SET, "shop", set_of("StatefulSet"), &admin()).unwrap();
    let scaled = cluster
        .update(&kind::STATEFUL_SET, "shop", "a", Part::Main, &admin(), |set_| set(set_, "/spec/replicas", json!(3)))
        .unwrap();
    assert_eq!(scaled["metadata"]["generation"], 2);
    let selector = json!({"matchLabels": {"app": "b"}});
    let said = refused(&kind::DAEMON_SET, set_of("DaemonSet"), "/spec/selector", selector);
    assert!(
        said.contains("spec.selector: Invalid value: {\"matchLabels\":{\"app\":\"b\"}}: field is immutable"),
        "{said}"
    );
}

#[test]
fn a_daemon_sets_template_is_counted() {
    let mut cluster = cluster();
    let count = |object: &Value| object["metadata"]["annotations"]["deprecated.daemonset.template.generation"].clone();
    let made = cluster.create(&kind::DAEMON_SET, "shop", set_of("DaemonSet"), &admin()).unwrap();
    assert_eq!(count(&made), "1");
    let image = "/spec/template/spec/containers";
    let change = |object: &mut Value| {
        let mut other = container();
        other["image"] = json!("registry.example/web:2");
        set(object, image, json!([other]));
    };
    let changed = cluster.update(&kind::DAEMON_SET, "shop", "a", Part::Main, &admin(), change).unwrap();
    assert_eq!((count(&changed), &changed["metadata"]["generation"]), (json!("2"), &json!(2)));
}

#[test]
fn jobs_are_made_for_pods_that_end() {
    assert_eq!(
        refusal(&kind::JOB, named(json!({"template": template("Always")}))),
        "Job.batch \"a\" is invalid: spec.template.spec.restartPolicy: Required value: valid values: \"OnFailure\", \"Never\""
    );
    let said = refused(
        &kind::JOB,
        named(json!({"template": template("Never")})),
        "/spec/template/spec/containers",
        json!([{"name": "a", "image": "registry.example/web:2"}]),
    );
    assert!(said.starts_with("Job.batch \"a\" is invalid: spec.template: Invalid value: {\"labels\":{"), "{said}");
    assert!(said.ends_with(": field is immutable"), "{said}");
    assert!(said.contains("\"Spec\":{\"Volumes\":null,"), "{said}");
    assert_eq!(
        refused(&kind::JOB, named(json!({"template": template("Never")})), "/spec/completions", json!(2)),
        "Job.batch \"a\" is invalid: spec.completions: Invalid value: 2: field is immutable"
    );
    // A job that was copied with the labels of the one it was copied from.
    let mut copied = named(json!({"template": template("Never")}));
    copied["spec"]["template"]["metadata"]["labels"]["controller-uid"] = json!("other");
    let said = refusal(&kind::JOB, copied);
    assert!(said.contains("spec.template.metadata.labels[controller-uid]: Invalid value: {"), "{said}");
}

#[test]
fn claims_and_classes_stay_what_they_are() {
    let claim = || named(json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}));
    let said = refused(&kind::PERSISTENT_VOLUME_CLAIM, claim(), "/spec/accessModes", json!(["ReadWriteMany"]));
    assert!(
        said.starts_with(
            "PersistentVolumeClaim \"a\" is invalid: spec: Forbidden: spec is immutable after creation except resources.requests and \
             volumeAttributesClassName for bound claims\n@@ -1,"
        ),
        "{said}"
    );
    assert!(said.contains("-  \"ReadWriteOnce\"\n+  \"ReadWriteMany\"\n"), "{said}");
    assert_eq!(
        refusal(&kind::PERSISTENT_VOLUME_CLAIM, named(json!({}))),
        "PersistentVolumeClaim \"a\" is invalid: [spec.accessModes: Required value: at least 1 access mode is required, \
         spec.resources[storage]: Required value]"
    );
    let mut class = json!({"metadata": {"name": "a"}, "provisioner": "example.com/disk", "parameters": {"a": "b"}});
    let said = refused(&kind::STORAGE_CLASS, class.clone(), "/parameters", json!({"a": "c"}));
    assert_eq!(
        said,
        "StorageClass.storage.k8s.io \"a\" is invalid: parameters: Forbidden: updates to parameters are forbidden."
    );
    class["metadata"]["annotations"] = json!({"storageclass.kubernetes.io/is-default-class": "true"});
    let mut cluster = cluster();
    cluster.create(&kind::STORAGE_CLASS, "", class, &admin()).unwrap();
    let made = cluster.create(&kind::PERSISTENT_VOLUME_CLAIM, "shop", claim(), &admin()).unwrap();
    assert_eq!(made["spec"]["storageClassName"], "a");
}

#[test]
fn rights_name_what_they_are_for() {
    let role = |rule: Value| json!({"metadata": {"name": "a"}, "rules": [rule]});
    assert_eq!(
        refusal(&kind::ROLE, role(json!({"verbs": [], "resources": ["pods"]}))),
        "Role.rbac.authorization.k8s.io \"a\" is invalid: [rules[0].verbs: Required value: verbs must contain at least one value, \
         rules[0].apiGroups: Required value: resource rules must supply at least one api group]"
    );
    let binding = |role: &str| {
        json!({
            "metadata": {"name": "a"},
            "roleRef": {"kind": role, "name": "reader"},
            "subjects": [{"kind": "ServiceAccount", "name": "default"}],
        })
    };
    assert_eq!(
        refusal(&kind::CLUSTER_ROLE_BINDING, binding("ClusterRole")),
        "ClusterRoleBinding.rbac.authorization.k8s.io \"a\" is invalid: subjects[0].namespace: Required value"
    );
    // In a namespace it is one of that namespace (golden `rbac-forbidden`).
    let binding = binding("Role");
    let said = refused(&kind::ROLE_BINDING, binding, "/roleRef/name", json!("writer"));
    assert_eq!(
        said,
        "RoleBinding.rbac.authorization.k8s.io \"a\" is invalid: roleRef: Invalid value: \
         {\"APIGroup\":\"rbac.authorization.k8s.io\",\"Kind\":\"Role\",\"Name\":\"writer\"}: cannot change roleRef"
    );
}

#[test]
fn the_network_is_described_in_full() {
    let policy = |peer: Value| named(json!({"podSelector": {}, "ingress": [{"from": [peer]}]}));
    let made = cluster().create(
        &kind::NETWORK_POLICY,
        "shop",
        named(json!({"podSelector": {}, "egress": [{"ports": [{"port": 53}]}]})),
        &admin(),
    );
    let made = made.unwrap();
    assert_eq!(made["spec"]["policyTypes"], json!(["Ingress", "Egress"]));
    assert_eq!(made["spec"]["egress"][0]["ports"][0]["protocol"], "TCP");
    for (peer, wanted) in [
        (json!({}), "from[0]: Required value: must specify a peer"),
        (
            json!({"podSelector": {}, "ipBlock": {"cidr": "10.0.0.0/8"}}),
            "from[0]: Forbidden: may not specify both ipBlock and another peer",
        ),
        (
            json!({"ipBlock": {"cidr": "10.0.0.0/8", "except": ["11.0.0.0/16"]}}),
            "from[0].ipBlock.except[0]: Invalid value: \"11.0.0.0/16\": must be a strict subset of `cidr`",
        ),
    ] {
        assert_eq!(
            refusal(&kind::NETWORK_POLICY, policy(peer)),
            format!("NetworkPolicy.networking.k8s.io \"a\" is invalid: spec.ingress[0].{wanted}")
        );
    }
    let path = json!({"path": "shop", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {}}}});
    assert_eq!(
        refusal(&kind::INGRESS, named(json!({"rules": [{"host": "10.0.0.1", "http": {"paths": [path]}}]}))),
        "Ingress.networking.k8s.io \"a\" is invalid: [spec.rules[0].host: Invalid value: \"10.0.0.1\": must be a DNS name, not an IP \
         address, spec.rules[0].http.paths[0].path: Invalid value: \"shop\": must be an absolute path, \
         spec.rules[0].http.paths[0].backend.service.port: Required value: port name or number is required]"
    );
}

/// The internal types have no JSON names, and show every member.
#[test]
fn what_is_refused_is_shown_as_the_server_holds_it() {
    assert_eq!(
        refusal(&kind::INGRESS, named(json!({}))),
        "Ingress.networking.k8s.io \"a\" is invalid: spec: Invalid value: \
         {\"IngressClassName\":null,\"DefaultBackend\":null,\"TLS\":null,\"Rules\":null}: either `defaultBackend` or `rules` must be specified"
    );
}

#[test]
fn limits_are_in_order() {
    let scale = |least: i64, most: i64| {
        named(json!({"minReplicas": least, "maxReplicas": most, "scaleTargetRef": {"kind": "Deployment", "name": "a"}}))
    };
    assert_eq!(
        refusal(&kind::HORIZONTAL_POD_AUTOSCALER, scale(3, 2)),
        "HorizontalPodAutoscaler.autoscaling \"a\" is invalid: spec.maxReplicas: Invalid value: 2: must be greater than or equal to \
         `minReplicas`"
    );
    assert_eq!(
        refusal(&kind::RESOURCE_QUOTA, named(json!({"hard": {"pots": "1"}}))),
        "ResourceQuota \"a\" is invalid: spec.hard[pots]: Invalid value: \"pots\": must be a standard resource for quota"
    );
    let range = json!({"limits": [{"type": "Container", "min": {"cpu": "1"}, "max": {"cpu": "500m"}}]});
    let said = refusal(&kind::LIMIT_RANGE, named(range));
    assert!(
        said.contains("spec.limits[0].min[cpu]: Invalid value: \"1\": min value 1 is greater than max value 500m"),
        "{said}"
    );
    let class = |value: i64| json!({"metadata": {"name": "a"}, "value": value});
    assert_eq!(
        refusal(&kind::PRIORITY_CLASS, class(2_000_000_000)),
        "PriorityClass.scheduling.k8s.io \"a\" is invalid: value: Forbidden: maximum allowed value of a user defined priority is 1000000000"
    );
    assert_eq!(
        refused(&kind::PRIORITY_CLASS, class(5), "/value", json!(6)),
        "PriorityClass.scheduling.k8s.io \"a\" is invalid: value: Forbidden: may not be changed in an update."
    );
    let budget = named(json!({"minAvailable": "half", "selector": {}}));
    assert!(refusal(&kind::POD_DISRUPTION_BUDGET, budget).contains("a valid percent string must be a numeric string"));
}

#[test]
fn webhooks_and_policies_say_what_they_are_asked_about() {
    let webhook = json!({"metadata": {"name": "a"}, "webhooks": [{"name": "short", "clientConfig": {}}]});
    let said = refusal(&kind::VALIDATING_WEBHOOK_CONFIGURATION, webhook);
    for wanted in [
        "webhooks[0].name: Invalid value: \"short\": should be a domain with at least three segments separated by dots",
        "webhooks[0].sideEffects: Required value: must specify one of None, NoneOnDryRun",
        "webhooks[0].clientConfig: Required value: exactly one of url or service is required",
    ] {
        assert!(said.contains(wanted), "{said}");
    }
    let binding = named(json!({"policyName": "a", "validationActions": ["Deny", "Warn"]}));
    assert!(
        refusal(&kind::VALIDATING_ADMISSION_POLICY_BINDING, binding).contains("must not contain both Deny and Warn"),
    );
}

/// `pkg/registry/core/pod/strategy.go`: each part of a pod is written through its own door.
#[test]
fn parts_of_a_pod_are_written_through_their_own_doors() {
    let mut cluster = cluster();
    let by = admin();
    let options = Options::strict(&by);
    let resources = |cpu: &str| json!({"requests": {"cpu": cpu}, "limits": {"cpu": "1"}});
    let mut body = named(json!({"containers": [container()]}));
    body["spec"]["containers"][0]["resources"] = resources("100m");
    cluster.create(&kind::POD, "shop", body, &by).unwrap();
    let mut write = |touch: Touch, pointer: &str, value: Value| {
        let edit = |pod: &mut Value| {
            match pod.pointer_mut(pointer) {
                Some(place) => *place = value,
                None => set(pod, pointer, value),
            }
            Ok(())
        };
        cluster.update_with(&kind::POD, "shop", "a", touch, &options, edit).map(|written| written.object)
    };
    let debugger = |image: &str| json!([{"name": "debugger", "image": image}]);
    let place = "/spec/ephemeralContainers";
    let debugged = write(Touch::EphemeralContainers, place, debugger("registry.example/box:1")).unwrap();
    assert_eq!(debugged["spec"]["ephemeralContainers"][0]["imagePullPolicy"], "IfNotPresent");
    assert_eq!(
        write(Touch::EphemeralContainers, place, debugger("registry.example/box:2")).unwrap_err().message,
        "Pod \"a\" is invalid: spec.ephemeralContainers: Forbidden: existing ephemeral containers \"debugger\" may not be changed\n"
    );
    let kept = write(Touch::Main, place, json!([])).unwrap();
    assert_eq!(kept["spec"]["ephemeralContainers"][0]["name"], "debugger");
    let place = "/spec/containers/0/resources";
    let before = kept["metadata"]["generation"].as_i64().unwrap();
    let resized = write(Touch::Resize, place, resources("200m")).unwrap();
    assert_eq!(resized["spec"]["containers"][0]["resources"]["requests"]["cpu"], "200m");
    assert_eq!(resized["metadata"]["generation"], before + 1);
    assert_eq!(
        write(Touch::Resize, place, json!({})).unwrap_err().message.split(", ").next(),
        Some(
            "Pod \"a\" is invalid: [spec: Invalid value: \"Burstable\": Pod QOS Class may not change as a result of resizing"
        )
    );
    let said = write(Touch::Main, place, resources("300m")).unwrap_err().message;
    assert!(said.contains("pod updates may not change fields other than"), "{said}");
}

#[test]
fn a_request_for_a_certificate_is_approved_apart() {
    use base64::Engine as _;
    let pem = "-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----\n";
    let request = base64::engine::general_purpose::STANDARD.encode(pem);
    let signer = "kubernetes.io/kube-apiserver-client";
    let body = named(json!({"request": request, "signerName": signer, "usages": ["client auth"]}));
    let mut cluster = cluster();
    let by = admin();
    cluster.create(&kind::CERTIFICATE_SIGNING_REQUEST, "", body, &by).unwrap();
    let condition = json!([{"type": "Approved", "status": "True", "reason": "Checked"}]);
    let edit = |request: &mut Value| {
        set(request, "/status/conditions", condition.clone());
        set(request, "/status/certificate", json!("bm8="));
        Ok(())
    };
    let options = Options::strict(&by);
    let kind = &kind::CERTIFICATE_SIGNING_REQUEST;
    let approved = cluster.update_with(kind, "", "a", Touch::Approval, &options, edit).unwrap().object;
    assert_eq!(approved["status"]["conditions"][0]["type"], "Approved");
    assert_eq!(approved["status"].get("certificate"), None);
}

/// Words read off a 1.36 server, which was asked the same.
#[test]
fn a_pods_users_names_and_ports_are_looked_at() {
    let pod = |spec: Value| {
        let mut whole = json!({"containers": [container()]});
        for (member, value) in spec.as_object().unwrap() {
            whole[member] = value.clone();
        }
        named(whole)
    };
    let mut user = container();
    user["securityContext"] = json!({"runAsUser": -1});
    let mut port = container();
    port["ports"] = json!([{"containerPort": 80, "hostPort": 81}]);
    for (spec, said) in [
        (
            json!({"containers": [user]}),
            "spec.containers[0].securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive",
        ),
        (
            json!({"containers": [port], "hostNetwork": true}),
            "spec.containers[0].ports[0].hostPort: Invalid value: 81: must match `containerPort` when `hostNetwork` is true",
        ),
        (
            json!({"dnsPolicy": "None"}),
            "spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None",
        ),
    ] {
        let refused = refusal(&kind::POD, pod(spec));
        assert!(refused.ends_with(said), "{refused}");
    }
    let made =
        cluster().create(&kind::POD, "shop", pod(json!({"terminationGracePeriodSeconds": -1})), &admin()).unwrap();
    assert_eq!(made["spec"]["terminationGracePeriodSeconds"], 1);
}
