//! KMS' refusals, and the look-up that all its operations begin with.

use super::state::Key;
use crate::{AwsError, Cloud};

/// The key of this name.
///
/// # Errors
/// `NotFoundException`; an alias is named by its ARN.
pub fn key<'a>(cloud: &'a Cloud, name: &str) -> Result<&'a Key, AwsError> {
    cloud.kms.find(name, cloud.now()).ok_or_else(|| {
        let (region, account) = (&cloud.config.region, &cloud.config.account);
        let sentence = match (name.starts_with("arn:"), name.starts_with("alias/")) {
            (false, true) => format!("Alias arn:aws:kms:{region}:{account}:{name} is not found."),
            (true, _) if name.contains(":alias/") => format!("Alias {name} is not found."),
            (true, _) => format!("Key '{name}' does not exist"),
            (false, false) => format!("Key 'arn:aws:kms:{region}:{account}:key/{name}' does not exist"),
        };
        AwsError::new("NotFoundException", sentence)
    })
}

/// The key of this name, in a state in which it can be used.
///
/// # Errors
/// It is not there, or not usable.
pub fn usable_key<'a>(cloud: &'a Cloud, name: &str) -> Result<&'a Key, AwsError> {
    let key = key(cloud, name)?;
    usable(key)?;
    Ok(key)
}

/// # Errors
/// `DisabledException`, `KMSInvalidStateException`.
pub fn usable(key: &Key) -> Result<(), AwsError> {
    if key.deletion.is_some() {
        return Err(pending(key));
    }
    if !key.enabled {
        return Err(AwsError::new("DisabledException", format!("{} is disabled.", key.arn)));
    }
    Ok(())
}

pub fn pending(key: &Key) -> AwsError {
    AwsError::new("KMSInvalidStateException", format!("{} is pending deletion.", key.arn))
}

pub fn malformed(sentence: String) -> AwsError {
    AwsError::new("MalformedPolicyDocumentException", sentence)
}
