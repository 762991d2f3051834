//! Mount targets: one interface a zone, with security groups.

use std::time::Duration;

use serde_json::{Value, json};

use super::{EfsEvent, MountTarget, new_id, no_file_system, refusal};
use crate::{
    AwsError, Cloud,
    event::Event,
    input,
    network::InterfaceId,
    services::ec2::{PartOf, delete_interface, make_interface},
};

/// How long one takes to come up.
const COMES: Duration = Duration::from_secs(60);

fn view(cloud: &Cloud, id: &str, it: &MountTarget) -> Value {
    let interface = cloud.ec2.interfaces.get(&it.interface);
    json!({
        "MountTargetId": id,
        "FileSystemId": it.file_system,
        "SubnetId": it.subnet_id,
        "LifeCycleState": if it.is_available { "available" } else { "creating" },
        "IpAddress": interface.map(|it| it.address.to_string()),
        "NetworkInterfaceId": it.interface,
        "AvailabilityZoneName": interface.map(|it| &it.zone),
        "AvailabilityZoneId": interface.map(|it| crate::services::ec2::zone_id(cloud, &it.zone)),
        "VpcId": interface.map(|it| &it.vpc_id),
        "OwnerId": cloud.config.account,
    })
}

fn named<'a>(cloud: &'a Cloud, request: &Value) -> Result<(String, &'a MountTarget), AwsError> {
    let id = input::text(request, "MountTargetId").unwrap_or_default();
    let found = cloud.efs.mount_targets.get(id).map(|it| (id.to_owned(), it));
    found.ok_or_else(|| refusal("MountTargetNotFound", 404, format!("Mount target '{id}' does not exist.")))
}

/// `SecurityGroups`, checked; none means the VPC's default group.
fn wanted_groups(cloud: &Cloud, request: &Value, vpc_id: &str) -> Result<Vec<String>, AwsError> {
    let given = input::texts(request, "SecurityGroups");
    if let Some(wrong) = given.iter().find(|id| cloud.ec2.groups.get(**id).is_none_or(|it| it.vpc_id != vpc_id)) {
        let text = format!("One of the SecurityGroups specified does not exist in the subnet's VPC: {wrong}");
        return Err(refusal("SecurityGroupNotFound", 400, text));
    }
    if given.is_empty() {
        let mut groups = cloud.ec2.groups.iter().filter(|(_, it)| it.vpc_id == vpc_id && it.name == "default");
        return Ok(groups.next().map(|(id, _)| id.clone()).into_iter().collect());
    }
    Ok(given.into_iter().map(str::to_owned).collect())
}

/// `CreateMountTarget`: one a zone, all in one VPC.
pub(super) fn create(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let file_system = input::text(request, "FileSystemId").unwrap_or_default().to_owned();
    if !cloud.efs.file_systems.contains_key(&file_system) {
        return Err(no_file_system(&file_system));
    }
    let subnet_id = input::text(request, "SubnetId").unwrap_or_default().to_owned();
    let Some(subnet) = cloud.ec2.subnets.get(&subnet_id).cloned() else {
        return Err(refusal("SubnetNotFound", 400, format!("The subnet ID '{subnet_id}' does not exist")));
    };
    let others = cloud.efs.mount_targets.values().filter(|it| it.file_system == file_system);
    for other in others.filter_map(|it| cloud.ec2.interfaces.get(&it.interface)) {
        if other.zone == subnet.zone {
            return Err(refusal("MountTargetConflict", 409, "mount target already exists in this AZ"));
        }
        if other.vpc_id != subnet.vpc_id {
            let text = format!(
                "requested subnet for new mount target is not in the same VPC as existing mount targets ({})",
                other.vpc_id
            );
            return Err(refusal("MountTargetConflict", 409, text));
        }
    }
    let groups = wanted_groups(cloud, request, &subnet.vpc_id)?;
    let id = new_id(cloud, "fsmt");
    let description = format!("EFS mount target for {file_system} ({id})");
    let part_of = PartOf::MountTarget(id.clone());
    let made = make_interface(cloud, &subnet_id, groups, false, &description, part_of)
        .map_err(|error| refusal("NoFreeAddressesInSubnet", 409, error.message))?;
    let target = MountTarget { file_system, subnet_id, interface: made.id.0, is_available: false };
    cloud.efs.mount_targets.insert(id.clone(), target);
    cloud.after(COMES, Event::Efs(EfsEvent::MountTarget(id.clone())));
    Ok(cloud.efs.mount_targets.get(&id).map(|it| view(cloud, &id, it)).unwrap_or_default())
}

/// `DeleteMountTarget`.
pub(super) fn delete(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let (id, target) = named(cloud, request)?;
    let interface = target.interface.clone();
    cloud.efs.mount_targets.remove(&id);
    delete_interface(cloud, &InterfaceId(interface));
    Ok(json!({}))
}

/// `DescribeMountTargets` of a file system, of an access point's file system, or one.
pub(super) fn describe(cloud: &Cloud, request: &Value) -> Result<Value, AwsError> {
    if input::has(request, "MountTargetId") {
        let (id, it) = named(cloud, request)?;
        return Ok(json!({"MountTargets": [view(cloud, &id, it)]}));
    }
    let by_point = input::text(request, "AccessPointId").map(|id| {
        let id = id.rsplit('/').next().unwrap_or(id);
        cloud.efs.access_points.get(id).map(|it| it.file_system.clone()).ok_or_else(|| super::access_point::missing(id))
    });
    let wanted = match by_point.transpose()? {
        Some(id) => id,
        None => {
            let id = input::text(request, "FileSystemId").unwrap_or_default();
            id.rsplit('/').next().unwrap_or(id).to_owned()
        }
    };
    if !cloud.efs.file_systems.contains_key(&wanted) {
        return Err(no_file_system(&wanted));
    }
    let chosen = cloud.efs.mount_targets.iter().filter(|(_, it)| it.file_system == wanted);
    Ok(json!({"MountTargets": chosen.map(|(id, it)| view(cloud, id, it)).collect::<Vec<_>>()}))
}

/// `DescribeMountTargetSecurityGroups`.
pub(super) fn groups(cloud: &Cloud, request: &Value) -> Result<Value, AwsError> {
    let (_, target) = named(cloud, request)?;
    let groups = cloud.ec2.interfaces.get(&target.interface).map(|it| it.groups.clone());
    Ok(json!({"SecurityGroups": groups.unwrap_or_default()}))
}

/// `ModifyMountTargetSecurityGroups`.
pub(super) fn set_groups(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let (_, target) = named(cloud, request)?;
    let interface = target.interface.clone();
    let vpc_id = cloud.ec2.interfaces.get(&interface).map(|it| it.vpc_id.clone()).unwrap_or_default();
    let groups = wanted_groups(cloud, request, &vpc_id)?;
    if let Some(interface) = cloud.ec2.interfaces.get_mut(&interface) {
        interface.groups = groups;
    }
    Ok(json!({}))
}
