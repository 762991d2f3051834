//! AWS KMS: keys, their policies, aliases, grants; encryption in simulated form.

pub mod crypto;
mod grants;
mod keys;
pub mod state;
#[cfg(test)]
mod tests;
mod words;

use serde_json::{Value, json};

pub use self::{
    grants::is_granted,
    state::{Grant, Key, State},
};
use super::iam::Need;
use crate::{AwsError, Call, Cloud, input};

/// What a request needs before it is looked at.
pub fn needs(cloud: &Cloud, operation: &str, request: &Value) -> Vec<Need> {
    let action = format!("kms:{operation}");
    let find = |name: &str| cloud.kms.find(name, cloud.now());
    let named = input::text(request, "KeyId").or_else(|| input::text(request, "TargetKeyId")).and_then(find);
    let sealed_with = input::text(request, "CiphertextBlob").and_then(crypto::key_of);
    let key = named.or_else(|| sealed_with.and_then(|id| find(&id)));
    let mut needs = Vec::new();
    if let Some(alias) = input::text(request, "AliasName") {
        needs.push(Need::new(action.clone(), keys::alias_arn(cloud, alias)));
    }
    match key {
        Some(key) => {
            let context = crypto::keys(cloud, key, &crypto::context_of(request), None);
            needs.push(Need { context, ..Need::new(action, key.arn.clone()) });
        }
        None if needs.is_empty() => needs.push(Need::new(action, "*")),
        None => {}
    }
    needs
}

/// Answers one request.
///
/// # Errors
/// The service refuses, or the operation is not simulated.
pub fn call(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    match call.operation.as_str() {
        "CreateKey" => keys::create(cloud, call),
        "DescribeKey" => keys::describe(cloud, call),
        "ListKeys" => Ok(keys::list(cloud, call)),
        "EnableKey"
        | "DisableKey"
        | "EnableKeyRotation"
        | "DisableKeyRotation"
        | "UpdateKeyDescription"
        | "TagResource"
        | "UntagResource" => keys::change(cloud, call),
        "GetKeyRotationStatus" => keys::rotation(cloud, call),
        "ListResourceTags" => keys::list_tags(cloud, call),
        "ScheduleKeyDeletion" => keys::schedule_deletion(cloud, call),
        "CancelKeyDeletion" => keys::cancel_deletion(cloud, call),
        "GetKeyPolicy" => keys::get_policy(cloud, call),
        "PutKeyPolicy" => keys::put_policy(cloud, call),
        "ListKeyPolicies" => Ok(json!({"PolicyNames": ["default"], "Truncated": false})),
        "CreateAlias" | "UpdateAlias" => keys::put_alias(cloud, call),
        "DeleteAlias" => keys::delete_alias(cloud, call),
        "ListAliases" => keys::list_aliases(cloud, call),
        "CreateGrant" => grants::create(cloud, call),
        "ListGrants" => grants::list(cloud, call),
        "RevokeGrant" | "RetireGrant" => grants::end(cloud, call),
        "Encrypt" => crypto::encrypt(cloud, call),
        "Decrypt" => crypto::decrypt(cloud, call),
        "GenerateDataKey" | "GenerateDataKeyWithoutPlaintext" => crypto::data_key(cloud, call),
        other => Err(AwsError::not_simulated("kms", other)),
    }
}

/// The policy of a key, by its ARN.
pub fn key_policy<'a>(cloud: &'a Cloud, arn: &str) -> Option<&'a str> {
    cloud.kms.find(arn, cloud.now()).filter(|key| key.arn == arn).map(|key| key.policy.as_str())
}
