//! AWS IAM: roles, trust, policies, boundaries, and the one evaluation of what a principal may do.

pub mod access;
mod decision;
mod grants;
mod locate;
pub mod managed;
mod need;
mod policies;
pub mod policy;
pub mod principals;
mod rights;
mod roles;
mod simulate;
mod state;
mod tags;
#[cfg(test)]
mod tests;
pub mod trust;
mod users;
mod view;
mod words;

use serde_json::{Value, json};

pub use self::{
    access::evaluate,
    decision::{Decision, PolicyKind},
    need::{Context, Need, authorize},
    principals::{assume_for_service, key_owner, learner, operator},
    rights::needs,
    state::{AccessKey, Grants, InstanceProfile, ManagedPolicy, PolicyVersion, Role, State, User},
};
use crate::{AwsError, Call, Cloud};

/// Answers one request.
///
/// # Errors
/// The service refuses, or the operation is not simulated.
pub fn call(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    match call.operation.as_str() {
        "CreateRole" => roles::create(cloud, call),
        "GetRole" => roles::get(cloud, call),
        "ListRoles" => Ok(roles::list(cloud, call)),
        "UpdateRole" => roles::update(cloud, call),
        "UpdateRoleDescription" => roles::update_description(cloud, call),
        "UpdateAssumeRolePolicy" => roles::update_trust(cloud, call),
        "DeleteRole" => roles::delete(cloud, call),
        "CreateInstanceProfile" => roles::create_profile(cloud, call),
        "GetInstanceProfile" => roles::get_profile(cloud, call),
        "ListInstanceProfiles" => Ok(roles::list_profiles(cloud, call)),
        "ListInstanceProfilesForRole" => roles::list_profiles_of_role(cloud, call),
        "AddRoleToInstanceProfile" => roles::add_to_profile(cloud, call),
        "RemoveRoleFromInstanceProfile" => roles::remove_from_profile(cloud, call),
        "DeleteInstanceProfile" => roles::delete_profile(cloud, call),
        "PutRolePolicy" | "PutUserPolicy" => grants::put_inline(cloud, call),
        "GetRolePolicy" | "GetUserPolicy" => grants::get_inline(cloud, call),
        "DeleteRolePolicy" | "DeleteUserPolicy" => grants::delete_inline(cloud, call),
        "ListRolePolicies" | "ListUserPolicies" => grants::list_inline(cloud, call),
        "AttachRolePolicy" | "AttachUserPolicy" => grants::attach(cloud, call),
        "DetachRolePolicy" | "DetachUserPolicy" => grants::detach(cloud, call),
        "ListAttachedRolePolicies" | "ListAttachedUserPolicies" => grants::list_attached(cloud, call),
        "PutRolePermissionsBoundary" | "PutUserPermissionsBoundary" => grants::put_boundary(cloud, call),
        "DeleteRolePermissionsBoundary" | "DeleteUserPermissionsBoundary" => grants::delete_boundary(cloud, call),
        "CreateUser" => users::create(cloud, call),
        "GetUser" => users::get(cloud, call),
        "ListUsers" => Ok(users::list(cloud, call)),
        "DeleteUser" => users::delete(cloud, call),
        "CreateAccessKey" => users::create_key(cloud, call),
        "ListAccessKeys" => users::list_keys(cloud, call),
        "UpdateAccessKey" => users::update_key(cloud, call),
        "DeleteAccessKey" => users::delete_key(cloud, call),
        // There are no groups.
        "ListGroupsForUser" => users::of(cloud, call).map(|_| json!({"Groups": [], "IsTruncated": false})),
        "CreatePolicy" => policies::create(cloud, call),
        "GetPolicy" => policies::get(cloud, call),
        "ListPolicies" => Ok(policies::list(cloud, call)),
        "DeletePolicy" => policies::delete(cloud, call),
        "CreatePolicyVersion" => policies::create_version(cloud, call),
        "GetPolicyVersion" => policies::get_version(cloud, call),
        "ListPolicyVersions" => policies::list_versions(cloud, call),
        "DeletePolicyVersion" => policies::delete_version(cloud, call),
        "SetDefaultPolicyVersion" => policies::set_default_version(cloud, call),
        "ListEntitiesForPolicy" => policies::list_entities(cloud, call),
        "TagRole" | "TagUser" | "TagPolicy" | "TagInstanceProfile" => tags::add(cloud, call),
        "UntagRole" | "UntagUser" | "UntagPolicy" | "UntagInstanceProfile" => tags::remove(cloud, call),
        "ListRoleTags" | "ListUserTags" | "ListPolicyTags" | "ListInstanceProfileTags" => tags::list(cloud, call),
        "SimulatePrincipalPolicy" => simulate::principal_policy(cloud, call),
        "SimulateCustomPolicy" => simulate::custom_policy(cloud, call),
        other => Err(AwsError::not_simulated("iam", other)),
    }
}
