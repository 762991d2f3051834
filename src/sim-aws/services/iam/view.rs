//! How IAM's answers show what it keeps.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::{Map, Value, json};

use super::{Grants, InstanceProfile, ManagedPolicy, PolicyVersion, Role, User, managed::AwsManaged};
use crate::{Cloud, moment};

/// A policy's text as answers carry it: URL-encoded (RFC 3986), as the API's reference says of every document.
pub fn encoded(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len() * 2), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// `[{Key, Value}]`.
pub fn tags(tags: &BTreeMap<String, String>) -> Value {
    tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}

fn boundary(grants: &Grants) -> Option<Value> {
    let arn = grants.boundary.as_ref()?;
    Some(json!({"PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": arn}))
}

/// A role as listings show it; `whole` adds what only CreateRole and GetRole tell.
pub fn role(cloud: &Cloud, role: &Role, whole: bool) -> Value {
    let mut view = Map::new();
    view.insert("Path".to_owned(), json!(role.path));
    view.insert("RoleName".to_owned(), json!(role.name));
    view.insert("RoleId".to_owned(), json!(role.id));
    view.insert("Arn".to_owned(), json!(role.arn));
    view.insert("CreateDate".to_owned(), moment::of(cloud, role.created));
    view.insert("AssumeRolePolicyDocument".to_owned(), json!(encoded(&role.trust)));
    view.insert("MaxSessionDuration".to_owned(), json!(role.max_session));
    if let Some(description) = &role.description {
        view.insert("Description".to_owned(), json!(description));
    }
    if whole {
        if let Some(boundary) = boundary(&role.grants) {
            view.insert("PermissionsBoundary".to_owned(), boundary);
        }
        if !role.tags.is_empty() {
            view.insert("Tags".to_owned(), tags(&role.tags));
        }
        view.insert("RoleLastUsed".to_owned(), json!({}));
    }
    Value::Object(view)
}

/// A user; `whole` as for roles.
pub fn user(cloud: &Cloud, user: &User, whole: bool) -> Value {
    let mut view = json!({
        "Path": user.path, "UserName": user.name, "UserId": user.id, "Arn": user.arn,
        "CreateDate": moment::of(cloud, user.created),
    });
    if whole {
        if let Some(boundary) = boundary(&user.grants) {
            view["PermissionsBoundary"] = boundary;
        }
        if !user.tags.is_empty() {
            view["Tags"] = tags(&user.tags);
        }
    }
    view
}

/// A customer managed policy.
pub fn policy(cloud: &Cloud, policy: &ManagedPolicy, whole: bool) -> Value {
    let mut view = json!({
        "PolicyName": policy.name, "PolicyId": policy.id, "Arn": policy.arn, "Path": policy.path,
        "DefaultVersionId": format!("v{}", policy.default_version),
        "AttachmentCount": attachments(cloud, &policy.arn), "PermissionsBoundaryUsageCount": bounded(cloud, &policy.arn),
        "IsAttachable": true,
        "CreateDate": moment::of(cloud, policy.created), "UpdateDate": moment::of(cloud, policy.updated),
    });
    if whole {
        view["Tags"] = tags(&policy.tags);
        if let Some(description) = &policy.description {
            view["Description"] = json!(description);
        }
    }
    view
}

/// A policy of AWS.
pub fn aws_policy(cloud: &Cloud, policy: &AwsManaged) -> Value {
    json!({
        "PolicyName": policy.name, "PolicyId": aws_policy_id(&policy.name), "Arn": policy.arn, "Path": policy.path,
        "DefaultVersionId": policy.version,
        "AttachmentCount": attachments(cloud, &policy.arn), "PermissionsBoundaryUsageCount": bounded(cloud, &policy.arn),
        "IsAttachable": true,
        "CreateDate": moment::written(policy.created), "UpdateDate": moment::written(policy.updated),
    })
}

/// `ANPA` and 17 letters that the name decides: AWS's own policies have the same id in every account.
fn aws_policy_id(name: &str) -> String {
    let mut id = name.bytes().filter(u8::is_ascii_alphabetic).map(|it| char::from(it.to_ascii_uppercase()));
    let letters = std::iter::from_fn(|| Some(id.next().unwrap_or('Z'))).take(17);
    format!("ANPA{}", letters.collect::<String>())
}

/// One version of a policy; its document only where it was asked for.
pub fn version(cloud: &Cloud, version: &PolicyVersion, default: u32, document: bool) -> Value {
    let mut view = json!({
        "VersionId": format!("v{}", version.number), "IsDefaultVersion": version.number == default,
        "CreateDate": moment::of(cloud, version.created),
    });
    if document {
        view["Document"] = json!(encoded(&version.document));
    }
    view
}

/// An instance profile with its role.
pub fn profile(cloud: &Cloud, profile: &InstanceProfile) -> Value {
    let inside = profile.role.as_ref().and_then(|name| cloud.iam.roles.get(name));
    json!({
        "Path": profile.path, "InstanceProfileName": profile.name, "InstanceProfileId": profile.id, "Arn": profile.arn,
        "CreateDate": moment::of(cloud, profile.created),
        "Roles": inside.map(|it| role(cloud, it, false)).into_iter().collect::<Vec<_>>(),
    })
}

fn everybody(cloud: &Cloud) -> impl Iterator<Item = &Grants> {
    let roles = cloud.iam.roles.values().map(|role| &role.grants);
    roles.chain(cloud.iam.users.values().map(|user| &user.grants))
}

/// How many users and roles a managed policy is attached to.
pub fn attachments(cloud: &Cloud, arn: &str) -> usize {
    everybody(cloud).filter(|grants| grants.attached.iter().any(|it| it == arn)).count()
}

/// How many it bounds.
pub fn bounded(cloud: &Cloud, arn: &str) -> usize {
    everybody(cloud).filter(|grants| grants.boundary.as_deref() == Some(arn)).count()
}
