//! Making, finding and removing what is a session's, and nothing else.

use std::collections::BTreeMap;

use serde_json::json;

use super::fake::{Fake, Reply};
use crate::{
    Place, Target,
    kubernetes::belongings::tests::{document, place},
    target::Cause,
};

fn lab() -> Place {
    place(vec![
        document("Deployment", "web", None),
        document("Namespace", "shop", None),
        document("Service", "web", None),
        document("ClusterRole", "reader", None),
    ])
}

#[tokio::test]
async fn documents_are_made_plainly_namespaces_first() {
    let fake = Fake::new();
    let lab = lab();
    fake.target(lab.clone()).create(&lab.documents).await.unwrap();
    let plain = "fieldManager=breakfix&fieldValidation=Strict";
    assert_eq!(
        fake.writes(),
        [
            format!("POST /api/v1/namespaces?{plain}"),
            format!("POST /apis/apps/v1/namespaces/shop/deployments?{plain}"),
            format!("POST /api/v1/namespaces/shop/services?{plain}"),
            format!("POST /apis/rbac.authorization.k8s.io/v1/clusterroles?{plain}"),
        ]
    );
    let web = fake.get("/apis/apps/v1/namespaces/shop/deployments/web").unwrap();
    assert!(web["metadata"].get("labels").is_none() && web["metadata"].get("annotations").is_none());
    let role = fake.get("/apis/rbac.authorization.k8s.io/v1/clusterroles/reader").unwrap();
    assert_eq!(
        role["metadata"]["labels"],
        json!({"breakfix.dev/lab": "shop-answers-nobody", "breakfix.dev/session": "s1"})
    );
}

#[tokio::test]
async fn what_an_earlier_attempt_made_is_made_anew() {
    let fake = Fake::new();
    let lab = lab();
    let target = fake.target(lab.clone());
    target.create(&lab.documents).await.unwrap();
    let uid = |path: &str| fake.get(path).unwrap()["metadata"]["uid"].clone();
    let (namespace, web) = ("/api/v1/namespaces/shop", "/apis/apps/v1/namespaces/shop/deployments/web");
    let before = (uid(namespace), uid(web));
    assert_eq!(target.clashes(&lab.documents).await.unwrap(), Vec::<String>::new());
    target.create(&lab.documents).await.unwrap();
    assert_eq!(uid(namespace), before.0, "a namespace is kept");
    assert_ne!(uid(web), before.1);
}

#[tokio::test]
async fn a_name_that_is_somebody_elses_is_a_clash_and_stays() {
    let fake = Fake::new();
    let lab = lab();
    fake.put("/api/v1/namespaces/shop", json!({}));
    fake.put(
        "/apis/rbac.authorization.k8s.io/v1/clusterroles/reader",
        json!({"metadata": {"labels": {"breakfix.dev/session": "s2"}}}),
    );
    let target = fake.target(lab.clone());
    assert_eq!(target.clashes(&lab.documents).await.unwrap(), ["Namespace shop", "ClusterRole reader"]);
    assert_eq!(target.create(&lab.documents).await.unwrap_err().cause, Cause::Refused);
    assert_eq!(target.delete(&lab.documents).await.unwrap_err().cause, Cause::Refused);
    target.clear().await.unwrap();
    assert!(
        fake.writes().iter().all(|line| !line.starts_with("DELETE") && !line.starts_with("PUT")),
        "{:?}",
        fake.writes()
    );
}

#[tokio::test]
async fn a_namespace_without_its_account_is_slow() {
    let fake = Fake::new();
    let lab = lab();
    fake.rule("/serviceaccounts/default", Reply::status(404, "NotFound", "not found"));
    let error = fake.target(lab.clone()).create(&lab.documents).await.unwrap_err();
    assert_eq!(error.cause, Cause::Slow);
    assert!(fake.0.lock().unwrap().passed.as_secs() >= 29);
}

#[tokio::test]
async fn deleting_takes_along_what_is_owned_and_the_events() {
    let fake = Fake::new();
    let lab = lab();
    let target = fake.target(lab.clone());
    target.create(&lab.documents).await.unwrap();
    let web = fake.get("/apis/apps/v1/namespaces/shop/deployments/web").unwrap()["metadata"]["uid"].clone();
    fake.put(
        "/apis/apps/v1/namespaces/shop/replicasets/web-1",
        json!({"kind": "ReplicaSet", "metadata": {"uid": "rs", "ownerReferences": [{"uid": web}]}}),
    );
    fake.put(
        "/api/v1/namespaces/shop/pods/web-1-a",
        json!({"kind": "Pod", "metadata": {"uid": "p", "ownerReferences": [{"uid": "rs"}]}}),
    );
    for (name, about) in [
        ("e1", json!({"uid": web})),
        ("e2", json!({"kind": "Deployment", "name": "web"})),
        ("e3", json!({"uid": "other"})),
        // The collector may have taken the ReplicaSet before anybody asks whose pod this was.
        ("e4", json!({"kind": "Pod", "name": "web-1-a", "uid": "p"})),
    ] {
        fake.put(&format!("/api/v1/namespaces/shop/events/{name}"), json!({"involvedObject": about}));
    }
    let documents: Vec<_> = lab.documents.iter().filter(|it| it.kind == "Deployment").cloned().collect();
    target.delete(&documents).await.unwrap();
    let left = |part: &str| {
        fake.0.lock().unwrap().objects.keys().filter(|path| path.contains(part)).cloned().collect::<Vec<_>>()
    };
    assert_eq!(left("/events/"), ["/api/v1/namespaces/shop/events/e3"]);
    assert!(left("web-1").is_empty() && left("deployments/").is_empty());
    target.delete(&documents).await.unwrap();
}

#[tokio::test]
async fn clearing_removes_the_session_wherever_it_is_and_nothing_else() {
    let fake = Fake::new();
    fake.put("/api/v1/namespaces/other", json!({}));
    fake.put("/apis/rbac.authorization.k8s.io/v1/clusterroles/admin", json!({}));
    fake.put(
        "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/theirs",
        json!({"subjects": [{"kind": "User", "name": "x"}]}),
    );
    let before = fake.bare_target().inventory().await.unwrap();
    let lab = lab();
    let target = fake.target(lab.clone());
    target.create(&lab.documents).await.unwrap();
    // The learner's: a grant for the lab's account, and a volume that outlives its claim.
    let subjects = json!({"subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": "shop"}]});
    fake.put("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/mine", subjects);
    let volume =
        json!({"metadata": {"creationTimestamp": "2026-01-05T10:00:00Z"}, "spec": {"claimRef": {"namespace": "shop"}}});
    fake.put("/api/v1/persistentvolumes/pv", volume);
    assert!(target.inventory().await.unwrap().len() > before.len() + 3);
    target.clear().await.unwrap();
    assert_eq!(target.inventory().await.unwrap(), before);
    target.clear().await.unwrap();
}

#[tokio::test]
async fn a_cluster_of_our_own_is_what_it_was_whatever_the_learner_did() {
    let folder = tempfile::tempdir().unwrap();
    let fake = Fake::new();
    let lab = Place { folder: folder.path().to_owned(), ..lab() };
    let (node, dns) = ("/api/v1/nodes/w1", "/api/v1/namespaces/kube-system/configmaps/coredns");
    fake.put("/api/v1/namespaces/kube-system", json!({}));
    fake.put(node, json!({"metadata": {"labels": {"a": "b"}}, "spec": {"podCIDR": "10.1.0.0/24"}}));
    fake.put(dns, json!({"data": {"Corefile": "."}}));
    let target = fake.own_target(lab.clone());
    let before = target.inventory().await.unwrap();
    target.create(&lab.documents).await.unwrap();
    let mine = json!({"metadata": {"creationTimestamp": "2026-01-05T09:10:00Z"}});
    let theirs =
        json!({"metadata": {"creationTimestamp": "2026-01-05T09:10:00Z", "labels": {"breakfix.dev/session": "s2"}}});
    fake.put("/api/v1/namespaces/mine", mine.clone());
    fake.put("/apis/rbac.authorization.k8s.io/v1/clusterroles/mine", mine);
    fake.put("/api/v1/namespaces/theirs", theirs);
    fake.put(node, json!({"metadata": {"labels": {"a": "x", "c": "d"}}, "spec": {"podCIDR": "10.1.0.0/24", "unschedulable": true}}));
    fake.rule(
        "PATCH /api/v1/namespaces/kube-system/configmaps/coredns",
        Reply::Text(200, json!({"metadata": {}}).to_string()),
    );
    fake.put(dns, json!({"data": {"Corefile": "broken"}}));
    // Another command, which knows only what is on disk.
    fake.own_target(lab).clear().await.unwrap();
    assert!(fake.writes().contains(&format!("PATCH {dns}?fieldManager=breakfix")), "{:?}", fake.writes());
    fake.put(dns, json!({"data": {"Corefile": "."}}));
    let mut after = target.inventory().await.unwrap();
    after.retain(|line| line != "Namespace theirs");
    assert_eq!(after, before);
    assert_eq!(fake.get(node).unwrap()["spec"]["podCIDR"], "10.1.0.0/24");
}

#[tokio::test]
async fn the_baseline_holds_every_kind_that_is_served() {
    let fake = Fake::new();
    let mut lab = lab();
    lab.files = BTreeMap::new();
    let target = fake.target(lab.clone());
    target.create(&lab.documents).await.unwrap();
    fake.rule("/ingresses", Reply::Text(404, "404 page not found".to_owned()));
    fake.rule("/clusterrolebindings", Reply::status(403, "Forbidden", "no"));
    let baseline = target.baseline().await.unwrap();
    assert_eq!(baseline.objects["Deployment"].len(), 1);
    assert_eq!(baseline.objects["ClusterRole"].len(), 1);
    assert!(baseline.objects["Ingress"].is_empty(), "there can be none");
    assert!(!baseline.objects.contains_key("ClusterRoleBinding"), "nobody may look: nobody knows");
    assert!(!baseline.objects.contains_key("Pod"));
    assert_eq!(baseline.taken, "2026-01-05T09:00:10Z".parse().unwrap());
}
