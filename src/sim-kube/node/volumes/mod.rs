//! A pod's volumes: what is in them, when they can be mounted, and how changes of ConfigMaps and Secrets reach them.
//!
//! `sources` makes the files of the kinds that are written by kubelet; `names` the files by which a pod knows names.

mod names;
mod payload;
mod sources;

use std::{sync::Arc, time::Duration};

use breakfix_sim::{Key, StoreEvent};
use serde_json::Value;

pub(super) use names::{hosts, resolv_conf};
pub(super) use sources::field;

use super::{
    environment,
    files::{Entry, Mount, Tree},
    kubelet::{self, Next, Op, record},
    pod_run::{PodRun, Stage, Unmounted},
};
use crate::{
    Cluster,
    controllers::events::Note,
    kind,
    object::{entries, name, namespace, number, text, truth},
};

/// The first pause after a mount that failed; it doubles.
const PAUSE: Duration = Duration::from_millis(500);
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
fn put_off(cluster: &mut Cluster, id: &str, volume: &str, why: &str) -> Duration {
    let now = cluster.now();
    let Some(pod) = cluster.nodes.pods.get_mut(id) else { return PAUSE };
    let pause = pod.unmounted.get(volume).map_or(PAUSE, |before| before.delay.saturating_mul(2).min(PAUSE_MAX));
    let entry = Unmounted { again: now + pause, delay: pause, why: why.to_owned() };
    pod.unmounted.insert(volume.to_owned(), entry);
    let message = format!("MountVolume.SetUp failed for volume \"{volume}\" : {why}");
    record(cluster, id, "", Note::warning("FailedMount", &message));
    pause
}

/// Brings one volume's files up to date.
fn set_up(cluster: &mut Cluster, id: &str, volume: &Value) -> Result<(), String> {
    let now = cluster.clock.today();
    let Some(pod) = cluster.nodes.pods.get(id) else { return Ok(()) };
    let volume_name = text(volume, "/name").to_owned();
    let known = pod.volumes.get(&volume_name);
    let group = number(&pod.pod, "/spec/securityContext/fsGroup").and_then(|group| u32::try_from(group).ok());
    let tree = if volume.get("emptyDir").is_some() {
        if known.is_some() {
            return Ok(());
        }
        let root = Entry::directory(0o777, u64::try_from(now.as_second()).unwrap_or(0));
        Tree::with_root(root.owned_by(0, group.unwrap_or(0)))
    } else {
        let content = sources::content(cluster, pod, volume)?;
        if known.is_some_and(|known| content.is_shown_by(known)) {
            return Ok(());
        }
        content.tree(now, group, cluster.chance.below(1 << 31))
    };
    if let Some(pod) = cluster.nodes.pods.get_mut(id) {
        pod.unmounted.remove(&volume_name);
        pod.volumes.insert(volume_name, tree);
    }
    Ok(())
}

/// Where a container sees which volume. An error is the message of CreateContainerConfigError.
pub(super) fn mounts(
    pod: &PodRun,
    definition: &Value,
    env: &std::collections::BTreeMap<String, String>,
) -> Result<Vec<Mount>, String> {
    let mut mounts = Vec::new();
    for mount in entries(definition, "/volumeMounts") {
        let volume = text(mount, "/name");
        let below = match (text(mount, "/subPath"), text(mount, "/subPathExpr")) {
            ("", "") => String::new(),
            ("", pattern) => environment::expand(pattern, env),
            (below, _) => below.to_owned(),
        };
        let below = format!("/{}", below.trim_matches('/'));
        let kind = entries(&pod.pod, "/spec/volumes").iter().find(|candidate| text(candidate, "/name") == volume);
        let is_written_by_kubelet = kind.is_some_and(|kind| kind.get("emptyDir").is_none());
        let mut own = None;
        if below != "/" && is_written_by_kubelet {
            own = pod.volumes.get(volume).and_then(|tree| tree.below(&below));
            if own.is_none() {
                return Err(format!(
                    "failed to prepare subPath for volumeMount \"{volume}\" of container \"{}\"",
                    text(definition, "/name")
                ));
            }
        }
        mounts.push(Mount {
            path: text(mount, "/mountPath").trim_end_matches('/').to_owned(),
            volume: volume.to_owned(),
            below,
            is_read_only: truth(mount, "/readOnly") || is_written_by_kubelet,
            own,
        });
    }
    // A shorter path first, so that mounts within mounts come to lie on top.
    mounts.sort_by_key(|mount| mount.path.len());
    Ok(mounts)
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

/// The object's name with its namespace, as messages give it.
pub(super) fn full_name(object: &Value) -> String {
    format!("{}/{}", namespace(object), name(object))
}
