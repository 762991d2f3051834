//! Pods that have been given a node and wait there for their volumes (`PreBind` of `volumebinding`).
//!
//! Such a pod counts on its node, though the API does not say so yet but for `status.nominatedNodeName`.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use breakfix_sim::{Key, SimTime};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    View, actor, bind, fail, queue,
    volume_binding::{self, Step},
};
use crate::{
    Cluster,
    api::verbs::Part,
    controllers::volumes::{self, BOUND_BY_CONTROLLER, SELECTED_NODE, annotation},
    event::Event,
    kind,
    object::{name, namespace, set, text, uid},
};

/// How often the volumes are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// `bindTimeoutSeconds`.
const PATIENCE: Duration = Duration::from_secs(600);

/// The pods that wait, in the order of their keys.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Waiting {
    #[serde(with = "as_list")]
    pods: BTreeMap<Key, Entry>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    uid: String,
    node: String,
    look: SimTime,
    until: SimTime,
}

/// The pods as if they were on their nodes already.
pub(super) fn assumed(cluster: &Cluster) -> Vec<Arc<Value>> {
    let waiting = cluster.scheduler.binding.pods.iter();
    let pods = waiting.filter_map(|(key, entry)| {
        let pod =
            cluster.store.get(key).filter(|pod| uid(pod) == entry.uid && text(pod, "/spec/nodeName").is_empty())?;
        let mut pod = Value::clone(pod);
        set(&mut pod, "/spec/nodeName", json!(entry.node));
        Some(Arc::new(pod))
    });
    pods.collect()
}

/// Whether this pod waits here.
pub(super) fn holds(cluster: &Cluster, key: &Key) -> bool {
    cluster.scheduler.binding.pods.contains_key(key)
}

/// Begins to see to the volumes of a pod that is to go to a node.
pub(super) fn begin(cluster: &mut Cluster, pod: &Value, node: &str, steps: &[Step]) {
    let edit = |pod: &mut Value| set(pod, "/status/nominatedNodeName", json!(node));
    let _gone_meanwhile = cluster.update(&kind::POD, namespace(pod), name(pod), Part::Status, &actor(), edit);
    for step in steps {
        match step {
            Step::Provision { claim } => select(cluster, claim, node),
            Step::Take { claim, volume } => take(cluster, claim, volume),
        }
    }
    let now = cluster.now();
    let entry = Entry { uid: uid(pod).to_owned(), node: node.to_owned(), look: now + LOOK, until: now + PATIENCE };
    cluster.scheduler.binding.pods.insert(kind::POD.key(namespace(pod), name(pod)), entry);
    cluster.after(LOOK, Event::Schedule);
}

fn select(cluster: &mut Cluster, claim: &Value, node: &str) {
    let edit = |claim: &mut Value| {
        if !claim["metadata"]["annotations"].is_object() {
            set(claim, "/metadata/annotations", json!({}));
        }
        claim["metadata"]["annotations"][SELECTED_NODE] = json!(node);
    };
    // Who is gone or changed meanwhile shows at the next look.
    let _ = cluster.update(&kind::PERSISTENT_VOLUME_CLAIM, namespace(claim), name(claim), Part::Main, &actor(), edit);
}

fn take(cluster: &mut Cluster, claim: &Value, volume: &Value) {
    let reference = volumes::reference(claim);
    let edit = |volume: &mut Value| {
        set(volume, "/spec/claimRef", reference);
        if !volume["metadata"]["annotations"].is_object() {
            set(volume, "/metadata/annotations", json!({}));
        }
        volume["metadata"]["annotations"][BOUND_BY_CONTROLLER] = json!("yes");
    };
    let _ = cluster.update(&kind::PERSISTENT_VOLUME, "", name(volume), Part::Main, &actor(), edit);
}

/// Looks at those whose time has come.
pub(super) fn look(cluster: &mut Cluster) {
    let now = cluster.now();
    let due: Vec<Key> = cluster
        .scheduler
        .binding
        .pods
        .iter()
        .filter(|(_, entry)| entry.look <= now)
        .map(|(key, _)| key.clone())
        .collect();
    for key in due {
        look_at(cluster, &key);
    }
}

fn look_at(cluster: &mut Cluster, key: &Key) {
    let now = cluster.now();
    let Some(entry) = cluster.scheduler.binding.pods.get(key).cloned() else { return };
    let pod = cluster.store.get(key).filter(|pod| uid(pod) == entry.uid && super::is_ours(pod)).cloned();
    let Some(pod) = pod else {
        cluster.scheduler.binding.pods.remove(key);
        return;
    };
    let state = state(cluster, &pod, &entry.node);
    let trouble = match state {
        Ok(true) => {
            cluster.scheduler.binding.pods.remove(key);
            bind(cluster, &pod, &entry.node);
            return;
        }
        Ok(false) if now < entry.until => {
            if let Some(entry) = cluster.scheduler.binding.pods.get_mut(key) {
                entry.look = now + LOOK;
            }
            cluster.after(LOOK, Event::Schedule);
            return;
        }
        Ok(false) => "context deadline exceeded".to_owned(),
        Err(why) => why,
    };
    cluster.scheduler.binding.pods.remove(key);
    let message = format!("running PreBind plugin \"VolumeBinding\": binding volumes: {trouble}");
    fail(cluster, &pod, "SchedulerError", &message);
    queue::admit(cluster, key, super::preemption::priority(&pod), Duration::ZERO);
    queue::park(cluster, key, queue::Blocked::Otherwise);
    queue::wake_all(cluster);
}

/// Whether all volumes are there; an error says why they never will be.
fn state(cluster: &Cluster, pod: &Value, node: &str) -> Result<bool, String> {
    let view = View::of(cluster);
    let mut is_complete = true;
    for wanted in volume_binding::claims(pod) {
        let Some(claim) = view.claim(namespace(pod), wanted) else {
            return Err(format!("failed to check provisioning pvc: persistentvolumeclaim \"{wanted}\" not found"));
        };
        if volume_binding::is_bound(claim) {
            continue;
        }
        is_complete = false;
        let selected = annotation(claim, SELECTED_NODE);
        let is_taken = view.volumes.iter().any(|volume| volumes::is_for_claim(volume, claim));
        if selected.is_empty() && !is_taken {
            return Err(format!("provisioning failed for PVC \"{wanted}\""));
        }
        if !selected.is_empty() && selected != node {
            return Err(format!("selectedNode annotation value \"{selected}\" not set to scheduled node \"{node}\""));
        }
    }
    Ok(is_complete)
}

/// JSON has no maps keyed by structs.
mod as_list {
    use std::collections::BTreeMap;

    use breakfix_sim::Key;
    use serde::{Deserialize, Deserializer, Serializer};

    use super::Entry;

    pub fn serialize<S: Serializer>(pods: &BTreeMap<Key, Entry>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(pods.iter())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<Key, Entry>, D::Error> {
        Ok(Vec::<(Key, Entry)>::deserialize(deserializer)?.into_iter().collect())
    }
}
