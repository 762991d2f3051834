//! Mounting a file system, as the mount helper of a task does it.

use std::time::Duration;

use crate::{
    Cloud,
    network::{Destination, InterfaceId, Way, way},
};

/// The port of NFS.
const NFS: u16 = 2049;

/// What is to be mounted: `efsVolumeConfiguration`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Volume<'a> {
    pub file_system: &'a str,
    pub access_point: Option<&'a str>,
    /// `rootDirectory`; `/` where there is none.
    pub root: &'a str,
}

/// Why a file system cannot be mounted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MountFailure {
    /// Its name has no address: no such file system, no mount target in the zone, or a VPC without names.
    NotResolved,
    /// Nothing comes back from the mount target.
    TimedOut,
    /// There is no such access point of this file system.
    NoAccessPoint,
    /// The root directory is missing.
    NoDirectory,
}

impl MountFailure {
    /// How long the mount helper tries: three times fifteen seconds where nothing comes back.
    pub fn takes(self) -> Duration {
        match self {
            Self::TimedOut => Duration::from_secs(45),
            _ => Duration::from_secs(3),
        }
    }

    /// What the task says about it, behind `ResourceInitializationError: `.
    pub fn words(self, region: &str, file_system: &str) -> String {
        let (told, code) = match self {
            Self::NotResolved => (
                format!(
                    "Failed to resolve \"{file_system}.efs.{region}.amazonaws.com\" - check that your file system ID is correct, and \
                     ensure that the VPC has an EFS mount target for this file system ID. See \
                     https://docs.aws.amazon.com/console/efs/mount-dns-name for more detail."
                ),
                1,
            ),
            Self::TimedOut => {
                let attempt = |number| {
                    format!(
                        "Mount attempt {number}/3 failed due to timeout after 15 sec, wait 0 sec before next attempt. "
                    )
                };
                (format!("{}{}b'mount.nfs4: Connection timed out'", attempt(1), attempt(2)), 32)
            }
            Self::NoAccessPoint => ("b'mount.nfs4: access denied by server while mounting 127.0.0.1:/'".to_owned(), 32),
            Self::NoDirectory => {
                let text =
                    "b'mount.nfs4: mounting 127.0.0.1:/ failed, reason given by server: No such file or directory'";
                (text.to_owned(), 32)
            }
        };
        format!(
            "failed to invoke EFS utils commands to set up EFS volumes: stderr: {told} : unsuccessful EFS utils command execution; \
             code: {code}"
        )
    }
}

/// Mounts a file system for the task that has this interface. The answer names the directory that is mounted, `FILE-SYSTEM PATH`: whoever
/// mounts the same one sees the same files.
///
/// # Errors
/// Where the name, the way, the access point or the directory is missing.
pub fn mount(cloud: &Cloud, from: &InterfaceId, volume: &Volume<'_>) -> Result<String, MountFailure> {
    let source = cloud.ec2.interfaces.get(&from.0).ok_or(MountFailure::NotResolved)?;
    let id = volume.file_system;
    // The name has an address in the zones that have a mount target, and each zone sees its own.
    let mut targets = cloud.efs.mount_targets.values().filter(|it| it.file_system == id && it.is_available);
    let target = targets
        .find_map(|it| {
            let interface = cloud.ec2.interfaces.get(&it.interface)?;
            (interface.zone == source.zone && interface.vpc_id == source.vpc_id).then_some(interface)
        })
        .filter(|_| cloud.ec2.vpcs.get(&source.vpc_id).is_some_and(|vpc| vpc.dns_support))
        .ok_or(MountFailure::NotResolved)?;
    if way(cloud, from, &Destination::Address(target.address, NFS)) == Way::Silent {
        return Err(MountFailure::TimedOut);
    }
    let points = || cloud.efs.access_points.values().filter(|it| it.file_system == id);
    let (root, is_made) = match volume.access_point {
        Some(wanted) => {
            let found = cloud.efs.access_points.get(wanted).filter(|it| it.file_system == id);
            let point = found.ok_or(MountFailure::NoAccessPoint)?;
            (point.root.as_str(), point.creation.is_some())
        }
        None => (volume.root, false),
    };
    let root = root.trim_end_matches('/');
    // A directory below the root is there if an access point has made it.
    let is_there =
        is_made || root.is_empty() || points().any(|it| it.creation.is_some() && it.root.trim_end_matches('/') == root);
    if !is_there {
        return Err(MountFailure::NoDirectory);
    }
    Ok(format!("{id} {}", if root.is_empty() { "/" } else { root }))
}
