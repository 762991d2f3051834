//! Volumes of the node's disk: `hostPath`, and claims whose volumes lie there.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::trouble::Trouble;
use crate::{
    Cluster, kind,
    node::{files::EntryKind, host},
    object::{is_deleting, name, namespace, text, truth, uid},
};

/// A pod's volume that lies on its node's disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnHost {
    /// The folder or file on the node.
    pub path: String,
    pub is_read_only: bool,
}

/// Makes a `hostPath` ready.
pub(super) fn host_path(cluster: &mut Cluster, node: &str, shown: &str, source: &Value) -> Result<OnHost, Trouble> {
    let path = plain(text(source, "/path"));
    check(cluster, node, &path, text(source, "/type"))
        .map_err(|why| Trouble::set_up(shown, format!("hostPath type check failed: {why}")))?;
    Ok(OnHost { path, is_read_only: false })
}

fn plain(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    format!("/{}", parts.join("/"))
}

/// What is there must be what the type says (`pkg/volume/hostpath`). Without a type the runtime makes a missing folder.
fn check(cluster: &mut Cluster, node: &str, path: &str, wanted: &str) -> Result<(), String> {
    let found = host::disk(cluster, node).get(path).map(|entry| entry.kind.clone());
    let is_file = matches!(found, Some(EntryKind::File(_)));
    let is_folder = matches!(found, Some(EntryKind::Directory));
    match wanted {
        "Directory" if !is_folder => Err(format!("{path} is not a directory")),
        "File" if !is_file => Err(format!("{path} is not a file")),
        "Socket" => Err(format!("{path} is not a socket file")),
        "CharDevice" if !matches!(found, Some(EntryKind::Null)) => Err(format!("{path} is not a character device")),
        "BlockDevice" => Err(format!("{path} is not a block device")),
        "DirectoryOrCreate" if found.is_some() && !is_folder => Err(format!("{path} is not a directory")),
        "FileOrCreate" if found.is_some() && !is_file => Err(format!("{path} is not a file")),
        "FileOrCreate" => {
            host::make_file(cluster, node, path);
            Ok(())
        }
        "" | "DirectoryOrCreate" => {
            host::make_folder(cluster, node, path, 0o755);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Makes the volume of a claim ready.
pub(super) fn claim(cluster: &mut Cluster, id: &str, volume_name: &str, source: &Value) -> Result<OnHost, Trouble> {
    let Some(pod) = cluster.nodes.pods.get(id) else { return Err(Trouble::unprocessed(volume_name, "pod not found")) };
    let (node, space) = (pod.node.clone(), namespace(&pod.pod).to_owned());
    let group = super::group(&pod.pod);
    let volume = bound(cluster, &space, text(source, "/claimName")).map_err(|why| {
        let claim = text(source, "/claimName");
        Trouble::unprocessed(volume_name, &format!("error processing PVC {space}/{claim}: {why}"))
    })?;
    let is_read_only = truth(source, "/readOnly");
    let shown = name(&volume).to_owned();
    if let Some(source) = volume.pointer("/spec/hostPath").filter(|source| source.is_object()) {
        let place = host_path(cluster, &node, &shown, source)?;
        return Ok(OnHost { is_read_only, ..place });
    }
    if let Some(path) = volume.pointer("/spec/local/path").and_then(Value::as_str) {
        let path = plain(path);
        let disk = host::disk(cluster, &node);
        if disk.get(&path).is_none() {
            return Err(Trouble::new_mounter(&shown, format!("path \"{path}\" does not exist")));
        }
        if let Some(group) = group.filter(|_| !is_read_only) {
            disk.give_to_group(&path, group);
        }
        return Ok(OnHost { path, is_read_only });
    }
    Err(out_of_reach(&volume, &shown))
}

/// The volume of a claim, once that is bound.
fn bound(cluster: &Cluster, space: &str, wanted: &str) -> Result<Arc<Value>, String> {
    let found = cluster.store.get(&kind::PERSISTENT_VOLUME_CLAIM.key(space, wanted));
    let Some(claim) = found else {
        return Err(format!("failed to fetch PVC from API server: persistentvolumeclaims \"{wanted}\" not found"));
    };
    if is_deleting(claim) {
        return Err("PVC is being deleted".to_owned());
    }
    let volume = text(claim, "/spec/volumeName");
    if text(claim, "/status/phase") != "Bound" || volume.is_empty() {
        return Err("PVC is not bound".to_owned());
    }
    let Some(found) = cluster.store.get(&kind::PERSISTENT_VOLUME.key("", volume)) else {
        return Err(format!("failed to fetch PV {volume} from API server: persistentvolumes \"{volume}\" not found"));
    };
    let owner = text(found, "/spec/claimRef/uid");
    if owner != uid(claim) {
        return Err(format!("PV {volume} spec has different claimRef UID {owner} than expected {}", uid(claim)));
    }
    Ok(Arc::clone(found))
}

/// A volume behind a driver or a server that there is none of here.
fn out_of_reach(volume: &Value, shown: &str) -> Trouble {
    let driver = text(volume, "/spec/csi/driver");
    if !driver.is_empty() {
        return Trouble::mount_device(
            shown,
            format!(
                "kubernetes.io/csi: attacher.MountDevice failed to create newCsiDriverClient: driver name {driver} not found in the list \
                 of registered CSI drivers"
            ),
        );
    }
    const PLAIN: [&str; 9] = [
        "accessModes",
        "capacity",
        "claimRef",
        "mountOptions",
        "nodeAffinity",
        "persistentVolumeReclaimPolicy",
        "storageClassName",
        "volumeAttributesClassName",
        "volumeMode",
    ];
    let source = volume["spec"].as_object().and_then(|spec| spec.keys().find(|key| !PLAIN.contains(&key.as_str())));
    Trouble::set_up(shown, format!("volumes of type {} are not simulated", source.map_or("", String::as_str)))
}
