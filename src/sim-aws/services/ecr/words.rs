//! What all operations of ECR share: look-ups and refusals.

use serde_json::Value;

use super::state::Repository;
use crate::{AwsError, Call, Cloud, input};

/// The repository of this name in the account's registry.
///
/// # Errors
/// `RepositoryNotFoundException`.
pub fn repository<'a>(cloud: &'a Cloud, call: &Call) -> Result<&'a Repository, AwsError> {
    let name = input::required(call, "repositoryName")?;
    let registry = registry(cloud, &call.input);
    let known = cloud.ecr.repositories.get(name).filter(|_| registry == cloud.config.account);
    known.ok_or_else(|| no_repository(name, registry))
}

/// The same, to change it.
///
/// # Errors
/// As `repository`.
pub fn repository_mut<'a>(cloud: &'a mut Cloud, call: &Call) -> Result<&'a mut Repository, AwsError> {
    let name = repository(cloud, call)?.name.clone();
    let registry = cloud.config.account.clone();
    cloud.ecr.repositories.get_mut(&name).ok_or_else(|| no_repository(&name, &registry))
}

pub fn no_repository(name: &str, registry: &str) -> AwsError {
    let sentence = format!("The repository with name '{name}' does not exist in the registry with id '{registry}'");
    AwsError::new("RepositoryNotFoundException", sentence)
}

/// The registry that a request names, or the account's own.
pub fn registry<'a>(cloud: &'a Cloud, request: &'a Value) -> &'a str {
    input::text(request, "registryId").unwrap_or(&cloud.config.account)
}

pub fn no_image(cloud: &Cloud, repository: &str, digest: Option<&str>, tag: Option<&str>) -> AwsError {
    let quoted = |text: Option<&str>| format!("'{}'", text.unwrap_or("null"));
    let sentence = format!(
        "The image with imageId {{imageDigest:{}, imageTag:{}}} does not exist within the repository with name '{repository}' in the \
         registry with id '{}'",
        quoted(digest),
        quoted(tag),
        cloud.config.account
    );
    AwsError::new("ImageNotFoundException", sentence)
}

/// `Invalid parameter at 'X' failed to satisfy constraint: 'Y'`.
pub fn invalid(member: &str, why: &str) -> AwsError {
    let sentence = format!("Invalid parameter at '{member}' failed to satisfy constraint: '{why}'");
    AwsError::new("InvalidParameterException", sentence)
}
