//! Roles and instance profiles.

use serde_json::{Value, json};

use super::{
    Grants, InstanceProfile, Role,
    policy::{
        Document,
        grammar::{self, Kind},
    },
    tags, view, words,
};
use crate::{AwsError, Call, Cloud, input, services::page};

/// Letters of ids: base 32.
pub const ID_LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// `AROA` and 17 letters.
pub fn new_id(cloud: &mut Cloud, prefix: &str) -> String {
    format!("{prefix}{}", cloud.chance.text(ID_LETTERS, 17))
}

pub fn create(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let name = words::name(call, "RoleName", 64)?;
    let path = words::path(call)?;
    let trust = input::required(call, "AssumeRolePolicyDocument")?;
    check_trust(cloud, trust)?;
    let max_session = max_session(&call.input)?.unwrap_or(3_600);
    if cloud.iam.roles.keys().any(|other| other.eq_ignore_ascii_case(name)) {
        return Err(words::exists(format!("Role with name {name} already exists.")));
    }
    let boundary = input::text(&call.input, "PermissionsBoundary");
    if let Some(arn) = boundary {
        super::grants::check_attachable(cloud, arn)?;
    }
    let role = Role {
        name: name.to_owned(),
        id: new_id(cloud, "AROA"),
        arn: format!("arn:aws:iam::{}:role{path}{name}", cloud.config.account),
        path,
        created: cloud.now(),
        trust: trust.to_owned(),
        description: input::text(&call.input, "Description").map(str::to_owned),
        max_session,
        tags: tags::read(&call.input),
        grants: Grants { boundary: boundary.map(str::to_owned), ..Grants::default() },
    };
    cloud.iam.roles.insert(name.to_owned(), role);
    get(cloud, call)
}

pub fn get(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    Ok(json!({"Role": view::role(cloud, of(cloud, call)?, true)}))
}

pub fn list(cloud: &Cloud, call: &Call) -> Value {
    let prefix = input::text(&call.input, "PathPrefix").unwrap_or("/");
    let roles = cloud.iam.roles.values().filter(|role| role.path.starts_with(prefix));
    page::IAM.answer(&call.input, "Roles", roles.map(|role| view::role(cloud, role, false)).collect())
}

/// UpdateRole: description and session length.
pub fn update(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let max_session = max_session(&call.input)?;
    let role = of_mut(cloud, call)?;
    if let Some(description) = input::text(&call.input, "Description") {
        role.description = Some(description.to_owned());
    }
    role.max_session = max_session.unwrap_or(role.max_session);
    Ok(json!({}))
}

pub fn update_description(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    of_mut(cloud, call)?.description = Some(input::text(&call.input, "Description").unwrap_or("").to_owned());
    get(cloud, call)
}

pub fn update_trust(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    of(cloud, call)?;
    let trust = input::required(call, "PolicyDocument")?;
    check_trust(cloud, trust)?;
    of_mut(cloud, call)?.trust = trust.to_owned();
    Ok(json!({}))
}

pub fn delete(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let role = of(cloud, call)?;
    let name = role.name.clone();
    if cloud.iam.instance_profiles.values().any(|profile| profile.role.as_ref() == Some(&name)) {
        return Err(words::conflict("Cannot delete entity, must remove roles from instance profile first."));
    }
    super::grants::check_empty(&role.grants)?;
    cloud.iam.roles.remove(&name);
    Ok(json!({}))
}

/// The role that a request names.
pub fn of<'a>(cloud: &'a Cloud, call: &Call) -> Result<&'a Role, AwsError> {
    let name = words::name(call, "RoleName", 64)?;
    cloud.iam.roles.get(name).ok_or_else(|| words::not_found("role", name))
}

pub fn of_mut<'a>(cloud: &'a mut Cloud, call: &Call) -> Result<&'a mut Role, AwsError> {
    let name = words::name(call, "RoleName", 64)?;
    cloud.iam.roles.get_mut(name).ok_or_else(|| words::not_found("role", name))
}

/// One hour to twelve (reference of CreateRole).
fn max_session(request: &Value) -> Result<Option<u32>, AwsError> {
    let Some(wish) = input::integer(request, "MaxSessionDuration") else { return Ok(None) };
    match u32::try_from(wish).ok().filter(|seconds| (3_600..=43_200).contains(seconds)) {
        Some(seconds) => Ok(Some(seconds)),
        None => {
            let rule = if wish < 3_600 { "greater than or equal to 3600" } else { "less than or equal to 43200" };
            let what = format!(
                "Value '{wish}' at 'maxSessionDuration' failed to satisfy constraint: Member must have value {rule}"
            );
            Err(input::invalid("iam", &what))
        }
    }
}

/// A trust policy is well written, and those it names of this account are there.
fn check_trust(cloud: &Cloud, text: &str) -> Result<(), AwsError> {
    grammar::check(text, Kind::Trust).map_err(words::malformed)?;
    let document = Document::read(text);
    let named = document.statements.iter().filter_map(|statement| statement.principals.as_ref());
    for name in named.flat_map(|principals| &principals.aws) {
        if !exists(cloud, name) {
            return Err(words::malformed(format!("Invalid principal in policy: \"AWS\":\"{name}\"")));
        }
    }
    Ok(())
}

/// Users and roles of this account must exist; of others nothing is known.
fn exists(cloud: &Cloud, name: &str) -> bool {
    let Some(what) = name.strip_prefix(&format!("arn:aws:iam::{}:", cloud.config.account)) else { return true };
    match what.split_once('/') {
        Some(("role", _)) => cloud.iam.role_by_arn(name).is_some(),
        Some(("user", _)) => cloud.iam.users.values().any(|user| user.arn == name),
        _ => true,
    }
}

pub fn create_profile(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let name = words::name(call, "InstanceProfileName", 128)?;
    let path = words::path(call)?;
    if cloud.iam.instance_profiles.keys().any(|other| other.eq_ignore_ascii_case(name)) {
        return Err(words::exists(format!("Instance Profile {name} already exists.")));
    }
    let profile = InstanceProfile {
        name: name.to_owned(),
        id: new_id(cloud, "AIPA"),
        arn: format!("arn:aws:iam::{}:instance-profile{path}{name}", cloud.config.account),
        path,
        created: cloud.now(),
        role: None,
        tags: tags::read(&call.input),
    };
    cloud.iam.instance_profiles.insert(name.to_owned(), profile);
    get_profile(cloud, call)
}

pub fn get_profile(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    Ok(json!({"InstanceProfile": view::profile(cloud, profile(cloud, call)?)}))
}

pub fn list_profiles(cloud: &Cloud, call: &Call) -> Value {
    let all = cloud.iam.instance_profiles.values();
    page::IAM.answer(&call.input, "InstanceProfiles", all.map(|it| view::profile(cloud, it)).collect())
}

pub fn list_profiles_of_role(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let role = of(cloud, call)?;
    let all = cloud.iam.instance_profiles.values().filter(|profile| profile.role.as_ref() == Some(&role.name));
    Ok(page::IAM.answer(&call.input, "InstanceProfiles", all.map(|it| view::profile(cloud, it)).collect()))
}

/// A profile holds one role (IAM quotas).
pub fn add_to_profile(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let role = of(cloud, call)?.name.clone();
    if profile(cloud, call)?.role.is_some() {
        return Err(words::limit("Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1".to_owned()));
    }
    profile_mut(cloud, call)?.role = Some(role);
    Ok(json!({}))
}

pub fn remove_from_profile(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let role = of(cloud, call)?.name.clone();
    let profile = profile_mut(cloud, call)?;
    if profile.role.as_ref() != Some(&role) {
        return Err(words::not_found("role", &role));
    }
    profile.role = None;
    Ok(json!({}))
}

pub fn delete_profile(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let profile = profile(cloud, call)?;
    if profile.role.is_some() {
        return Err(words::conflict("Cannot delete entity, must remove roles from instance profile first."));
    }
    let name = profile.name.clone();
    cloud.iam.instance_profiles.remove(&name);
    Ok(json!({}))
}

pub fn profile<'a>(cloud: &'a Cloud, call: &Call) -> Result<&'a InstanceProfile, AwsError> {
    let name = words::name(call, "InstanceProfileName", 128)?;
    cloud.iam.instance_profiles.get(name).ok_or_else(|| no_profile(name))
}

pub fn profile_mut<'a>(cloud: &'a mut Cloud, call: &Call) -> Result<&'a mut InstanceProfile, AwsError> {
    let name = words::name(call, "InstanceProfileName", 128)?;
    cloud.iam.instance_profiles.get_mut(name).ok_or_else(|| no_profile(name))
}

fn no_profile(name: &str) -> AwsError {
    words::no_such_entity(format!("Instance Profile {name} cannot be found."))
}

/// The ARN of a session of the role of this ARN, for questions about nobody in particular.
pub fn session(cloud: &Cloud, role_arn: &str) -> Option<String> {
    let role = cloud.iam.role_by_arn(role_arn)?;
    Some(format!("arn:aws:sts::{}:assumed-role/{}/simulated", cloud.config.account, role.name))
}
