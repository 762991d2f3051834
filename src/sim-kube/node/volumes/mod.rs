//! A pod's volumes: what is in them, when they can be mounted, and how changes of ConfigMaps and Secrets reach them.
//!
//! `sources` makes the files of the kinds that are written by kubelet; `persistent` finds those that lie on the node's disk and outlive
//! the pod; `mounts` says where a container sees which; `names` makes the files by which a pod knows names.

mod mounts;
mod names;
mod payload;
mod persistent;
mod sources;
mod trouble;

use std::{sync::Arc, time::Duration};

use breakfix_sim::{Key, StoreEvent};
use serde_json::Value;

pub(super) use mounts::mounts;
pub(super) use names::{hosts, resolv_conf};
pub use persistent::OnHost;
pub(super) use sources::field;
use trouble::Trouble;

use super::{
    files::{Entry, Tree},
    kubelet::{self, Next, Op, record},
    pod_run::{Stage, Unmounted},
};
use crate::{
    Cluster,
    controllers::events::Note,
    kind,
    object::{entries, number, text},
};

/// The first pause after a mount that failed; it doubles.
const PAUSE: Duration = Duration::from_millis(500);
/// The pause of the whole step, where it is not the mount that fails; up to half of it comes on top.
const STEP_PAUSE: Duration = Duration::from_secs(10);
const PAUSE_MAX: Duration = Duration::from_secs(122);
/// As long as a step waits for volumes before it says so and begins anew.
const PATIENCE: Duration = Duration::from_secs(123);

/// Mounts what is not mounted yet, and writes anew what has changed; waits until everything is there.
pub(super) fn mount(cluster: &mut Cluster, id: &str) -> Next {
    let now = cluster.now();
    let Some(pod) = cluster.nodes.pods.get(id) else { return Next::Now };
    let pod_object = Arc::clone(&pod.pod);
    let began = pod.worker.mount_began.unwrap_or(now);
    let mut wait: Option<Duration> = None;
    let mut missing = Vec::new();
    for volume in entries(&pod_object, "/spec/volumes") {
        let volume_name = text(volume, "/name").to_owned();
        let Some(pod) = cluster.nodes.pods.get(id) else { return Next::Now };
        if let Some(later) = pod.unmounted.get(&volume_name).filter(|unmounted| unmounted.again > now) {
            wait = Some(wait.map_or(later.again - now, |wait| wait.min(later.again - now)));
            missing.push(volume_name);
            continue;
        }
        if let Err(why) = set_up(cluster, id, volume) {
            let pause = put_off(cluster, id, &volume_name, &why);
            wait = Some(wait.map_or(pause, |wait| wait.min(pause)));
            missing.push(volume_name);
        }
    }
    let Some(wait) = wait else {
        if let Some(pod) = cluster.nodes.pods.get_mut(id) {
            pod.worker.mount_began = None;
        }
        return Next::Now;
    };
    let left = (began + PATIENCE) - now;
    if left.is_zero() {
        let message = format!(
            "Unable to attach or mount volumes: unmounted volumes=[{}], unattached volumes=[], failed to process volumes=[]: context \
             deadline exceeded",
            missing.join(" ")
        );
        record(cluster, id, "", Note::warning("FailedMount", &message));
    }
    let Some(pod) = cluster.nodes.pods.get_mut(id) else { return Next::Now };
    pod.worker.mount_began = Some(if left.is_zero() { now } else { began });
    pod.worker.ops.push_front(Op::Mount);
    Next::After(if left.is_zero() { wait } else { wait.min(left) })
}

/// Notes that a volume cannot be mounted now; answers how long until the next try.
fn put_off(cluster: &mut Cluster, id: &str, volume: &str, trouble: &Trouble) -> Duration {
    let now = cluster.now();
    let jitter = Duration::from_millis(if trouble.is_of_step { cluster.chance.below(5_000) } else { 0 });
    let Some(pod) = cluster.nodes.pods.get_mut(id) else { return PAUSE };
    let pause = if trouble.is_of_step {
        STEP_PAUSE + jitter
    } else {
        pod.unmounted.get(volume).map_or(PAUSE, |before| before.delay.saturating_mul(2).min(PAUSE_MAX))
    };
    let entry = Unmounted { again: now + pause, delay: pause, why: trouble.message.clone() };
    pod.unmounted.insert(volume.to_owned(), entry);
    record(cluster, id, "", Note::warning("FailedMount", &trouble.message));
    pause
}

/// Brings one volume's files up to date.
fn set_up(cluster: &mut Cluster, id: &str, volume: &Value) -> Result<(), Trouble> {
    let volume_name = text(volume, "/name").to_owned();
    let Some(pod) = cluster.nodes.pods.get(id) else { return Ok(()) };
    let (node, is_known) = (pod.node.clone(), pod.on_host.contains_key(&volume_name));
    let place = if let Some(source) = volume.get("hostPath") {
        Some(if is_known { return Ok(()) } else { persistent::host_path(cluster, &node, &volume_name, source)? })
    } else if let Some(source) = volume.get("persistentVolumeClaim") {
        Some(if is_known { return Ok(()) } else { persistent::claim(cluster, id, &volume_name, source)? })
    } else {
        None
    };
    let tree = if place.is_none() { contents(cluster, id, volume)? } else { None };
    let Some(pod) = cluster.nodes.pods.get_mut(id) else { return Ok(()) };
    pod.unmounted.remove(&volume_name);
    if let Some(place) = place {
        pod.on_host.insert(volume_name, place);
    } else if let Some(tree) = tree {
        pod.volumes.insert(volume_name, tree);
    }
    Ok(())
}

/// The files of a volume that lives with the pod, where they are not as they should be.
fn contents(cluster: &mut Cluster, id: &str, volume: &Value) -> Result<Option<Tree>, Trouble> {
    let now = cluster.clock.today();
    let Some(pod) = cluster.nodes.pods.get(id) else { return Ok(None) };
    let known = pod.volumes.get(text(volume, "/name"));
    let group = group(&pod.pod);
    if volume.get("emptyDir").is_some() {
        let mode = if group.is_some() { 0o2777 } else { 0o777 };
        let root = Entry::directory(mode, u64::try_from(now.as_second()).unwrap_or(0));
        return Ok(known.is_none().then(|| Tree::with_root(root.owned_by(0, group.unwrap_or(0)))));
    }
    let content = sources::content(cluster, pod, volume).map_err(|why| Trouble::set_up(text(volume, "/name"), why))?;
    if known.is_some_and(|known| content.is_shown_by(known)) {
        return Ok(None);
    }
    Ok(Some(content.tree(now, group, cluster.chance.below(1 << 31))))
}

/// The group to which a pod's volumes are to belong.
fn group(pod: &Value) -> Option<u32> {
    number(pod, "/spec/securityContext/fsGroup").and_then(|group| u32::try_from(group).ok())
}

/// A ConfigMap or Secret has changed: pods that show it in a volume do so after kubelet's next regular look at them.
pub fn told(cluster: &mut Cluster, event: &StoreEvent) {
    let kind = match &*event.key.collection {
        "configmaps" => &kind::CONFIG_MAP,
        "secrets" => &kind::SECRET,
        _ => return,
    };
    let concerned: Vec<String> = cluster
        .nodes
        .pods
        .values()
        .filter(|pod| pod.stage == Stage::Living && pod.key.namespace == event.key.namespace && !pod.volumes.is_empty())
        .filter(|pod| shows(&pod.pod, kind.kind, &event.key))
        .map(|pod| pod.uid.clone())
        .collect();
    for id in concerned {
        if let Some(at) = kubelet::next_resync(cluster, &id) {
            kubelet::sync_at(cluster, &id, at);
        }
    }
}

/// Whether a volume of the pod has something of this object.
fn shows(pod: &Value, kind: &str, key: &Key) -> bool {
    let names = |source: &Value| match kind {
        "Secret" => source.pointer("/secret/secretName").or_else(|| source.pointer("/secret/name")).cloned(),
        _ => source.pointer("/configMap/name").cloned(),
    };
    entries(pod, "/spec/volumes").iter().any(|volume| {
        let projected = entries(volume, "/projected/sources").iter().filter_map(names);
        names(volume).into_iter().chain(projected).any(|name| name == *key.name)
    })
}
