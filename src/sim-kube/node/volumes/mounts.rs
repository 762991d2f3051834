//! Where a container sees which volume (`makeMounts`).

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    Cluster,
    node::{
        environment,
        files::{Entry, Mount, Tree},
        host,
        pod_run::PodRun,
    },
    object::{entries, text, truth},
};

/// A container's mounts. A part of a volume that is missing is made, as a folder: also where a file of a ConfigMap was meant.
pub(in crate::node) fn mounts(
    cluster: &mut Cluster,
    id: &str,
    definition: &Value,
    env: &BTreeMap<String, String>,
) -> Vec<Mount> {
    let mut mounts = Vec::new();
    for mount in entries(definition, "/volumeMounts") {
        let below = match (text(mount, "/subPath"), text(mount, "/subPathExpr")) {
            ("", "") => String::new(),
            ("", pattern) => environment::expand(pattern, env),
            (below, _) => below.to_owned(),
        };
        let below = below.trim_matches('/');
        let Some(made) = one(cluster, id, mount, below) else { continue };
        mounts.push(made);
    }
    // A shorter path first, so that mounts within mounts come to lie on top.
    mounts.sort_by_key(|mount| mount.path.len());
    mounts
}

fn one(cluster: &mut Cluster, id: &str, mount: &Value, below: &str) -> Option<Mount> {
    let volume = text(mount, "/name").to_owned();
    let path = text(mount, "/mountPath").trim_end_matches('/').to_owned();
    let is_read_only = truth(mount, "/readOnly");
    let pod = cluster.nodes.pods.get_mut(id)?;
    if let Some(place) = pod.on_host.get(&volume).cloned() {
        let node = pod.node.clone();
        let whole = place.path.trim_end_matches('/').to_owned();
        let below = if below.is_empty() { place.path } else { format!("{whole}/{below}") };
        let mode = host::disk(cluster, &node).get(&whole).map_or(0o755, |entry| entry.mode);
        host::make_folder(cluster, &node, &below, mode);
        return Some(Mount {
            path,
            volume,
            below,
            is_on_host: true,
            is_read_only: is_read_only || place.is_read_only,
            own: None,
        });
    }
    let is_scratch = is_scratch(pod, &volume);
    let tree = pod.volumes.get_mut(&volume)?;
    let inner = format!("/{below}");
    let mut own = None;
    if !below.is_empty() {
        let mode = tree.get("/").map_or(0o755, |entry| entry.mode);
        if is_scratch && tree.get(&inner).is_none() {
            tree.put(&inner, Entry::directory(mode, 0));
        } else if !is_scratch {
            own = Some(tree.below(&inner).unwrap_or_else(|| Tree::with_root(Entry::directory(mode, 0))));
        }
    }
    Some(Mount { path, volume, below: inner, is_on_host: false, is_read_only: is_read_only || !is_scratch, own })
}

/// Whether the pod writes the volume itself; all others are written by kubelet, and only read.
fn is_scratch(pod: &PodRun, volume: &str) -> bool {
    let kind = entries(&pod.pod, "/spec/volumes").iter().find(|candidate| text(candidate, "/name") == volume);
    kind.is_some_and(|kind| kind.get("emptyDir").is_some())
}
