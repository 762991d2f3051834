//! Managed policies: the account's own and their versions, and those of AWS as they are.

use serde_json::{Value, json};

use super::{
    ManagedPolicy, PolicyVersion, managed,
    policy::grammar::{self, Kind},
    roles, tags, view, words,
};
use crate::{AwsError, Call, Cloud, input, moment, services::page};

/// IAM quotas.
const MOST_VERSIONS: usize = 5;
const MOST_LETTERS: usize = 6_144;

pub fn create(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let name = words::name(call, "PolicyName", 128)?;
    let path = words::path(call)?;
    let document = document(call)?;
    let taken = |policy: &ManagedPolicy| policy.name.eq_ignore_ascii_case(name);
    if cloud.iam.policies.values().any(taken) {
        return Err(words::exists(format!("A policy called {name} already exists. Duplicate names are not allowed.")));
    }
    let arn = format!("arn:aws:iam::{}:policy{path}{name}", cloud.config.account);
    let now = cloud.now();
    let policy = ManagedPolicy {
        name: name.to_owned(),
        id: roles::new_id(cloud, "ANPA"),
        arn: arn.clone(),
        path,
        description: input::text(&call.input, "Description").map(str::to_owned),
        created: now,
        updated: now,
        tags: tags::read(&call.input),
        versions: vec![PolicyVersion { number: 1, document, created: now }],
        default_version: 1,
        next_version: 2,
    };
    let view = view::policy(cloud, &policy, false);
    cloud.iam.policies.insert(arn, policy);
    Ok(json!({"Policy": view}))
}

pub fn get(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let arn = input::required(call, "PolicyArn")?;
    let view = match managed::find(arn) {
        Some(policy) => view::aws_policy(cloud, policy),
        None => view::policy(cloud, of(cloud, call)?, true),
    };
    Ok(json!({"Policy": view}))
}

pub fn list(cloud: &Cloud, call: &Call) -> Value {
    let scope = input::text(&call.input, "Scope").unwrap_or("All");
    let attached = input::flag(&call.input, "OnlyAttached").unwrap_or(false);
    let prefix = input::text(&call.input, "PathPrefix").unwrap_or("/");
    let wanted = |arn: &str, path: &str| {
        path.starts_with(prefix) && (!attached || view::attachments(cloud, arn) + view::bounded(cloud, arn) > 0)
    };
    let local = cloud.iam.policies.values().filter(|it| scope != "AWS" && wanted(&it.arn, &it.path));
    let aws = managed::all().filter(|it| scope != "Local" && wanted(&it.arn, &it.path));
    let all = local.map(|it| view::policy(cloud, it, false)).chain(aws.map(|it| view::aws_policy(cloud, it)));
    page::IAM.answer(&call.input, "Policies", all.collect())
}

pub fn delete(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let policy = of(cloud, call)?;
    let arn = policy.arn.clone();
    if view::attachments(cloud, &arn) + view::bounded(cloud, &arn) > 0 {
        return Err(words::conflict("Cannot delete a policy attached to entities."));
    }
    if policy.versions.len() > 1 {
        return Err(words::conflict(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The \
             default version is deleted with the policy.",
        ));
    }
    cloud.iam.policies.remove(&arn);
    Ok(json!({}))
}

pub fn create_version(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let full = of(cloud, call)?.versions.len() >= MOST_VERSIONS;
    let document = document(call)?;
    if full {
        return Err(words::limit(format!(
            "A managed policy can have up to {MOST_VERSIONS} versions. Before you create a new version, you must delete an \
             existing version."
        )));
    }
    let now = cloud.now();
    let policy = of_mut(cloud, call)?;
    let number = policy.next_version;
    policy.next_version += 1;
    let version = PolicyVersion { number, document, created: now };
    policy.versions.push(version.clone());
    policy.updated = now;
    if input::flag(&call.input, "SetAsDefault").unwrap_or(false) {
        policy.default_version = number;
    }
    let default = policy.default_version;
    Ok(json!({"PolicyVersion": view::version(cloud, &version, default, false)}))
}

pub fn get_version(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let arn = input::required(call, "PolicyArn")?;
    let wish = input::required(call, "VersionId")?;
    let view = match managed::find(arn) {
        Some(policy) if policy.version == wish => json!({
            "VersionId": policy.version, "IsDefaultVersion": true, "CreateDate": moment::written(policy.updated),
            "Document": view::encoded(&policy.text),
        }),
        Some(_) => return Err(no_version(arn, wish)),
        None => {
            let policy = of(cloud, call)?;
            let version = policy.versions.iter().find(|it| is(it, wish)).ok_or_else(|| no_version(arn, wish))?;
            view::version(cloud, version, policy.default_version, true)
        }
    };
    Ok(json!({"PolicyVersion": view}))
}

/// Newest first. Of AWS's policies only the version in force is kept.
pub fn list_versions(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let arn = input::required(call, "PolicyArn")?;
    let views = match managed::find(arn) {
        Some(policy) => vec![json!({
            "VersionId": policy.version, "IsDefaultVersion": true, "CreateDate": moment::written(policy.updated),
        })],
        None => {
            let policy = of(cloud, call)?;
            let newest = policy.versions.iter().rev();
            newest.map(|version| view::version(cloud, version, policy.default_version, false)).collect()
        }
    };
    Ok(page::IAM.answer(&call.input, "Versions", views))
}

pub fn delete_version(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let wish = input::required(call, "VersionId")?;
    let policy = of_mut(cloud, call)?;
    let place = policy.versions.iter().position(|it| is(it, wish)).ok_or_else(|| no_version(&policy.arn, wish))?;
    if policy.versions.get(place).is_some_and(|it| it.number == policy.default_version) {
        return Err(words::conflict("Cannot delete the default version of a policy."));
    }
    policy.versions.remove(place);
    Ok(json!({}))
}

pub fn set_default_version(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let wish = input::required(call, "VersionId")?;
    let now = cloud.now();
    let policy = of_mut(cloud, call)?;
    let found = policy.versions.iter().find(|it| is(it, wish)).map(|it| it.number);
    policy.default_version = found.ok_or_else(|| no_version(&policy.arn, wish))?;
    policy.updated = now;
    Ok(json!({}))
}

/// Who has the policy, as policy or as boundary.
pub fn list_entities(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let arn = input::required(call, "PolicyArn")?;
    super::grants::check_attachable(cloud, arn)?;
    let usage = input::text(&call.input, "PolicyUsageFilter");
    let has = |grants: &super::Grants| {
        (usage != Some("PermissionsBoundary") && grants.attached.iter().any(|it| it == arn))
            || (usage != Some("PermissionsPolicy") && grants.boundary.as_deref() == Some(arn))
    };
    let filter = input::text(&call.input, "EntityFilter").unwrap_or("");
    let roles = cloud.iam.roles.values().filter(|it| matches!(filter, "" | "Role") && has(&it.grants));
    let users = cloud.iam.users.values().filter(|it| matches!(filter, "" | "User") && has(&it.grants));
    Ok(json!({
        "PolicyRoles": roles.map(|it| json!({"RoleName": it.name, "RoleId": it.id})).collect::<Vec<_>>(),
        "PolicyUsers": users.map(|it| json!({"UserName": it.name, "UserId": it.id})).collect::<Vec<_>>(),
        "PolicyGroups": [], "IsTruncated": false,
    }))
}

/// The customer managed policy that a request names.
pub fn of<'a>(cloud: &'a Cloud, call: &Call) -> Result<&'a ManagedPolicy, AwsError> {
    let arn = input::required(call, "PolicyArn")?;
    cloud.iam.policies.get(arn).ok_or_else(|| absent(call, arn))
}

pub fn of_mut<'a>(cloud: &'a mut Cloud, call: &Call) -> Result<&'a mut ManagedPolicy, AwsError> {
    let arn = input::required(call, "PolicyArn")?;
    cloud.iam.policies.get_mut(arn).ok_or_else(|| absent(call, arn))
}

/// What belongs to AWS is nobody's to change.
fn absent(call: &Call, arn: &str) -> AwsError {
    if managed::find(arn).is_some() {
        let who = &call.caller.arn;
        let sentence =
            format!("User: {who} is not authorized to perform: iam:{} on resource: policy {arn}", call.operation);
        return AwsError::new("AccessDenied", sentence).status(403);
    }
    words::no_such_entity(format!("Policy {arn} was not found."))
}

fn no_version(arn: &str, version: &str) -> AwsError {
    words::no_such_entity(format!("Policy {arn} version {version} does not exist or is not attachable."))
}

fn is(version: &PolicyVersion, id: &str) -> bool {
    id.strip_prefix('v') == Some(version.number.to_string().as_str())
}

fn document(call: &Call) -> Result<String, AwsError> {
    let text = input::required(call, "PolicyDocument")?;
    grammar::check(text, Kind::Identity).map_err(words::malformed)?;
    if text.chars().filter(|it| !it.is_whitespace()).count() > MOST_LETTERS {
        return Err(words::limit(format!("Cannot exceed quota for PolicySize: {MOST_LETTERS}")));
    }
    Ok(text.to_owned())
}
