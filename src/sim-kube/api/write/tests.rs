use serde_json::json;

use super::super::verbs::{DeleteOptions, Part};
use super::*;
use crate::{
    Cluster,
    kind::{CONFIG_MAP, DEPLOYMENT, NAMESPACE, POD, SECRET, SERVICE, SERVICE_ACCOUNT},
};

pub(crate) fn cluster() -> Cluster {
    let date = "2026-01-01T10:00:00Z".parse().unwrap();
    let images = std::collections::BTreeSet::new();
    let mut cluster = Cluster::empty(crate::Config { seed: 7, date, workers: 1, images });
    let by = admin();
    cluster.create(&NAMESPACE, "", json!({"metadata": {"name": "shop"}}), &by).unwrap();
    cluster.create(&SERVICE_ACCOUNT, "shop", json!({"metadata": {"name": "default"}}), &by).unwrap();
    cluster
}

pub(crate) fn admin() -> Actor {
    Actor { user: "kubernetes-admin".to_owned(), manager: "test".to_owned() }
}

fn pod() -> Value {
    json!({"metadata": {"name": "a"}, "spec": {"containers": [{"name": "a", "image": "registry.example/web:1"}]}})
}

#[test]
fn a_new_pod_gets_what_a_server_gives() {
    let mut cluster = cluster();
    let made = cluster.create(&POD, "shop", pod(), &admin()).unwrap();
    assert_eq!(made["metadata"]["generation"], 1);
    assert_eq!(made["metadata"]["creationTimestamp"], "2026-01-01T10:00:00Z");
    assert_eq!(made["status"], json!({"phase": "Pending", "qosClass": "BestEffort"}));
    assert_eq!(made["spec"]["serviceAccountName"], "default");
    assert_eq!(made["spec"]["tolerations"].as_array().unwrap().len(), 2);
    assert_eq!(made["spec"]["containers"][0]["imagePullPolicy"], "IfNotPresent");
    assert!(made["spec"]["volumes"][0]["name"].as_str().unwrap().starts_with("kube-api-access-"));
    let again = cluster.create(&POD, "shop", pod(), &admin()).unwrap_err();
    assert_eq!((again.code, again.message.as_str()), (409, "pods \"a\" already exists"));
}

#[test]
fn a_namespace_must_be_there() {
    let mut cluster = cluster();
    let refused = cluster.create(&CONFIG_MAP, "nope", json!({"metadata": {"name": "a"}}), &admin()).unwrap_err();
    assert_eq!(refused.message, "namespaces \"nope\" not found");
    cluster.delete(&NAMESPACE, "", "shop", &DeleteOptions::default(), &admin()).unwrap();
    let refused = cluster.create(&CONFIG_MAP, "shop", json!({"metadata": {"name": "a"}}), &admin()).unwrap_err();
    assert_eq!(
        refused.message,
        "configmaps \"a\" is forbidden: unable to create new content in namespace shop because it is being terminated"
    );
    cluster.finalize("shop", &admin()).unwrap();
    assert!(cluster.get(&NAMESPACE, "", "shop").is_err());
}

#[test]
fn generated_names_are_drawn() {
    let mut cluster = cluster();
    let made = cluster.create(&CONFIG_MAP, "shop", json!({"metadata": {"generateName": "a-"}}), &admin()).unwrap();
    let name = made["metadata"]["name"].as_str().unwrap();
    assert_eq!(name.len(), 7);
    assert!(name.starts_with("a-"));
}

#[test]
fn an_edit_that_changes_nothing_writes_nothing() {
    let mut cluster = cluster();
    cluster.create(&POD, "shop", pod(), &admin()).unwrap();
    let revision = cluster.store.revision();
    cluster.update(&POD, "shop", "a", Part::Main, &admin(), |_| {}).unwrap();
    assert_eq!(cluster.store.revision(), revision);
}

#[test]
fn status_and_spec_are_kept_apart() {
    let mut cluster = cluster();
    let web = json!({"metadata": {"name": "web"}, "spec": {
        "selector": {"matchLabels": {"a": "b"}},
        "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "a", "image": "b"}]}},
    }});
    cluster.create(&DEPLOYMENT, "shop", web, &admin()).unwrap();
    let edit = |object: &mut Value| {
        crate::object::set(object, "/spec/replicas", json!(3));
        crate::object::set(object, "/status/replicas", json!(3));
    };
    let after = cluster.update(&DEPLOYMENT, "shop", "web", Part::Status, &admin(), edit).unwrap();
    assert_eq!((&after["spec"]["replicas"], &after["status"]["replicas"]), (&json!(1), &json!(3)));
    assert_eq!(after["metadata"]["generation"], 1);
    let after = cluster
        .update(&DEPLOYMENT, "shop", "web", Part::Main, &admin(), |object| {
            crate::object::set(object, "/spec/replicas", json!(4));
            crate::object::set(object, "/status/replicas", json!(9));
        })
        .unwrap();
    assert_eq!((&after["spec"]["replicas"], &after["status"]["replicas"]), (&json!(4), &json!(3)));
    assert_eq!(after["metadata"]["generation"], 2);
}

#[test]
fn finalizers_hold_an_object() {
    let mut cluster = cluster();
    let map = json!({"metadata": {"name": "a", "finalizers": ["breakfix.dev/hold"]}});
    cluster.create(&CONFIG_MAP, "shop", map, &admin()).unwrap();
    let marked = cluster.delete(&CONFIG_MAP, "shop", "a", &DeleteOptions::default(), &admin()).unwrap();
    assert_eq!(marked["metadata"]["deletionTimestamp"], "2026-01-01T10:00:00Z");
    cluster
        .update(&CONFIG_MAP, "shop", "a", Part::Main, &admin(), |object| {
            crate::object::unset(object, "/metadata/finalizers");
        })
        .unwrap();
    assert_eq!(cluster.get(&CONFIG_MAP, "shop", "a").unwrap_err().code, 404);
}

#[test]
fn a_bound_pod_is_given_its_grace() {
    let mut cluster = cluster();
    cluster.create(&POD, "shop", pod(), &admin()).unwrap();
    cluster.bind("shop", "a", "worker-1", &admin()).unwrap();
    assert_eq!(cluster.bind("shop", "a", "worker-2", &admin()).unwrap_err().code, 409);
    let marked = cluster.delete(&POD, "shop", "a", &DeleteOptions::default(), &admin()).unwrap();
    assert_eq!(marked["metadata"]["deletionGracePeriodSeconds"], 30);
    assert_eq!(marked["metadata"]["deletionTimestamp"], "2026-01-01T10:00:30Z");
    let again = cluster.delete(&POD, "shop", "a", &DeleteOptions::default(), &admin()).unwrap();
    assert_eq!(again, marked, "a second deletion changes nothing");
    let sooner = DeleteOptions { grace_seconds: Some(5), ..DeleteOptions::default() };
    let hurried = cluster.delete(&POD, "shop", "a", &sooner, &admin()).unwrap();
    assert_eq!(hurried["metadata"]["deletionTimestamp"], "2026-01-01T10:00:05Z");
    let now = DeleteOptions { grace_seconds: Some(0), ..DeleteOptions::default() };
    cluster.delete(&POD, "shop", "a", &now, &admin()).unwrap();
    assert!(cluster.get(&POD, "shop", "a").is_err());
}

#[test]
fn a_service_gets_an_address_and_keeps_it() {
    let mut cluster = cluster();
    let web = json!({"metadata": {"name": "web"}, "spec": {"selector": {"a": "b"}, "ports": [{"port": 80}]}});
    let made = cluster.create(&SERVICE, "shop", web, &admin()).unwrap();
    let address = made["spec"]["clusterIP"].as_str().unwrap();
    assert!(address.starts_with("10.96."));
    assert_eq!(made["spec"]["ports"], json!([{"port": 80, "protocol": "TCP", "targetPort": 80}]));
    let refused = cluster
        .update(&SERVICE, "shop", "web", Part::Main, &admin(), |object| {
            crate::object::set(object, "/spec/clusterIP", json!("10.96.200.200"));
        })
        .unwrap_err();
    assert_eq!(
        refused.message,
        "Service \"web\" is invalid: spec.clusterIPs[0]: Invalid value: [\"10.96.200.200\"]: may not change once set"
    );
}

#[test]
fn string_data_goes_over_into_data() {
    let mut cluster = cluster();
    let made = cluster
        .create(&SECRET, "shop", json!({"metadata": {"name": "a"}, "stringData": {"k": "v"}}), &admin())
        .unwrap();
    assert_eq!(made["data"], json!({"k": "dg=="}));
    assert_eq!(made["type"], "Opaque");
    assert!(made.get("stringData").is_none());
}

#[test]
fn a_service_that_goes_back_inside_loses_its_node_port() {
    let mut cluster = cluster();
    let web = json!({"metadata": {"name": "web"}, "spec": {"type": "NodePort", "ports": [{"port": 80}]}});
    let made = cluster.create(&SERVICE, "shop", web, &admin()).unwrap();
    let port = made["spec"]["ports"][0]["nodePort"].as_i64().unwrap();
    assert!((30_000..=32_767).contains(&port));
    let inside = cluster
        .update(&SERVICE, "shop", "web", Part::Main, &admin(), |object| {
            crate::object::set(object, "/spec/type", json!("ClusterIP"));
        })
        .unwrap();
    assert!(inside["spec"]["ports"][0].get("nodePort").is_none());
    assert!(inside["spec"].get("externalTrafficPolicy").is_none());
    let asked = json!({"metadata": {"name": "b"}, "spec": {"ports": [{"port": 80, "nodePort": 30_080}]}});
    assert_eq!(
        cluster.create(&SERVICE, "shop", asked, &admin()).unwrap_err().message,
        "Service \"b\" is invalid: spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"
    );
}

#[test]
fn a_body_with_another_uid_means_another_object() {
    let mut cluster = cluster();
    cluster.create(&CONFIG_MAP, "shop", json!({"metadata": {"name": "a"}}), &admin()).unwrap();
    let refused = cluster
        .update(&CONFIG_MAP, "shop", "a", Part::Main, &admin(), |object| {
            crate::object::set(object, "/metadata/uid", json!("0"));
        })
        .unwrap_err();
    assert_eq!((refused.code, refused.reason.as_str()), (409, "Conflict"));
    assert!(refused.message.contains("Precondition failed: UID in precondition: 0"), "{refused}");
}

#[test]
fn what_is_refused_or_only_tried_leaves_no_trace() {
    let mut cluster = cluster();
    cluster.create(&POD, "shop", pod(), &admin()).unwrap();
    let before = serde_json::to_string(&cluster).unwrap();
    cluster.create(&POD, "shop", pod(), &admin()).unwrap_err();
    let by = admin();
    let tried = Options { dry_run: true, ..Options::strict(&by) };
    let map = json!({"metadata": {"generateName": "a-"}});
    assert!(cluster.create_with(&CONFIG_MAP, "shop", map, &tried).unwrap().created);
    let web = json!({"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}});
    cluster.create_with(&SERVICE, "shop", web, &tried).unwrap();
    let gone = DeleteOptions { dry_run: true, ..DeleteOptions::default() };
    cluster.delete(&POD, "shop", "a", &gone, &by).unwrap();
    assert_eq!(serde_json::to_string(&cluster).unwrap(), before);
}
