//! Amazon EFS: file systems that tasks share, their mount targets and access points.

mod access_point;
mod file_system;
mod mount;
mod mount_target;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use breakfix_sim::SimTime;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub use mount::{MountFailure, Volume, mount};

use super::iam::Need;
use crate::{AwsError, Call, Cloud, input};

/// What the service keeps, by id.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    pub file_systems: BTreeMap<String, FileSystem>,
    pub mount_targets: BTreeMap<String, MountTarget>,
    pub access_points: BTreeMap<String, AccessPoint>,
    pub tags: BTreeMap<String, BTreeMap<String, String>>,
}

/// A file system. Its files are kept by the tasks that mount it, under the name that [`mount`] gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileSystem {
    pub token: String,
    pub is_encrypted: bool,
    pub performance: String,
    pub throughput: String,
    /// The policy document, where it has one. It is kept and shown, and not judged.
    pub policy: Option<String>,
    pub created: SimTime,
}

/// Where a file system is reached in one zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountTarget {
    pub file_system: String,
    pub subnet_id: String,
    pub interface: String,
    pub is_available: bool,
}

/// A door into a file system, with a root and perhaps a user of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccessPoint {
    pub token: String,
    pub file_system: String,
    /// `PosixUser`, as it was sent.
    pub user: Option<Value>,
    pub root: String,
    /// `CreationInfo`, as it was sent: with it a root that is missing is made.
    pub creation: Option<Value>,
}

/// Something of EFS is due: a mount target is available.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum EfsEvent {
    MountTarget(String),
}

/// Lets one event happen.
pub fn happen(cloud: &mut Cloud, event: EfsEvent) {
    match event {
        EfsEvent::MountTarget(id) => {
            if let Some(target) = cloud.efs.mount_targets.get_mut(&id) {
                target.is_available = true;
            }
        }
    }
}

/// What a request needs before it is looked at.
pub fn needs(_cloud: &Cloud, operation: &str, _input: &Value) -> Vec<Need> {
    vec![Need::anywhere("elasticfilesystem", operation)]
}

/// Answers one request.
///
/// # Errors
/// The service refuses, or the operation is not simulated.
pub fn call(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let request = &call.input;
    match call.operation.as_str() {
        "CreateFileSystem" => file_system::create(cloud, request),
        "DeleteFileSystem" => file_system::delete(cloud, request),
        "DescribeFileSystems" => file_system::describe(cloud, request),
        "PutFileSystemPolicy" => file_system::put_policy(cloud, request),
        "DescribeFileSystemPolicy" => file_system::policy(cloud, request),
        "DeleteFileSystemPolicy" => file_system::delete_policy(cloud, request),
        "CreateMountTarget" => mount_target::create(cloud, request),
        "DeleteMountTarget" => mount_target::delete(cloud, request),
        "DescribeMountTargets" => mount_target::describe(cloud, request),
        "DescribeMountTargetSecurityGroups" => mount_target::groups(cloud, request),
        "ModifyMountTargetSecurityGroups" => mount_target::set_groups(cloud, request),
        "CreateAccessPoint" => access_point::create(cloud, request),
        "DeleteAccessPoint" => access_point::delete(cloud, request),
        "DescribeAccessPoints" => access_point::describe(cloud, request),
        "TagResource" => tag(cloud, request),
        "UntagResource" => untag(cloud, request),
        "ListTagsForResource" => Ok(json!({"Tags": tags(cloud, &resource(cloud, request)?)})),
        operation => Err(AwsError::not_simulated("elasticfilesystem", operation)),
    }
}

/// A refusal; its code stands in a member of its own, too.
fn refusal(code: &str, status: u16, message: impl Into<String>) -> AwsError {
    let mut error = AwsError::new(code, message).status(status);
    error.more = Map::from_iter([("ErrorCode".to_owned(), json!(code))]);
    error
}

fn bad(message: impl Into<String>) -> AwsError {
    refusal("BadRequest", 400, message)
}

fn no_file_system(id: &str) -> AwsError {
    refusal("FileSystemNotFound", 404, format!("File system '{id}' does not exist."))
}

fn new_id(cloud: &mut Cloud, prefix: &str) -> String {
    format!("{prefix}-{}", cloud.chance.text(b"0123456789abcdef", 17))
}

/// The resource of `ResourceId`, by id or ARN.
fn resource(cloud: &Cloud, request: &Value) -> Result<String, AwsError> {
    let id = input::text(request, "ResourceId").unwrap_or_default();
    let id = id.rsplit('/').next().unwrap_or(id);
    if cloud.efs.file_systems.contains_key(id) || cloud.efs.access_points.contains_key(id) {
        return Ok(id.to_owned());
    }
    Err(no_file_system(id))
}

fn add_tags(cloud: &mut Cloud, id: &str, list: &[Value]) {
    for tag in list {
        if let Some(key) = input::text(tag, "Key") {
            let value = input::text(tag, "Value").unwrap_or_default().to_owned();
            cloud.efs.tags.entry(id.to_owned()).or_default().insert(key.to_owned(), value);
        }
    }
}

fn tags(cloud: &Cloud, id: &str) -> Vec<Value> {
    let tags = cloud.efs.tags.get(id).into_iter().flatten();
    tags.map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}

/// The tag `Name`: what descriptions show as the name.
fn name(cloud: &Cloud, id: &str) -> Option<String> {
    cloud.efs.tags.get(id)?.get("Name").cloned()
}

fn tag(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let id = resource(cloud, request)?;
    add_tags(cloud, &id, input::list(request, "Tags"));
    Ok(json!({}))
}

fn untag(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let id = resource(cloud, request)?;
    let keys = input::texts(request, "TagKeys");
    if let Some(tags) = cloud.efs.tags.get_mut(&id) {
        tags.retain(|key, _| !keys.contains(&key.as_str()));
    }
    Ok(json!({}))
}
