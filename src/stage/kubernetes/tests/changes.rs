//! Each word of the change vocabulary, as requests.

use std::{collections::BTreeMap, io};

use breakfix_lab::Change;
use serde_json::{Value, json};

use super::fake::{Fake, Reply};
use crate::{
    Target, TargetError,
    journal::Undo,
    kubernetes::belongings::tests::{document, place},
    target::Cause,
};

struct Nothing;

impl Undo for Nothing {
    fn note(&self, _note: Value) -> io::Result<()> {
        Ok(())
    }

    fn settled(&self) -> io::Result<()> {
        Ok(())
    }
}

async fn change(fake: &Fake, change: Value) -> Result<(), TargetError> {
    let change: Change = serde_json::from_value(change).unwrap();
    let mut place = place(vec![document("Namespace", "shop", None)]);
    place.files = BTreeMap::from([("controls/web.yaml".to_owned(), vec![document("Service", "web", None)])]);
    fake.target(place).change(&change, &Nothing).await
}

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/shop/deployments";
const PODS: &str = "/api/v1/namespaces/shop/pods";

fn owned(fake: &Fake) {
    fake.put(&format!("{DEPLOYMENTS}/web"), json!({"metadata": {"uid": "d"}, "spec": {"replicas": 2}}));
    let replica_set = json!({"metadata": {"uid": "rs", "ownerReferences": [{"uid": "d"}]}});
    fake.put("/apis/apps/v1/namespaces/shop/replicasets/web-1", replica_set);
    for name in ["web-1-c", "web-1-a", "web-1-b"] {
        fake.put(&format!("{PODS}/{name}"), json!({"metadata": {"ownerReferences": [{"uid": "rs"}]}}));
    }
    fake.put(&format!("{PODS}/stranger"), json!({"metadata": {"labels": {"app": "web"}}}));
}

#[tokio::test]
async fn what_an_owner_owns_is_deleted_first_by_name() {
    let fake = Fake::new();
    owned(&fake);
    let delete = json!({"delete": {"kind": "Pod", "owned_by": {"kind": "Deployment", "name": "web"}, "count": 2}});
    change(&fake, delete).await.unwrap();
    assert_eq!(fake.writes(), [format!("DELETE {PODS}/web-1-a"), format!("DELETE {PODS}/web-1-b")]);
    assert!(fake.get(&format!("{PODS}/web-1-c")).is_some() && fake.get(&format!("{PODS}/stranger")).is_some());
    change(&fake, json!({"delete": {"kind": "Pod", "labels": {"app": "web"}}})).await.unwrap();
    assert!(fake.get(&format!("{PODS}/stranger")).is_none());
}

#[tokio::test]
async fn a_change_that_hits_nothing_says_how_the_system_is() {
    let fake = Fake::new();
    for nothing in [
        json!({"delete": {"kind": "Pod", "name": "gone"}}),
        json!({"delete": {"kind": "Pod", "labels": {"a": "b"}}}),
        json!({"delete": {"kind": "Pod", "owned_by": {"kind": "Deployment", "name": "gone"}}}),
        json!({"patch": {"kind": "Pod", "name": "gone", "merge": {}}}),
        json!({"scale": {"kind": "Deployment", "name": "gone", "replicas": 1}}),
        json!({"restart": {"kind": "Deployment", "name": "gone"}}),
    ] {
        let error = change(&fake, nothing.clone()).await.unwrap_err();
        assert_eq!(error.cause, Cause::Denied, "{nothing}");
    }
    let error = change(&fake, json!({"apply": "controls/none.yaml"})).await.unwrap_err();
    assert_eq!(error.cause, Cause::Local);
    let error = change(&fake, json!({"delete": {"kind": "Gizmo", "name": "x"}})).await.unwrap_err();
    assert!(error.chain().contains("Gizmo"), "{}", error.chain());
}

#[tokio::test]
async fn live_pods_are_patched_through_their_owner() {
    let fake = Fake::new();
    owned(&fake);
    let patch = json!({"patch": {"kind": "Pod", "owned_by": {"kind": "Deployment", "name": "web"}, "merge": {"metadata": {"labels": {"x": "y"}}}}});
    change(&fake, patch).await.unwrap();
    let labelled = |name: &str| fake.get(&format!("{PODS}/{name}")).unwrap()["metadata"]["labels"]["x"] == "y";
    assert!(labelled("web-1-a") && labelled("web-1-b") && labelled("web-1-c") && !labelled("stranger"));
}

#[tokio::test]
async fn scale_and_restart_are_what_kubectl_sends() {
    let fake = Fake::new();
    owned(&fake);
    change(&fake, json!({"scale": {"kind": "Deployment", "name": "web", "replicas": 5}})).await.unwrap();
    assert_eq!(fake.get(&format!("{DEPLOYMENTS}/web")).unwrap()["spec"]["replicas"], 5);
    assert_eq!(fake.writes(), [format!("PATCH {DEPLOYMENTS}/web/scale?fieldManager=breakfix")]);
    change(&fake, json!({"restart": {"kind": "Deployment", "name": "web"}})).await.unwrap();
    let web = fake.get(&format!("{DEPLOYMENTS}/web")).unwrap();
    let annotations = &web["spec"]["template"]["metadata"]["annotations"];
    assert_eq!(annotations["kubectl.kubernetes.io/restartedAt"], "2026-01-05T09:00:10Z", "the server's time");
    fake.put(&format!("{DEPLOYMENTS}/web"), json!({"spec": {"paused": true}}));
    let error = change(&fake, json!({"restart": {"kind": "Deployment", "name": "web"}})).await.unwrap_err();
    assert_eq!(error.what, "deployments.apps \"web\" can't restart paused deployment (run rollout resume first)");
    assert!(
        change(&fake, json!({"restart": {"kind": "Pod", "name": "web-1-a"}}))
            .await
            .unwrap_err()
            .what
            .contains("not supported")
    );
}

#[tokio::test]
async fn apply_creates_and_then_replaces() {
    let fake = Fake::new();
    let path = "/api/v1/namespaces/shop/services/web";
    change(&fake, json!({"apply": "controls/web.yaml"})).await.unwrap();
    assert!(fake.get(path).unwrap()["metadata"].get("labels").is_none(), "nothing of ours inside the lab's namespace");
    fake.put(path, json!({"metadata": {"uid": "s"}, "spec": {"clusterIP": "10.0.0.1", "selector": {"old": "x"}}}));
    change(&fake, json!({"apply": "controls/web.yaml"})).await.unwrap();
    let replaced = fake.get(path).unwrap();
    assert_eq!((&replaced["metadata"]["uid"], &replaced["spec"]), (&json!("s"), &json!({"clusterIP": "10.0.0.1"})));
    fake.rule("PUT", Reply::status(422, "Invalid", "spec.clusterIP: field is immutable"));
    let error = change(&fake, json!({"apply": "controls/web.yaml"})).await.unwrap_err();
    assert!(error.chain().contains("field is immutable"), "{}", error.chain());
}

#[tokio::test]
async fn a_binding_goes_to_its_pod() {
    let fake = Fake::new();
    owned(&fake);
    let mut place = place(vec![document("Namespace", "shop", None)]);
    let mut binding = document("Binding", "${live.pod}", None);
    binding.body["target"] = json!({"kind": "Node", "name": "n1"});
    place.files = BTreeMap::from([("controls/bind.yaml".to_owned(), vec![binding])]);
    let with: Change = serde_json::from_value(json!({"with": {
        "live": {"pod": {"kind": "Pod", "owned_by": {"kind": "Deployment", "name": "web"}, "skip": 1, "path": "/metadata/name"}},
        "changes": [{"apply": "controls/bind.yaml"}],
    }}))
    .unwrap();
    let _ = fake.target(place).change(&with, &Nothing).await;
    assert_eq!(fake.writes(), [format!("POST {PODS}/web-1-b/binding")]);
}

#[tokio::test]
async fn waiting_moves_the_targets_clock_and_dockers_words_are_refused() {
    let fake = Fake::new();
    change(&fake, json!({"wait": "90s"})).await.unwrap();
    assert_eq!(fake.0.lock().unwrap().passed.as_secs(), 90);
    for word in [json!({"recreate": {"name": "x"}}), json!({"stop": {"kind": "Container", "name": "x"}})] {
        assert_eq!(change(&fake, word).await.unwrap_err().cause, Cause::Refused);
    }
}
