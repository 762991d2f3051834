//! Access points.

use serde_json::{Value, json};

use super::{AccessPoint, add_tags, name, new_id, no_file_system, refusal, tags};
use crate::{AwsError, Cloud, input};

pub(super) fn missing(id: &str) -> AwsError {
    refusal("AccessPointNotFound", 404, format!("Access point '{id}' does not exist."))
}

fn view(cloud: &Cloud, id: &str, it: &AccessPoint) -> Value {
    let config = &cloud.config;
    json!({
        "AccessPointId": id,
        "AccessPointArn": format!("arn:aws:elasticfilesystem:{}:{}:access-point/{id}", config.region, config.account),
        "ClientToken": it.token,
        "FileSystemId": it.file_system,
        "LifeCycleState": "available",
        "Name": name(cloud, id),
        "OwnerId": config.account,
        "PosixUser": it.user,
        "RootDirectory": {"Path": it.root, "CreationInfo": it.creation},
        "Tags": tags(cloud, id),
    })
}

/// `CreateAccessPoint`.
pub(super) fn create(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let file_system = input::text(request, "FileSystemId").unwrap_or_default();
    if !cloud.efs.file_systems.contains_key(file_system) {
        return Err(no_file_system(file_system));
    }
    let root = request.get("RootDirectory").unwrap_or(&Value::Null);
    let point = AccessPoint {
        token: input::text(request, "ClientToken").unwrap_or_default().to_owned(),
        file_system: file_system.to_owned(),
        user: request.get("PosixUser").filter(|it| !it.is_null()).cloned(),
        root: input::text(root, "Path").unwrap_or("/").to_owned(),
        creation: root.get("CreationInfo").filter(|it| !it.is_null()).cloned(),
    };
    let id = new_id(cloud, "fsap");
    cloud.efs.access_points.insert(id.clone(), point);
    add_tags(cloud, &id, input::list(request, "Tags"));
    Ok(cloud.efs.access_points.get(&id).map(|it| view(cloud, &id, it)).unwrap_or_default())
}

/// `DeleteAccessPoint`.
pub(super) fn delete(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let id = input::text(request, "AccessPointId").unwrap_or_default();
    cloud.efs.tags.remove(id);
    cloud.efs.access_points.remove(id).map(|_| json!({})).ok_or_else(|| missing(id))
}

/// `DescribeAccessPoints`: all, of a file system, or one.
pub(super) fn describe(cloud: &Cloud, request: &Value) -> Result<Value, AwsError> {
    let points = &cloud.efs.access_points;
    if let Some(id) = input::text(request, "AccessPointId") {
        let found = points.get(id).ok_or_else(|| missing(id))?;
        return Ok(json!({"AccessPoints": [view(cloud, id, found)]}));
    }
    let wanted = input::text(request, "FileSystemId");
    let chosen = points.iter().filter(|(_, it)| wanted.is_none_or(|id| id == it.file_system));
    Ok(json!({"AccessPoints": chosen.map(|(id, it)| view(cloud, id, it)).collect::<Vec<_>>()}))
}
