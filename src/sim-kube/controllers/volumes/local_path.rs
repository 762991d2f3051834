//! The provisioner that runs in the cluster, `rancher.io/local-path`: folders on the pod's node, as in a kind cluster.
//!
//! It works while its pod is ready. The pods by which the real one makes and removes folders are not modelled, their time is.

use std::{sync::Arc, time::Duration};

use breakfix_sim::{Key, StoreEvent, StoreEventKind};
use serde_json::{Value, json};

use super::{BIND_COMPLETED, PROVISIONED_BY, PROVISIONER, SELECTED_NODE, annotation, bind, class, volume};
use crate::{
    Cluster, Status,
    api::verbs::{Actor, DeleteOptions},
    controllers::{
        Controller,
        events::{self, Note},
        pod_state,
        queue::enqueue,
    },
    kind,
    node::host,
    object::{entries, is_deleting, name, namespace, text, uid},
};

pub(super) const CONTROLLER: Controller = Controller { name: NAME, told, reconcile };

const NAME: &str = "local-path";
const PROVISIONER_NAME: &str = "rancher.io/local-path";
/// Where its pod lives.
pub(crate) const SPACE: &str = "local-path-storage";
/// What its pod is called, and its label `app`.
pub(crate) const APP: &str = "local-path-provisioner";
/// Where folders are made on a node, as kind configures it.
const FOLDER: &str = "/var/local-path-provisioner";
const LAG: Duration = Duration::from_millis(9);
/// What a helper pod takes to make or remove a folder, and how much that differs.
const HELP: Duration = Duration::from_millis(2_300);
const HELP_JITTER_MILLIS: u64 = 900;
/// The first pause after a failure; it doubles (`sig-storage-lib-external-provisioner`).
const RETRY: Duration = Duration::from_secs(15);
const RETRY_MAX: Duration = Duration::from_secs(1000);
/// After so many failures a claim or volume is left alone until it changes.
const FAILURES_MAX: u32 = 15;

fn told(cluster: &mut Cluster, event: &StoreEvent) {
    let is_gone = event.kind == StoreEventKind::Deleted;
    match &*event.key.collection {
        "persistentvolumeclaims" if is_gone => {
            cluster.controllers.volumes.busy.remove(uid(&event.object));
            cluster.controllers.volumes.failures.remove(uid(&event.object));
        }
        "persistentvolumeclaims" if is_ours(&event.object) => enqueue(cluster, NAME, &event.key, LAG),
        "persistentvolumes" if !is_gone && is_to_go(&event.object) => enqueue(cluster, NAME, &event.key, LAG),
        "pods" if &*event.key.namespace == SPACE => {
            let was = event.before.as_deref().is_some_and(pod_state::is_ready);
            if !is_gone && !was && pod_state::is_ready(&event.object) {
                look_at_all(cluster);
            }
        }
        _ => {}
    }
}

/// The provisioner has come up: it sees all that has been waiting.
fn look_at_all(cluster: &mut Cluster) {
    let claims = cluster.store.list(kind::PERSISTENT_VOLUME_CLAIM.collection, None).filter(|(_, claim)| is_ours(claim));
    let volumes = cluster.store.list(kind::PERSISTENT_VOLUME.collection, None).filter(|(_, volume)| is_to_go(volume));
    let keys: Vec<Key> = claims.chain(volumes).map(|(key, _)| key.clone()).collect();
    for key in keys {
        enqueue(cluster, NAME, &key, LAG);
    }
}

/// A claim whose volume is still to be made here.
fn is_ours(claim: &Value) -> bool {
    annotation(claim, PROVISIONER) == PROVISIONER_NAME
        && annotation(claim, BIND_COMPLETED).is_empty()
        && text(claim, "/spec/volumeName").is_empty()
        && !is_deleting(claim)
}

/// A volume made here whose claim is gone for good.
fn is_to_go(object: &Value) -> bool {
    annotation(object, PROVISIONED_BY) == PROVISIONER_NAME
        && text(object, "/status/phase") == "Released"
        && volume::policy(object) == "Delete"
        && !is_deleting(object)
}

/// The pod that does the work.
fn pod(cluster: &Cluster) -> Option<Arc<Value>> {
    let mut pods = cluster.store.list(kind::POD.collection, Some(SPACE)).map(|(_, pod)| pod);
    pods.find(|pod| text(pod, "/metadata/labels/app") == APP && pod_state::is_ready(pod)).cloned()
}

fn by() -> Actor {
    Actor {
        user: format!("system:serviceaccount:{SPACE}:local-path-provisioner-service-account"),
        manager: APP.to_owned(),
    }
}

fn reconcile(cluster: &mut Cluster, key: &Key) -> Result<(), Status> {
    let (Some(object), Some(pod)) = (cluster.store.get(key).cloned(), pod(cluster)) else { return Ok(()) };
    let is_claim = &*key.collection == kind::PERSISTENT_VOLUME_CLAIM.collection;
    if if is_claim { !is_ours(&object) } else { !is_to_go(&object) } {
        return Ok(());
    }
    // Two pods of the provisioner never work at the same time: one of them leads.
    let component = format!("{PROVISIONER_NAME}_{}_{}", name(&pod), uid(&pod));
    let now = cluster.now();
    match cluster.controllers.volumes.busy.get(uid(&object)).copied() {
        None if is_claim => begin(cluster, key, &object, &component),
        None => {
            take_time(cluster, key, &object);
            Ok(())
        }
        Some(until) if now < until => {
            enqueue(cluster, NAME, key, until - now);
            Ok(())
        }
        Some(_) => {
            cluster.controllers.volumes.busy.remove(uid(&object));
            if is_claim { provide(cluster, key, &object, &component) } else { take_away(cluster, &object) }
        }
    }
}

fn take_time(cluster: &mut Cluster, key: &Key, object: &Value) {
    let time = HELP + Duration::from_millis(cluster.chance.below(HELP_JITTER_MILLIS));
    let until = cluster.now() + time;
    cluster.controllers.volumes.busy.insert(uid(object).to_owned(), until);
    enqueue(cluster, NAME, key, time);
}

/// Begins to make a volume, unless it is plain that it cannot be made.
fn begin(cluster: &mut Cluster, key: &Key, claim: &Value, component: &str) -> Result<(), Status> {
    let Some(class) = class::find(&cluster.store, class::name_of(claim)).cloned() else { return Ok(()) };
    let is_delayed = text(&class, "/volumeBindingMode") == "WaitForFirstConsumer";
    let node = annotation(claim, SELECTED_NODE).to_owned();
    if is_delayed && node.is_empty() {
        return Ok(());
    }
    let message =
        format!("External provisioner is provisioning volume for claim \"{}/{}\"", namespace(claim), name(claim));
    events::record(cluster, component, claim, Note::normal("Provisioning", &message));
    if !node.is_empty() && cluster.store.get(&kind::NODE.key("", &node)).is_none() {
        let why = format!("failed to get target node: nodes \"{node}\" not found");
        return fail(cluster, key, claim, component, &why);
    }
    if let Some(why) = refuse(claim, &node) {
        let why = format!("failed to provision volume with StorageClass \"{}\": {why}", name(&class));
        return fail(cluster, key, claim, component, &why);
    }
    take_time(cluster, key, claim);
    Ok(())
}

/// What a folder on a node cannot do.
fn refuse(claim: &Value, node: &str) -> Option<&'static str> {
    let modes = entries(claim, "/spec/accessModes");
    if claim.pointer("/spec/selector").is_some_and(Value::is_object) {
        Some("claim.Spec.Selector is not supported")
    } else if modes.iter().any(|mode| mode != "ReadWriteOnce" && mode != "ReadWriteOncePod") {
        Some("NodePath only supports ReadWriteOnce and ReadWriteOncePod (1.22+) access modes")
    } else if node.is_empty() {
        Some("configuration error, no node was specified")
    } else {
        None
    }
}

fn fail(cluster: &mut Cluster, key: &Key, claim: &Value, component: &str, why: &str) -> Result<(), Status> {
    events::record(cluster, component, claim, Note::warning("ProvisioningFailed", why));
    let failures = cluster.controllers.volumes.failures.entry(uid(claim).to_owned()).or_insert(0);
    let pause = RETRY.saturating_mul(2_u32.saturating_pow((*failures).min(10))).min(RETRY_MAX);
    *failures += 1;
    if *failures < FAILURES_MAX {
        enqueue(cluster, NAME, key, pause);
    }
    Ok(())
}

/// The folder is there: the volume is made known, set aside for its claim.
fn provide(cluster: &mut Cluster, key: &Key, claim: &Value, component: &str) -> Result<(), Status> {
    let Some(class) = class::find(&cluster.store, class::name_of(claim)).cloned() else { return Ok(()) };
    let node = annotation(claim, SELECTED_NODE).to_owned();
    let hostname = cluster
        .store
        .get(&kind::NODE.key("", &node))
        .map(|node| node["metadata"]["labels"]["kubernetes.io/hostname"].as_str().unwrap_or("").to_owned());
    let Some(hostname) = hostname else {
        let why = format!("failed to get target node: nodes \"{node}\" not found");
        return fail(cluster, key, claim, component, &why);
    };
    let volume_name = format!("pvc-{}", uid(claim));
    let path = format!("{FOLDER}/{volume_name}_{}_{}", namespace(claim), name(claim));
    let policy = match text(&class, "/reclaimPolicy") {
        "" => "Delete",
        policy => policy,
    };
    let body = json!({
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {
            "name": volume_name,
            "annotations": {"local.path.provisioner/selected-node": node, PROVISIONED_BY: PROVISIONER_NAME},
        },
        "spec": {
            "accessModes": claim["spec"]["accessModes"],
            "capacity": {"storage": claim["spec"]["resources"]["requests"]["storage"]},
            "claimRef": bind::reference(claim),
            "hostPath": {"path": path, "type": "DirectoryOrCreate"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [
                {"key": "kubernetes.io/hostname", "operator": "In", "values": [hostname]},
            ]}]}},
            "persistentVolumeReclaimPolicy": policy,
            "storageClassName": name(&class),
            "volumeMode": "Filesystem",
        },
    });
    match cluster.create(&kind::PERSISTENT_VOLUME, "", body, &by()) {
        Err(status) if status.code != 409 => return Err(status),
        _ => {}
    }
    host::make_folder(cluster, &node, &path, 0o777);
    cluster.controllers.volumes.failures.remove(uid(claim));
    let message = format!("Successfully provisioned volume {volume_name}");
    events::record(cluster, component, claim, Note::normal("ProvisioningSucceeded", &message));
    Ok(())
}

/// The folder is gone, and the volume with it.
fn take_away(cluster: &mut Cluster, volume: &Value) -> Result<(), Status> {
    let node = annotation(volume, "local.path.provisioner/selected-node").to_owned();
    host::remove(cluster, &node, text(volume, "/spec/hostPath/path"));
    match cluster.delete(&kind::PERSISTENT_VOLUME, "", name(volume), &DeleteOptions::default(), &by()) {
        Err(status) if status.code != 404 => Err(status),
        _ => Ok(()),
    }
}
