//! A Secret of type `kubernetes.io/service-account-token` is filled with a token of the account that it names; it goes when the account
//! goes (`pkg/controller/serviceaccount/tokens_controller.go`).

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use breakfix_sim::{Key, StoreEvent, StoreEventKind};
use serde_json::{Value, json};

use super::{Controller, queue::enqueue};
use crate::{
    Cluster, Status, access,
    api::verbs::{Actor, DeleteOptions, Part},
    kind,
    object::{is_deleting, set, text, uid},
};

pub const CONTROLLER: Controller = Controller { name: NAME, told, reconcile };

const NAME: &str = "service-account-token";
const LAG: Duration = Duration::from_millis(15);
const TYPE: &str = "kubernetes.io/service-account-token";
const ACCOUNT: &str = "kubernetes.io/service-account.name";
const ACCOUNT_UID: &str = "kubernetes.io/service-account.uid";

fn told(cluster: &mut Cluster, event: &StoreEvent) {
    let collection = &*event.key.collection;
    if collection == kind::SECRET.collection {
        if event.kind != StoreEventKind::Deleted && text(&event.object, "/type") == TYPE {
            enqueue(cluster, NAME, &event.key, LAG);
        }
    } else if collection == kind::SERVICE_ACCOUNT.collection && event.kind != StoreEventKind::Modified {
        let secrets: Vec<Key> = cluster
            .store
            .list(kind::SECRET.collection, Some(&event.key.namespace))
            .filter(|(_, secret)| annotation(secret, ACCOUNT) == &*event.key.name && text(secret, "/type") == TYPE)
            .map(|(key, _)| key.clone())
            .collect();
        for key in secrets {
            enqueue(cluster, NAME, &key, LAG);
        }
    }
}

fn annotation<'a>(object: &'a Value, key: &str) -> &'a str {
    object.pointer("/metadata/annotations").and_then(|map| map.get(key)).and_then(Value::as_str).unwrap_or_default()
}

fn reconcile(cluster: &mut Cluster, key: &Key) -> Result<(), Status> {
    let Some(secret) = cluster.store.get(key).cloned() else { return Ok(()) };
    let name = annotation(&secret, ACCOUNT);
    if is_deleting(&secret) || name.is_empty() {
        return Ok(());
    }
    let by = Actor {
        user: "system:serviceaccount:kube-system:tokens-controller".into(),
        manager: "kube-controller-manager".into(),
    };
    let account = cluster.store.get(&kind::SERVICE_ACCOUNT.key(&key.namespace, name)).cloned();
    let claimed = annotation(&secret, ACCOUNT_UID);
    let Some(account) = account.filter(|account| claimed.is_empty() || claimed == uid(account)) else {
        let how = DeleteOptions { uid: Some(uid(&secret).to_owned()), ..DeleteOptions::default() };
        return cluster.delete(&kind::SECRET, &key.namespace, &key.name, &how, &by).map(drop);
    };
    let Some(token) = access::secret_token(cluster, &account, &secret) else { return Ok(()) };
    let authority = cluster.access.trust.authority.certificate.clone();
    let account_uid = uid(&account).to_owned();
    let edit = |secret: &mut Value| {
        let members: [(&str, &str); 3] = [("ca.crt", &authority), ("namespace", &key.namespace), ("token", &token)];
        if !secret["data"].is_object() {
            set(secret, "/data", json!({}));
        }
        if let Some(data) = secret["data"].as_object_mut() {
            for (member, value) in members {
                data.insert(member.to_owned(), json!(STANDARD.encode(value)));
            }
        }
        if let Some(annotations) = secret.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
            annotations.insert(ACCOUNT_UID.to_owned(), json!(account_uid));
        }
    };
    cluster.update(&kind::SECRET, &key.namespace, &key.name, Part::Main, &by, edit).map(drop)
}
