//! What roles and users have in common: inline policies, attached policies, a boundary.

use serde_json::{Value, json};

use super::{
    Grants, managed,
    policy::grammar::{self, Kind},
    roles, users, view, words,
};
use crate::{AwsError, Call, Cloud, input, services::page};

/// Managed policies a role or user may have (IAM quotas).
const MOST_ATTACHED: usize = 10;

/// PutRolePolicy, PutUserPolicy.
pub fn put_inline(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let name = words::name(call, "PolicyName", 128)?;
    let document = input::required(call, "PolicyDocument")?;
    let (kind, of) = (kind(call), of(cloud, call)?);
    grammar::check(document, Kind::Identity).map_err(words::malformed)?;
    // IAM quotas: all inline policies together, without white space; 10,240 letters for a role, 2,048 for a user.
    let most = if kind == "role" { 10_240 } else { 2_048 };
    let others = of.inline.iter().filter(|(other, _)| *other != name).map(|(_, text)| text.as_str());
    let size =
        others.chain([document]).map(|text| text.chars().filter(|it| !it.is_whitespace()).count()).sum::<usize>();
    if size > most {
        let owner = input::text(&call.input, owner(call)).unwrap_or("");
        return Err(words::limit(format!("Maximum policy size of {most} bytes exceeded for {kind} {owner}")));
    }
    of_mut(cloud, call)?.inline.insert(name.to_owned(), document.to_owned());
    Ok(json!({}))
}

/// GetRolePolicy, GetUserPolicy.
pub fn get_inline(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let name = words::name(call, "PolicyName", 128)?;
    let document = of(cloud, call)?.inline.get(name).ok_or_else(|| no_inline(call, name))?;
    let owner = owner(call);
    let owner_name = input::text(&call.input, owner);
    Ok(json!({owner: owner_name, "PolicyName": name, "PolicyDocument": view::encoded(document)}))
}

/// DeleteRolePolicy, DeleteUserPolicy.
pub fn delete_inline(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let name = words::name(call, "PolicyName", 128)?;
    of_mut(cloud, call)?.inline.remove(name).ok_or_else(|| no_inline(call, name))?;
    Ok(json!({}))
}

/// ListRolePolicies, ListUserPolicies.
pub fn list_inline(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let names = of(cloud, call)?.inline.keys().map(|name| json!(name)).collect();
    Ok(page::IAM.answer(&call.input, "PolicyNames", names))
}

/// AttachRolePolicy, AttachUserPolicy. Attaching twice is no fault.
pub fn attach(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let arn = input::required(call, "PolicyArn")?;
    let attached = &of(cloud, call)?.attached;
    if attached.iter().any(|it| it == arn) {
        return Ok(json!({}));
    }
    let full = attached.len() >= MOST_ATTACHED;
    check_attachable(cloud, arn)?;
    if full {
        let what = if kind(call) == "role" { "PoliciesPerRole" } else { "PoliciesPerUser" };
        return Err(words::limit(format!("Cannot exceed quota for {what}: {MOST_ATTACHED}")));
    }
    of_mut(cloud, call)?.attached.push(arn.to_owned());
    Ok(json!({}))
}

/// DetachRolePolicy, DetachUserPolicy.
pub fn detach(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let arn = input::required(call, "PolicyArn")?;
    let attached = &mut of_mut(cloud, call)?.attached;
    let before = attached.len();
    attached.retain(|it| it != arn);
    if attached.len() == before {
        return Err(words::no_such_entity(format!("Policy {arn} was not found.")));
    }
    Ok(json!({}))
}

/// ListAttachedRolePolicies, ListAttachedUserPolicies.
pub fn list_attached(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let attached = of(cloud, call)?.attached.iter();
    let policies = attached.map(|arn| json!({"PolicyName": arn.rsplit('/').next(), "PolicyArn": arn})).collect();
    Ok(page::IAM.answer(&call.input, "AttachedPolicies", policies))
}

/// PutRolePermissionsBoundary, PutUserPermissionsBoundary.
pub fn put_boundary(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    of(cloud, call)?;
    let arn = input::required(call, "PermissionsBoundary")?;
    check_attachable(cloud, arn)?;
    of_mut(cloud, call)?.boundary = Some(arn.to_owned());
    Ok(json!({}))
}

/// DeleteRolePermissionsBoundary, DeleteUserPermissionsBoundary.
pub fn delete_boundary(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let grants = of_mut(cloud, call)?;
    if grants.boundary.take().is_none() {
        let owner = input::text(&call.input, owner(call)).unwrap_or("");
        return Err(words::no_such_entity(format!("The {} {owner} has no permissions boundary.", kind(call))));
    }
    Ok(json!({}))
}

/// A managed policy of this ARN can be attached.
///
/// # Errors
/// There is none.
pub fn check_attachable(cloud: &Cloud, arn: &str) -> Result<(), AwsError> {
    if managed::find(arn).is_some() || cloud.iam.policies.contains_key(arn) {
        return Ok(());
    }
    if !arn.starts_with("arn:") {
        return Err(AwsError::new("InvalidInput", format!("ARN {arn} is not valid.")));
    }
    Err(words::no_such_entity(format!("Policy {arn} does not exist or is not attachable.")))
}

/// Nothing stands in the way of a deletion.
///
/// # Errors
/// Policies are still there.
pub fn check_empty(grants: &Grants) -> Result<(), AwsError> {
    if !grants.attached.is_empty() {
        return Err(words::conflict("Cannot delete entity, must detach all policies first."));
    }
    if !grants.inline.is_empty() {
        return Err(words::conflict("Cannot delete entity, must delete policies first."));
    }
    Ok(())
}

fn no_inline(call: &Call, name: &str) -> AwsError {
    words::not_found(&format!("{} policy", kind(call)), name)
}

/// Which member names the owner: the operation's own name says it.
fn owner(call: &Call) -> &'static str {
    if call.operation.contains("Role") { "RoleName" } else { "UserName" }
}

fn kind(call: &Call) -> &'static str {
    if owner(call) == "RoleName" { "role" } else { "user" }
}

fn of<'a>(cloud: &'a Cloud, call: &Call) -> Result<&'a Grants, AwsError> {
    Ok(if kind(call) == "role" { &roles::of(cloud, call)?.grants } else { &users::of(cloud, call)?.grants })
}

fn of_mut<'a>(cloud: &'a mut Cloud, call: &Call) -> Result<&'a mut Grants, AwsError> {
    Ok(if kind(call) == "role" {
        &mut roles::of_mut(cloud, call)?.grants
    } else {
        &mut users::of_mut(cloud, call)?.grants
    })
}
