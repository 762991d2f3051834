//! Making and removing daemons (`manage`, `podsShouldBeOnNode`).

use std::{collections::BTreeMap, sync::Arc};

use breakfix_sim::Key;
use serde_json::{Value, json};

use super::{KEEPER, NAME, nodes, rolling};
use crate::{
    Cluster, Status,
    controllers::{
        events::{self, Note},
        history::REVISION_HASH,
        owner,
        pod_control::{annotation, label, older},
        pod_state,
        queue::enqueue,
    },
    kind,
    object::{is_deleting, name, namespace, set, text},
};

/// The label by which old controllers told templates apart; still written.
const GENERATION: &str = "pod-template-generation";
pub(super) const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

/// A set's pods by node; those that are over and going do not count any more.
pub(super) fn by_node(cluster: &mut Cluster, daemon_set: &Value) -> Result<BTreeMap<String, Vec<Arc<Value>>>, Status> {
    let pods = owner::claim(cluster, KEEPER.kind, daemon_set, &kind::POD, &KEEPER.actor(), |_| true)?;
    let mut by_node: BTreeMap<String, Vec<Arc<Value>>> = BTreeMap::new();
    for pod in pods {
        if pod_state::is_terminal(&pod) && is_deleting(&pod) {
            continue;
        }
        if let Some(node) = nodes::target(&pod).map(str::to_owned) {
            by_node.entry(node).or_default().push(pod);
        }
    }
    Ok(by_node)
}

/// Whether a pod was made from the present template.
pub(super) fn is_updated(daemon_set: &Value, pod: &Value, hash: &str) -> bool {
    let generation = annotation(daemon_set, TEMPLATE_GENERATION);
    (!hash.is_empty() && label(pod, REVISION_HASH) == hash)
        || (!generation.is_empty() && label(pod, GENERATION) == generation)
}

/// Puts right where daemons are too many or missing; whether it did anything.
pub(super) fn manage(cluster: &mut Cluster, key: &Key, daemon_set: &Value, hash: &str) -> Result<bool, Status> {
    let by_node = by_node(cluster, daemon_set)?;
    let all: Vec<Arc<Value>> = cluster.list(&kind::NODE, None).cloned().collect();
    let (mut needing, mut surplus) = (Vec::new(), Vec::new());
    for node in &all {
        let pods = by_node.get(name(node)).map_or(&[][..], Vec::as_slice);
        let wish = nodes::wish(daemon_set, node);
        if wish.run && pods.is_empty() {
            needing.push(name(node).to_owned());
        } else if wish.stay {
            let running = over_and_done(cluster, key, daemon_set, node, pods, &mut surplus);
            if rolling::surge(daemon_set) && running.is_empty() && wish.run {
                needing.push(name(node).to_owned());
            }
            surplus.extend(too_many(cluster, daemon_set, running, hash));
        } else {
            surplus.extend(pods.iter().filter(|pod| !is_deleting(pod)).cloned());
        }
    }
    // A pod that waits for a node that is gone would wait for ever.
    for (node, pods) in &by_node {
        if !all.iter().any(|known| name(known) == node) {
            surplus
                .extend(pods.iter().filter(|pod| text(pod, "/spec/nodeName").is_empty() && !is_deleting(pod)).cloned());
        }
    }
    let changed = !needing.is_empty() || !surplus.is_empty();
    sync(cluster, daemon_set, &surplus, &needing, hash)?;
    Ok(changed)
}

/// Sorts out pods that ended; gives those that run.
fn over_and_done(
    cluster: &mut Cluster,
    key: &Key,
    daemon_set: &Value,
    node: &Value,
    pods: &[Arc<Value>],
    surplus: &mut Vec<Arc<Value>>,
) -> Vec<Arc<Value>> {
    let mut running = Vec::new();
    for pod in pods.iter().filter(|pod| !is_deleting(pod)) {
        let place = format!("{}/{} on node {}", namespace(pod), name(pod), name(node));
        match text(pod, "/status/phase") {
            "Failed" => {
                let now = cluster.now();
                if let Some(delay) = cluster.controllers.daemons.take(key, name(node), now) {
                    enqueue(cluster, NAME, key, delay);
                    continue;
                }
                let words = format!("Found failed daemon pod {place}, will try to kill it");
                events::record(cluster, KEEPER.component, daemon_set, Note::warning("FailedDaemonPod", &words));
                surplus.push(Arc::clone(pod));
            }
            "Succeeded" => {
                let words = format!("Found succeeded daemon pod {place}, will try to delete it");
                events::record(cluster, KEEPER.component, daemon_set, Note::normal("SucceededDaemonPod", &words));
                surplus.push(Arc::clone(pod));
            }
            _ => running.push(Arc::clone(pod)),
        }
    }
    running
}

/// Those of a node's running pods that should go: all but the oldest, or, while a roll-out may surge, but one old and one new.
fn too_many(cluster: &Cluster, daemon_set: &Value, mut running: Vec<Arc<Value>>, hash: &str) -> Vec<Arc<Value>> {
    if running.len() <= 1 {
        return Vec::new();
    }
    running.sort_by(|left, right| older(left, right));
    if !rolling::surge(daemon_set) {
        return running.split_off(1);
    }
    let (mut new, mut old) = (None, None);
    let mut surplus = Vec::new();
    for pod in running {
        let place = if label(&pod, REVISION_HASH) == hash { &mut new } else { &mut old };
        if place.is_none() {
            *place = Some(pod);
        } else {
            surplus.push(pod);
        }
    }
    if let (Some(new), Some(old)) = (new, old)
        && (!pod_state::is_ready(&old) || rolling::is_available(cluster, daemon_set, &new))
    {
        surplus.push(old);
    }
    surplus
}

/// Makes and deletes (`syncNodes`).
pub(super) fn sync(
    cluster: &mut Cluster,
    daemon_set: &Value,
    surplus: &[Arc<Value>],
    needing: &[String],
    hash: &str,
) -> Result<(), Status> {
    let pods = needing.iter().map(|node| pod(daemon_set, node, hash)).collect();
    let (_, made) = KEEPER.create_all(cluster, daemon_set, pods);
    let mut done = made;
    for pod in surplus {
        let gone = KEEPER.delete(cluster, daemon_set, pod);
        done = done.and(gone);
    }
    done
}

/// The pod for a node.
fn pod(daemon_set: &Value, node: &str, hash: &str) -> Value {
    let mut pod = KEEPER.pod(daemon_set, &daemon_set["spec"]["template"]);
    nodes::tolerate(&mut pod);
    nodes::tie(&mut pod, node);
    let mut labels = pod["metadata"]["labels"].as_object().cloned().unwrap_or_default();
    labels.insert(REVISION_HASH.to_owned(), json!(hash));
    let generation = annotation(daemon_set, TEMPLATE_GENERATION);
    if !generation.is_empty() {
        labels.insert(GENERATION.to_owned(), json!(generation));
    }
    set(&mut pod, "/metadata/labels", Value::Object(labels));
    pod
}
