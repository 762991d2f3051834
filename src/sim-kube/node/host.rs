//! The nodes' own disks: what a `hostPath` shows, and where folders of volumes lie. They outlive every pod.

use breakfix_sim::SimTime;

use super::files::{Entry, EntryKind, Tree};
use crate::Cluster;

/// A node's disk as it is found: the folders that are always there.
fn fresh(node: &str, now: u64) -> Tree {
    let mut disk = Tree::with_root(Entry::directory(0o755, now));
    for folder in
        ["/etc/kubernetes/manifests", "/var/lib/kubelet", "/var/local-path-provisioner", "/var/log/pods", "/run"]
    {
        disk.put(folder, Entry::directory(0o755, now));
    }
    disk.put("/tmp", Entry::directory(0o1777, now));
    disk.put("/dev/null", Entry::new(EntryKind::Null, 0o666, now));
    disk.put("/etc/hostname", Entry::file(format!("{node}\n"), 0o644, now));
    disk
}

/// A node's disk.
pub(crate) fn disk<'a>(cluster: &'a mut Cluster, node: &str) -> &'a mut Tree {
    let now = seconds(cluster, cluster.now());
    cluster.nodes.disks.entry(node.to_owned()).or_insert_with(|| fresh(node, now))
}

/// Sees that the disk of a node is there, for those who need it beside other parts of the nodes' state.
pub(super) fn ensure(cluster: &mut Cluster, node: &str) {
    if !cluster.nodes.disks.contains_key(node) {
        disk(cluster, node);
    }
}

fn seconds(cluster: &Cluster, at: SimTime) -> u64 {
    u64::try_from(cluster.clock.date(at).as_second()).unwrap_or(0)
}

/// Makes a folder on a node, unless something is there.
pub(crate) fn make_folder(cluster: &mut Cluster, node: &str, path: &str, mode: u32) {
    let now = seconds(cluster, cluster.now());
    let disk = disk(cluster, node);
    if disk.get(path).is_none() {
        disk.put(path, Entry::directory(mode, now));
    }
}

/// Makes an empty file on a node, unless something is there.
pub(super) fn make_file(cluster: &mut Cluster, node: &str, path: &str) {
    let now = seconds(cluster, cluster.now());
    let disk = disk(cluster, node);
    if disk.get(path).is_none() {
        disk.put(path, Entry::file("", 0o644, now));
    }
}

/// Removes a folder of a node with all that is in it.
pub(crate) fn remove(cluster: &mut Cluster, node: &str, path: &str) {
    disk(cluster, node).remove_all(path);
}
