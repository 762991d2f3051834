//! Admission on a whole cluster, through the API.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    Cluster,
    access::{
        User,
        tests::{cluster, send},
    },
    api::{ApiRequest, ApiResponse, handle},
};

const PODS: &str = "/api/v1/namespaces/shop/pods";
const QUOTAS: &str = "/api/v1/namespaces/shop/resourcequotas";

fn pod(name: &str, resources: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"terminationGracePeriodSeconds": 0,
        "containers": [{"name": "web", "image": "registry.example/shop:1", "imagePullPolicy": "Never", "resources": resources}]}})
}

fn post(cluster: &mut Cluster, path: &str, body: &Value) -> (u16, String) {
    let (status, answer) = send(cluster, &User::admin(), "POST", path, body);
    (status, answer["message"].as_str().unwrap_or_default().to_owned())
}

fn made(cluster: &mut Cluster, path: &str, body: &Value) {
    assert_eq!(post(cluster, path, body), (201, String::new()));
    settle(cluster);
}

fn get(cluster: &mut Cluster, path: &str) -> Value {
    send(cluster, &User::admin(), "GET", path, &Value::Null).1
}

fn settle(cluster: &mut Cluster) {
    cluster.advance(cluster.now() + Duration::from_secs(3));
}

/// The warnings that come with an answer.
fn warnings(cluster: &mut Cluster, method: &str, path: &str, body: &Value) -> Vec<String> {
    let merge = ("content-type".to_owned(), "application/merge-patch+json".to_owned());
    let request = ApiRequest {
        method: method.to_owned(),
        path: path.to_owned(),
        query: Vec::new(),
        headers: (method == "PATCH").then_some(merge).into_iter().collect(),
        body: body.to_string().into_bytes(),
        user: User::admin(),
    };
    let ApiResponse::Reply(reply) = handle(cluster, &request) else { panic!("no reply") };
    assert!(reply.status < 300, "{}", String::from_utf8_lossy(&reply.body.to_bytes()));
    reply.headers.into_iter().filter(|(name, _)| *name == "warning").map(|(_, text)| text).collect()
}

fn label(cluster: &mut Cluster, labels: Value) -> Vec<String> {
    warnings(cluster, "PATCH", "/api/v1/namespaces/shop", &json!({"metadata": {"labels": labels}}))
}

/// `pod-security-admission/admission`.
#[test]
fn a_namespace_s_label_keeps_careless_pods_out() {
    let mut cluster = cluster();
    made(&mut cluster, PODS, &pod("old", json!({})));
    let said = label(&mut cluster, json!({"pod-security.kubernetes.io/enforce": "restricted"}));
    assert_eq!(
        said,
        [
            "299 - \"existing pods in namespace \\\"shop\\\" violate the new PodSecurity enforce level \\\"restricted:latest\\\"\"",
            "299 - \"old: allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, seccompProfile\"",
        ]
    );
    let (status, message) = post(&mut cluster, PODS, &pod("new", json!({})));
    assert_eq!(
        (status, message.as_str()),
        (
            403,
            "pods \"new\" is forbidden: violates PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false (container \"web\" \
             must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container \"web\" must set \
             securityContext.capabilities.drop=[\"ALL\"]), runAsNonRoot != true (pod or container \"web\" must set \
             securityContext.runAsNonRoot=true), seccompProfile (pod or container \"web\" must set \
             securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")"
        )
    );
    let template = json!({"metadata": {"labels": {"app": "web"}}, "spec": pod("x", json!({}))["spec"]});
    let deployment = json!({"metadata": {"name": "web"}, "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template}});
    let mut deployment = deployment;
    deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = json!(1);
    let said = warnings(&mut cluster, "POST", "/apis/apps/v1/namespaces/shop/deployments", &deployment);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].starts_with("299 - \"would violate PodSecurity \\\"restricted:latest\\\": allowPrivilegeEscalation"),
        "{said:?}"
    );
}

#[test]
fn a_label_that_means_nothing_is_refused() {
    let mut cluster = cluster();
    let body = json!({"metadata": {"name": "odd", "labels": {"pod-security.kubernetes.io/enforce": "strict"}}});
    assert_eq!(
        post(&mut cluster, "/api/v1/namespaces", &body),
        (
            422,
            "Namespace \"odd\" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: \"strict\": must be one of \
             privileged, baseline, restricted"
                .to_owned()
        )
    );
}

/// Golden `limitrange-reject`.
#[test]
fn a_limit_range_fills_in_and_bounds() {
    let mut cluster = cluster();
    let range = json!({"metadata": {"name": "lr"}, "spec": {"limits": [{
        "type": "Container", "max": {"cpu": "200m", "memory": "64Mi"}, "min": {"cpu": "10m"},
        "default": {"cpu": "100m", "memory": "32Mi"}, "defaultRequest": {"cpu": "20m", "memory": "16Mi"}}]}});
    made(&mut cluster, "/api/v1/namespaces/shop/limitranges", &range);
    assert_eq!(
        post(&mut cluster, PODS, &pod("too-big", json!({"limits": {"cpu": "1", "memory": "1Gi"}}))),
        (
            403,
            "pods \"too-big\" is forbidden: [maximum cpu usage per Container is 200m, but limit is 1, maximum memory usage per Container \
             is 64Mi, but limit is 1Gi]"
                .to_owned()
        )
    );
    assert_eq!(
        post(&mut cluster, PODS, &pod("req-over-limit", json!({"limits": {"cpu": "20m"}, "requests": {"cpu": "50m"}}))),
        (
            422,
            "Pod \"req-over-limit\" is invalid: spec.containers[0].resources.requests: Invalid value: \"50m\": must be less than or equal \
             to cpu limit of 20m"
                .to_owned()
        )
    );
    made(&mut cluster, PODS, &pod("plain", json!({})));
    let plain = get(&mut cluster, &format!("{PODS}/plain"));
    assert_eq!(
        plain["spec"]["containers"][0]["resources"],
        json!({"limits": {"cpu": "100m", "memory": "32Mi"}, "requests": {"cpu": "20m", "memory": "16Mi"}})
    );
    assert_eq!(plain["status"]["qosClass"], "Burstable", "what was filled in counts");
}

/// `apiserver/pkg/admission/plugin/resourcequota`.
#[test]
fn a_quota_counts_what_comes_and_what_goes() {
    let mut cluster = cluster();
    let quota = json!({"metadata": {"name": "team"}, "spec": {"hard": {"pods": "1", "limits.memory": "1Gi", "count/configmaps": "9"}}});
    made(&mut cluster, QUOTAS, &quota);
    let used = |cluster: &mut Cluster| get(cluster, &format!("{QUOTAS}/team"))["status"]["used"].clone();
    assert_eq!(
        used(&mut cluster),
        json!({"count/configmaps": "1", "limits.memory": "0", "pods": "0"}),
        "kube-root-ca.crt"
    );
    assert_eq!(
        post(&mut cluster, PODS, &pod("a", json!({}))),
        (403, "pods \"a\" is forbidden: failed quota: team: must specify limits.memory for: web".to_owned())
    );
    let some = json!({"limits": {"memory": "256Mi"}});
    assert_eq!(post(&mut cluster, PODS, &pod("a", some.clone())).0, 201);
    assert_eq!(used(&mut cluster)["limits.memory"], "256Mi", "at once");
    assert_eq!(
        post(&mut cluster, PODS, &pod("b", some.clone())),
        (
            403,
            "pods \"b\" is forbidden: exceeded quota: team, requested: pods=1, used: pods=1, limited: pods=1"
                .to_owned()
        )
    );
    assert_eq!(
        post(&mut cluster, PODS, &pod("b", json!({"limits": {"memory": "2Gi"}}))).1,
        "pods \"b\" is forbidden: exceeded quota: team, requested: limits.memory=2Gi,pods=1, used: limits.memory=256Mi,pods=1, limited: \
         limits.memory=1Gi,pods=1"
    );
    settle(&mut cluster);
    assert_eq!(send(&mut cluster, &User::admin(), "DELETE", &format!("{PODS}/a"), &Value::Null).0, 200);
    settle(&mut cluster);
    assert_eq!(used(&mut cluster), json!({"count/configmaps": "1", "limits.memory": "0", "pods": "0"}));
    assert_eq!(post(&mut cluster, PODS, &pod("b", some)).0, 201);
}

/// `plugin/pkg/admission/priority`.
#[test]
fn a_pod_s_priority_is_its_class_s() {
    let mut cluster = cluster();
    let classes = "/apis/scheduling.k8s.io/v1/priorityclasses";
    let class = |name: &str, value: i64, default: bool| json!({"metadata": {"name": name}, "value": value, "globalDefault": default});
    made(&mut cluster, classes, &class("high", 1000, false));
    made(&mut cluster, classes, &class("usual", 10, true));
    assert_eq!(
        post(&mut cluster, classes, &class("other", 5, true)).1,
        "priorityclasses.scheduling.k8s.io \"other\" is forbidden: PriorityClass usual is already marked as default. Only one default can \
         exist"
    );
    let with = |name: &str, class: &str| {
        let mut pod = pod(name, json!({}));
        pod["spec"]["priorityClassName"] = json!(class);
        pod
    };
    made(&mut cluster, PODS, &with("a", "high"));
    made(&mut cluster, PODS, &pod("b", json!({})));
    assert_eq!(get(&mut cluster, &format!("{PODS}/a"))["spec"]["priority"], 1000);
    let usual = get(&mut cluster, &format!("{PODS}/b"));
    assert_eq!((&usual["spec"]["priority"], &usual["spec"]["priorityClassName"]), (&json!(10), &json!("usual")));
    assert_eq!(
        post(&mut cluster, PODS, &with("c", "nope")).1,
        "pods \"c\" is forbidden: no PriorityClass with name nope was found"
    );
}
