//! Names of parameters: what they may be, their ARNs, and which version a name with a selector means.

use super::state::{Parameter, Version};
use crate::{AwsError, Cloud};

/// `arn:aws:ssm:REGION:ACCOUNT:parameter/shop/price-list`, whether the name begins with a slash or not.
pub fn arn(cloud: &Cloud, name: &str) -> String {
    let name = name.strip_prefix('/').unwrap_or(name);
    format!("arn:aws:ssm:{}:{}:parameter/{name}", cloud.config.region, cloud.config.account)
}

/// Name and selector of `NAME`, `NAME:3`, `NAME:label` or a whole ARN.
pub fn split<'a>(cloud: &'a Cloud, wanted: &'a str) -> (&'a str, Option<&'a str>) {
    let named = wanted.strip_prefix("arn:").and_then(|rest| rest.splitn(5, ':').nth(4));
    let Some(path) = named.and_then(|rest| rest.strip_prefix("parameter")) else {
        return match wanted.split_once(':') {
            Some((name, selector)) => (name, Some(selector)),
            None => (wanted, None),
        };
    };
    let (path, selector) = match path.split_once(':') {
        Some((path, selector)) => (path, Some(selector)),
        None => (path, None),
    };
    // In an ARN a plain name has the same slash as a path.
    let plain = path.strip_prefix('/').filter(|plain| cloud.ssm.parameters.contains_key(*plain));
    (plain.unwrap_or(path), selector)
}

/// The parameter and version that a name means.
///
/// # Errors
/// `ParameterNotFound` (which the real service sends without a sentence), `ParameterVersionNotFound`.
pub fn find<'a>(cloud: &'a Cloud, wanted: &'a str) -> Result<(&'a Parameter, &'a Version), AwsError> {
    let (name, selector) = split(cloud, wanted);
    let parameter = cloud.ssm.parameters.get(name).ok_or_else(not_found)?;
    let version = match selector {
        None => parameter.versions.last(),
        Some(selector) => parameter.versions.iter().find(|version| {
            version.number.to_string() == selector || version.labels.iter().any(|label| label == selector)
        }),
    };
    let version = version.ok_or_else(|| {
        let selector = selector.unwrap_or("");
        let sentence =
            format!("Systems Manager could not find version {selector} of {name}. Verify the version and try again.");
        AwsError::new("ParameterVersionNotFound", sentence)
    })?;
    Ok((parameter, version))
}

pub fn not_found() -> AwsError {
    AwsError::new("ParameterNotFound", "")
}

/// A name that can be given (reference of PutParameter, `Name`).
///
/// # Errors
/// Letters, a prefix of AWS, a path without its first slash, too many levels.
pub fn check(name: &str) -> Result<(), AwsError> {
    let invalid = |sentence: &str| Err(AwsError::new("ValidationException", sentence));
    let lower = name.trim_start_matches('/').to_ascii_lowercase();
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "_.-/".contains(letter);
    if lower.starts_with("aws") || lower.starts_with("ssm") || !name.chars().all(fits) || lower.is_empty() {
        return invalid(
            "Parameter name: can't be prefixed with \"aws\" or \"ssm\" (case-insensitive). If formed as a path, it can consist of \
             sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_",
        );
    }
    if name.contains('/') && !name.starts_with('/') {
        return invalid("Parameter name must be a fully qualified name.");
    }
    if name.split('/').count() > 16 {
        let sentence = "A parameter hierarchy can have a maximum of 15 levels.";
        return Err(AwsError::new("HierarchyLevelLimitExceededException", sentence));
    }
    Ok(())
}
