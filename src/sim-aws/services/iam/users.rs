//! Users and their access keys.

use serde_json::{Value, json};

use super::{AccessKey, Grants, User, roles, tags, view, words};
use crate::{AwsError, Call, Cloud, input, moment, services::page};

pub fn create(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let name = words::name(call, "UserName", 64)?;
    let path = words::path(call)?;
    if cloud.iam.users.keys().any(|other| other.eq_ignore_ascii_case(name)) {
        return Err(words::exists(format!("User with name {name} already exists.")));
    }
    let boundary = input::text(&call.input, "PermissionsBoundary");
    if let Some(arn) = boundary {
        super::grants::check_attachable(cloud, arn)?;
    }
    let user = User {
        name: name.to_owned(),
        id: roles::new_id(cloud, "AIDA"),
        arn: format!("arn:aws:iam::{}:user{path}{name}", cloud.config.account),
        path,
        created: cloud.now(),
        tags: tags::read(&call.input),
        grants: Grants { boundary: boundary.map(str::to_owned), ..Grants::default() },
        access_keys: Vec::new(),
    };
    cloud.iam.users.insert(name.to_owned(), user);
    get(cloud, call)
}

pub fn get(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    Ok(json!({"User": view::user(cloud, of(cloud, call)?, true)}))
}

pub fn list(cloud: &Cloud, call: &Call) -> Value {
    let prefix = input::text(&call.input, "PathPrefix").unwrap_or("/");
    let users = cloud.iam.users.values().filter(|user| user.path.starts_with(prefix));
    page::IAM.answer(&call.input, "Users", users.map(|user| view::user(cloud, user, false)).collect())
}

pub fn delete(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let user = of(cloud, call)?;
    if !user.access_keys.is_empty() {
        return Err(words::conflict("Cannot delete entity, must delete access keys first."));
    }
    super::grants::check_empty(&user.grants)?;
    let name = user.name.clone();
    cloud.iam.users.remove(&name);
    Ok(json!({}))
}

/// Two keys a user (IAM quotas).
pub fn create_key(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    if of(cloud, call)?.access_keys.len() >= 2 {
        return Err(words::limit("Cannot exceed quota for AccessKeysPerUser: 2".to_owned()));
    }
    let id = format!("AKIA{}", cloud.chance.text(roles::ID_LETTERS, 16));
    let secret = cloud.chance.text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 40);
    let key = AccessKey { id, secret, active: true, created: cloud.now() };
    let date = moment::now(cloud);
    let user = of_mut(cloud, call)?;
    let view = json!({
        "UserName": user.name, "AccessKeyId": key.id, "Status": "Active", "SecretAccessKey": key.secret, "CreateDate": date,
    });
    user.access_keys.push(key);
    Ok(json!({"AccessKey": view}))
}

pub fn list_keys(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let user = of(cloud, call)?;
    let view = |key: &AccessKey| {
        json!({
            "UserName": user.name, "AccessKeyId": key.id, "Status": if key.active { "Active" } else { "Inactive" },
            "CreateDate": moment::of(cloud, key.created),
        })
    };
    Ok(page::IAM.answer(&call.input, "AccessKeyMetadata", user.access_keys.iter().map(view).collect()))
}

pub fn update_key(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let id = input::required(call, "AccessKeyId")?;
    let active = input::required(call, "Status")? == "Active";
    let user = of_mut(cloud, call)?;
    user.access_keys.iter_mut().find(|key| key.id == id).ok_or_else(|| no_key(id))?.active = active;
    Ok(json!({}))
}

pub fn delete_key(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let id = input::required(call, "AccessKeyId")?;
    let user = of_mut(cloud, call)?;
    let place = user.access_keys.iter().position(|key| key.id == id).ok_or_else(|| no_key(id))?;
    user.access_keys.remove(place);
    Ok(json!({}))
}

fn no_key(id: &str) -> AwsError {
    words::no_such_entity(format!("The Access Key with id {id} cannot be found."))
}

/// The user that a request names, or the one who asks where it names none.
pub fn of<'a>(cloud: &'a Cloud, call: &Call) -> Result<&'a User, AwsError> {
    let name = name(call)?;
    cloud.iam.users.get(name).ok_or_else(|| words::not_found("user", name))
}

pub fn of_mut<'a>(cloud: &'a mut Cloud, call: &Call) -> Result<&'a mut User, AwsError> {
    let name = name(call)?;
    cloud.iam.users.get_mut(name).ok_or_else(|| words::not_found("user", name))
}

fn name(call: &Call) -> Result<&str, AwsError> {
    if input::has(&call.input, "UserName") {
        return words::name(call, "UserName", 64);
    }
    let own = call.caller.arn.rsplit_once(":user/").and_then(|(_, path)| path.rsplit('/').next());
    own.ok_or_else(|| AwsError::new("ValidationError", "Must specify userName when calling with non-User credentials"))
}
