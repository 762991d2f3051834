//! What all operations of Secrets Manager share: look-ups, the use of KMS, and refusals.

use std::collections::BTreeMap;

use super::state::Secret;
use crate::{
    AwsError, Call, Caller, Cloud, input,
    services::kms::{self, crypto::Use},
};

pub fn not_found(sentence: &str) -> AwsError {
    AwsError::new("ResourceNotFoundException", sentence)
}

pub fn invalid_request(sentence: &str) -> AwsError {
    AwsError::new("InvalidRequestException", sentence)
}

/// The secret that a request names, deleted or not.
///
/// # Errors
/// There is none.
pub fn any<'a>(cloud: &'a Cloud, call: &Call) -> Result<&'a Secret, AwsError> {
    let id = input::required(call, "SecretId")?;
    let found = cloud.secretsmanager.find(id, cloud.now());
    found.ok_or_else(|| not_found("Secrets Manager can't find the specified secret."))
}

/// The secret that a request names, alive.
///
/// # Errors
/// There is none, or it is marked for deletion.
pub fn living<'a>(cloud: &'a Cloud, call: &Call) -> Result<&'a Secret, AwsError> {
    let secret = any(cloud, call)?;
    if secret.deleted.is_some() {
        let sentence = match call.operation.as_str() {
            "PutSecretValue" | "GetSecretValue" | "UpdateSecret" => {
                "You can't perform this operation on the secret because it was marked for deletion."
            }
            _ => "You can't perform this operation on the secret because it was deleted.",
        };
        return Err(invalid_request(sentence));
    }
    Ok(secret)
}

/// The same, to change it.
///
/// # Errors
/// As `living`.
pub fn living_mut<'a>(cloud: &'a mut Cloud, call: &Call) -> Result<&'a mut Secret, AwsError> {
    let name = living(cloud, call)?.name.clone();
    let secret = cloud.secretsmanager.secrets.get_mut(&name);
    secret.ok_or_else(|| not_found("Secrets Manager can't find the specified secret."))
}

/// Uses a key for a caller, with the encryption context that Secrets Manager gives (user guide, "Secret encryption and decryption").
///
/// # Errors
/// The caller may not use the key, or nobody can.
pub fn use_key(
    cloud: &Cloud,
    caller: &Caller,
    operations: &[&str],
    key: &str,
    secret: (&str, &str),
) -> Result<(), AwsError> {
    let pairs = [("SecretARN", secret.0), ("SecretVersionId", secret.1)];
    let context =
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<BTreeMap<_, _>>();
    let using = Use { caller, via: Some("secretsmanager"), context };
    for operation in operations {
        using.check(cloud, operation, key).map_err(|error| match (error.code.as_str(), *operation) {
            ("AccessDeniedException", _) => AwsError::new("AccessDeniedException", "Access to KMS is not allowed"),
            (_, "Decrypt") => AwsError::new(
                "DecryptionFailure",
                "Secrets Manager can't decrypt the protected secret text using the provided KMS key.",
            ),
            _ => AwsError::new(
                "EncryptionFailure",
                "Secrets Manager can't encrypt the protected secret text using the provided KMS key. Check that the KMS key is \
                 available, enabled, and not in an invalid state.",
            ),
        })?;
    }
    Ok(())
}

/// The id of the key that a secret's new versions are encrypted with.
///
/// # Errors
/// There is no such key.
pub fn key_of(cloud: &mut Cloud, named: Option<&str>) -> Result<String, AwsError> {
    match named {
        None | Some("alias/aws/secretsmanager") => Ok(kms::state::of_service(cloud, "secretsmanager")),
        Some(name) => match cloud.kms.find(name, cloud.now()) {
            Some(key) => Ok(key.id.clone()),
            None => Err(AwsError::new(
                "EncryptionFailure",
                "Secrets Manager can't encrypt the protected secret text using the provided KMS key. Check that the KMS key is \
                 available, enabled, and not in an invalid state.",
            )),
        },
    }
}
