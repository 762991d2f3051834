//! File systems.

use serde_json::{Value, json};

use super::{FileSystem, add_tags, bad, name, new_id, no_file_system, refusal, tags};
use crate::{AwsError, Cloud, input, moment};

fn view(cloud: &Cloud, id: &str, it: &FileSystem) -> Value {
    let config = &cloud.config;
    let targets = cloud.efs.mount_targets.values().filter(|target| target.file_system == id).count();
    json!({
        "FileSystemId": id,
        "FileSystemArn": format!("arn:aws:elasticfilesystem:{}:{}:file-system/{id}", config.region, config.account),
        "CreationToken": it.token,
        "CreationTime": moment::of(cloud, it.created),
        "LifeCycleState": "available",
        "Name": name(cloud, id),
        "NumberOfMountTargets": targets,
        "OwnerId": config.account,
        "PerformanceMode": it.performance,
        "ThroughputMode": it.throughput,
        "Encrypted": it.is_encrypted,
        "SizeInBytes": {"Value": 6144, "ValueInIA": 0, "ValueInStandard": 6144},
        "Tags": tags(cloud, id),
    })
}

fn named<'a>(cloud: &'a Cloud, request: &Value) -> Result<(String, &'a FileSystem), AwsError> {
    let id = input::text(request, "FileSystemId").unwrap_or_default();
    let id = id.rsplit('/').next().unwrap_or(id);
    cloud.efs.file_systems.get(id).map(|it| (id.to_owned(), it)).ok_or_else(|| no_file_system(id))
}

/// `CreateFileSystem`.
pub(super) fn create(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let token = input::text(request, "CreationToken").ok_or_else(|| bad("CreationToken is required"))?;
    if let Some((id, _)) = cloud.efs.file_systems.iter().find(|(_, it)| it.token == token) {
        let text = format!("File system '{id}' already exists with creation token '{token}'");
        let mut error = refusal("FileSystemAlreadyExists", 409, text);
        error.more.insert("FileSystemId".to_owned(), json!(id));
        return Err(error);
    }
    let file_system = FileSystem {
        token: token.to_owned(),
        is_encrypted: input::flag(request, "Encrypted").unwrap_or(false),
        performance: input::text(request, "PerformanceMode").unwrap_or("generalPurpose").to_owned(),
        throughput: input::text(request, "ThroughputMode").unwrap_or("bursting").to_owned(),
        policy: None,
        created: cloud.now(),
    };
    let id = new_id(cloud, "fs");
    cloud.efs.file_systems.insert(id.clone(), file_system);
    add_tags(cloud, &id, input::list(request, "Tags"));
    Ok(cloud.efs.file_systems.get(&id).map(|it| view(cloud, &id, it)).unwrap_or_default())
}

/// `DeleteFileSystem`: refused while it has mount targets.
pub(super) fn delete(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let (id, _) = named(cloud, request)?;
    if cloud.efs.mount_targets.values().any(|it| it.file_system == id) {
        let text = format!("File system '{id}' is in use by mount targets. Delete them first.");
        return Err(refusal("FileSystemInUse", 409, text));
    }
    cloud.efs.access_points.retain(|_, it| it.file_system != id);
    cloud.efs.file_systems.remove(&id);
    cloud.efs.tags.remove(&id);
    Ok(json!({}))
}

/// `DescribeFileSystems`: all, or one by id or creation token.
pub(super) fn describe(cloud: &Cloud, request: &Value) -> Result<Value, AwsError> {
    if input::has(request, "FileSystemId") {
        let (id, it) = named(cloud, request)?;
        return Ok(json!({"FileSystems": [view(cloud, &id, it)]}));
    }
    let token = input::text(request, "CreationToken");
    let chosen = cloud.efs.file_systems.iter().filter(|(_, it)| token.is_none_or(|token| token == it.token));
    Ok(json!({"FileSystems": chosen.map(|(id, it)| view(cloud, id, it)).collect::<Vec<_>>()}))
}

/// `PutFileSystemPolicy`.
pub(super) fn put_policy(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let (id, _) = named(cloud, request)?;
    let policy = input::text(request, "Policy").ok_or_else(|| bad("Policy is required"))?;
    if serde_json::from_str::<Value>(policy).is_err() {
        return Err(refusal("InvalidPolicyException", 400, "The policy is not valid JSON"));
    }
    if let Some(file_system) = cloud.efs.file_systems.get_mut(&id) {
        file_system.policy = Some(policy.to_owned());
    }
    Ok(json!({"FileSystemId": id, "Policy": policy}))
}

/// `DescribeFileSystemPolicy`.
pub(super) fn policy(cloud: &Cloud, request: &Value) -> Result<Value, AwsError> {
    let (id, it) = named(cloud, request)?;
    match &it.policy {
        Some(policy) => Ok(json!({"FileSystemId": id, "Policy": policy})),
        None => Err(refusal("PolicyNotFound", 404, format!("No policy found for file system '{id}'"))),
    }
}

/// `DeleteFileSystemPolicy`.
pub(super) fn delete_policy(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let (id, _) = named(cloud, request)?;
    if let Some(file_system) = cloud.efs.file_systems.get_mut(&id) {
        file_system.policy = None;
    }
    Ok(json!({}))
}
