//! Keys and aliases.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};

use super::{
    state::{self, Key},
    words,
};
use crate::{
    AwsError, Call, Cloud, input, moment,
    services::{
        iam::{self, Context, policy::grammar},
        page,
    },
};

pub fn create(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let wanted = |member: &str, only: &str| match input::text(&call.input, member) {
        Some(value) if value != only => Err(AwsError::new(
            "UnsupportedOperationException",
            format!("breakfix simulates keys with {member} {only} only"),
        )),
        _ => Ok(()),
    };
    wanted("KeySpec", "SYMMETRIC_DEFAULT")?;
    wanted("CustomerMasterKeySpec", "SYMMETRIC_DEFAULT")?;
    wanted("KeyUsage", "ENCRYPT_DECRYPT")?;
    wanted("Origin", "AWS_KMS")?;
    let id = state::add(cloud, None);
    if let Some(policy) = input::text(&call.input, "Policy")
        && let Err(error) = set_policy(cloud, call, &id, policy)
    {
        cloud.kms.keys.remove(&id);
        return Err(error);
    }
    if let Some(key) = cloud.kms.keys.get_mut(&id) {
        input::text(&call.input, "Description").unwrap_or("").clone_into(&mut key.description);
        key.tags = tags(&call.input);
    }
    let key = words::key(cloud, &id)?;
    Ok(json!({"KeyMetadata": view(cloud, key)}))
}

pub fn describe(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    Ok(json!({"KeyMetadata": view(cloud, words::key(cloud, input::required(call, "KeyId")?)?)}))
}

pub fn list(cloud: &Cloud, call: &Call) -> Value {
    let now = cloud.now();
    let alive = cloud.kms.keys.values().filter(|key| key.deletion.is_none_or(|date| now < date));
    let keys = alive.map(|key| json!({"KeyId": key.id, "KeyArn": key.arn})).collect();
    page::KMS.answer(&call.input, "Keys", keys)
}

fn view(cloud: &Cloud, key: &Key) -> Value {
    let mut view = json!({
        "AWSAccountId": cloud.config.account, "KeyId": key.id, "Arn": key.arn,
        "CreationDate": moment::of(cloud, key.created), "Enabled": key.state() == "Enabled",
        "Description": key.description, "KeyUsage": "ENCRYPT_DECRYPT", "KeyState": key.state(), "Origin": "AWS_KMS",
        "KeyManager": if key.of_aws { "AWS" } else { "CUSTOMER" }, "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "KeySpec": "SYMMETRIC_DEFAULT", "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"], "MultiRegion": false,
    });
    if let Some(date) = key.deletion {
        view["DeletionDate"] = moment::of(cloud, date);
    }
    view
}

/// EnableKey, DisableKey, EnableKeyRotation, DisableKeyRotation, UpdateKeyDescription, TagResource, UntagResource.
pub fn change(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let id = own(cloud, call)?;
    let found = words::key(cloud, &id)?;
    if found.deletion.is_some() {
        return Err(words::pending(found));
    }
    if !found.enabled && call.operation.ends_with("KeyRotation") {
        words::usable(found)?;
    }
    let Some(key) = cloud.kms.keys.get_mut(&id) else { return Ok(json!({})) };
    match call.operation.as_str() {
        "EnableKey" => key.enabled = true,
        "DisableKey" => key.enabled = false,
        "EnableKeyRotation" => key.rotates = true,
        "DisableKeyRotation" => key.rotates = false,
        "UpdateKeyDescription" => input::required(call, "Description")?.clone_into(&mut key.description),
        "TagResource" => key.tags.extend(tags(&call.input)),
        _ => {
            for tag in input::texts(&call.input, "TagKeys") {
                key.tags.remove(tag);
            }
        }
    }
    Ok(json!({}))
}

/// The id of a key that is the account's to change.
fn own(cloud: &Cloud, call: &Call) -> Result<String, AwsError> {
    let key = words::key(cloud, input::required(call, "KeyId")?)?;
    if key.of_aws {
        let sentence = format!("{} is not authorized to change an AWS managed key", call.caller.arn);
        return Err(AwsError::new("AccessDeniedException", sentence));
    }
    Ok(key.id.clone())
}

/// Seven to thirty days (reference of ScheduleKeyDeletion).
pub fn schedule_deletion(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let id = own(cloud, call)?;
    let days = input::integer(&call.input, "PendingWindowInDays").unwrap_or(30);
    let found = words::key(cloud, &id)?;
    if found.deletion.is_some() {
        return Err(words::pending(found));
    }
    let window = u64::try_from(days).ok().filter(|days| (7..=30).contains(days)).ok_or_else(|| {
        let what =
            format!("Value '{days}' at 'pendingWindowInDays' failed to satisfy constraint: Member must be 7 to 30");
        input::invalid("kms", &what)
    })?;
    let date = cloud.now() + Duration::from_secs(window * 86_400);
    let arn = found.arn.clone();
    if let Some(key) = cloud.kms.keys.get_mut(&id) {
        key.deletion = Some(date);
        key.enabled = false;
    }
    Ok(json!({
        "KeyId": arn, "DeletionDate": moment::of(cloud, date), "KeyState": "PendingDeletion", "PendingWindowInDays": days,
    }))
}

/// A key that was to be deleted is disabled afterwards.
pub fn cancel_deletion(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let id = own(cloud, call)?;
    let found = words::key(cloud, &id)?;
    if found.deletion.is_none() {
        let sentence = format!("{} is not pending deletion.", found.arn);
        return Err(AwsError::new("KMSInvalidStateException", sentence));
    }
    let arn = found.arn.clone();
    if let Some(key) = cloud.kms.keys.get_mut(&id) {
        key.deletion = None;
    }
    Ok(json!({"KeyId": arn}))
}

pub fn rotation(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let key = words::key(cloud, input::required(call, "KeyId")?)?;
    Ok(json!({"KeyRotationEnabled": key.rotates, "KeyId": key.arn}))
}

pub fn list_tags(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let key = words::key(cloud, input::required(call, "KeyId")?)?;
    let tags = key.tags.iter().map(|(key, value)| json!({"TagKey": key, "TagValue": value})).collect();
    Ok(page::KMS.answer(&call.input, "Tags", tags))
}

fn tags(request: &Value) -> BTreeMap<String, String> {
    let pair = |tag: &Value| Some((input::text(tag, "TagKey")?.to_owned(), input::text(tag, "TagValue")?.to_owned()));
    input::list(request, "Tags").iter().filter_map(pair).collect()
}

pub fn get_policy(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let key = words::key(cloud, input::required(call, "KeyId")?)?;
    Ok(json!({"Policy": key.policy, "PolicyName": "default"}))
}

pub fn put_policy(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let id = own(cloud, call)?;
    set_policy(cloud, call, &id, input::required(call, "Policy")?)?;
    Ok(json!({}))
}

/// A policy under which whoever writes it could not write the next one is refused, unless it is waived
/// (reference of PutKeyPolicy, `BypassPolicyLockoutSafetyCheck`).
fn set_policy(cloud: &mut Cloud, call: &Call, id: &str, policy: &str) -> Result<(), AwsError> {
    grammar::check(policy, grammar::Kind::Resource).map_err(words::malformed)?;
    let Some(key) = cloud.kms.keys.get_mut(id) else { return Ok(()) };
    let before = std::mem::replace(&mut key.policy, policy.to_owned());
    let arn = key.arn.clone();
    let waived = input::flag(&call.input, "BypassPolicyLockoutSafetyCheck").unwrap_or(false);
    if !waived && !iam::evaluate(cloud, &call.caller, "kms:PutKeyPolicy", &arn, &Context::new()).is_allowed() {
        if let Some(key) = cloud.kms.keys.get_mut(id) {
            key.policy = before;
        }
        let sentence = "The new key policy will not allow you to update the key policy in the future.";
        return Err(words::malformed(sentence.to_owned()));
    }
    Ok(())
}

/// CreateAlias and UpdateAlias.
pub fn put_alias(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let name = alias_name(call)?;
    let key = words::key(cloud, input::required(call, "TargetKeyId")?)?;
    if key.deletion.is_some() {
        return Err(words::pending(key));
    }
    let id = key.id.clone();
    let arn = alias_arn(cloud, name);
    let exists = cloud.kms.aliases.contains_key(name);
    match call.operation.as_str() {
        "CreateAlias" if exists => {
            return Err(AwsError::new(
                "AlreadyExistsException",
                format!("An alias with the name {arn} already exists"),
            ));
        }
        "UpdateAlias" if !exists => {
            return Err(AwsError::new("NotFoundException", format!("Alias {arn} is not found.")));
        }
        _ => {}
    }
    cloud.kms.aliases.insert(name.to_owned(), id);
    Ok(json!({}))
}

pub fn delete_alias(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let name = alias_name(call)?;
    if cloud.kms.aliases.remove(name).is_none() {
        let arn = alias_arn(cloud, name);
        return Err(AwsError::new("NotFoundException", format!("Alias {arn} is not found.")));
    }
    Ok(json!({}))
}

pub fn list_aliases(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let only = input::text(&call.input, "KeyId").map(|name| words::key(cloud, name)).transpose()?;
    let all = cloud.kms.aliases.iter().filter(|(_, id)| only.is_none_or(|key| key.id == **id));
    let view = |(name, id): (&String, &String)| {
        let made = cloud.kms.keys.get(id).map_or(Value::Null, |key| moment::of(cloud, key.created));
        json!({
            "AliasName": name, "AliasArn": alias_arn(cloud, name), "TargetKeyId": id, "CreationDate": made,
            "LastUpdatedDate": made,
        })
    };
    Ok(page::KMS.answer(&call.input, "Aliases", all.map(view).collect()))
}

pub fn alias_arn(cloud: &Cloud, name: &str) -> String {
    format!("arn:aws:kms:{}:{}:{name}", cloud.config.region, cloud.config.account)
}

fn alias_name(call: &Call) -> Result<&str, AwsError> {
    let name = input::required(call, "AliasName")?;
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "/_-".contains(letter);
    if !name.starts_with("alias/") || name.len() < 7 || !name.chars().all(fits) {
        return Err(AwsError::new("ValidationException", "Alias must start with the prefix \"alias/\"."));
    }
    if name.starts_with("alias/aws/") {
        let sentence = "Aliases that begin with alias/aws/ are reserved for AWS managed keys.";
        return Err(AwsError::new("InvalidAliasNameException", sentence));
    }
    Ok(name)
}
