//! AWS Secrets Manager: secrets, their versions and stages, and who may read them.

mod keeping;
mod state;
#[cfg(test)]
mod tests;
mod values;
mod view;
mod words;

use serde_json::Value;

pub use self::state::{Content, Secret, State, Version};
use super::{iam::Need, page::Paging};
use crate::{AwsError, Call, Cloud, input};

const PAGES: Paging = Paging::upper(100);

/// What a request needs before it is looked at: on the secret's ARN, or the one that its name would give.
pub fn needs(cloud: &Cloud, operation: &str, request: &Value) -> Vec<Need> {
    let action = format!("secretsmanager:{operation}");
    let Some(id) = input::text(request, "SecretId").or_else(|| input::text(request, "Name")) else {
        return vec![Need::new(action, "*")];
    };
    let found = cloud.secretsmanager.find(id, cloud.now());
    let arn = match found {
        Some(secret) => secret.arn.clone(),
        None if id.starts_with("arn:") => id.to_owned(),
        None => format!("arn:aws:secretsmanager:{}:{}:secret:{id}", cloud.config.region, cloud.config.account),
    };
    let mut need = Need::new(action, arn.clone()).with("secretsmanager:SecretId", &arn);
    if let Some(stage) = input::text(request, "VersionStage") {
        need = need.with("secretsmanager:VersionStage", stage);
    }
    for (key, value) in found.into_iter().flat_map(|secret| &secret.tags) {
        need = need.with(&format!("aws:ResourceTag/{key}"), value);
        need = need.with(&format!("secretsmanager:ResourceTag/{key}"), value);
    }
    vec![need]
}

/// Answers one request.
///
/// # Errors
/// The service refuses, or the operation is not simulated.
pub fn call(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    match call.operation.as_str() {
        "CreateSecret" => values::create(cloud, call),
        "PutSecretValue" => values::put(cloud, call),
        "GetSecretValue" => values::get(cloud, call),
        "UpdateSecret" => values::update(cloud, call),
        "UpdateSecretVersionStage" => values::update_stage(cloud, call),
        "ListSecretVersionIds" => values::list_versions(cloud, call),
        "GetRandomPassword" => values::random_password(cloud, call),
        "DescribeSecret" => keeping::describe(cloud, call),
        "ListSecrets" => Ok(keeping::list(cloud, call)),
        "DeleteSecret" => keeping::delete(cloud, call),
        "RestoreSecret" => keeping::restore(cloud, call),
        "TagResource" | "UntagResource" => keeping::change_tags(cloud, call),
        "PutResourcePolicy" => keeping::put_policy(cloud, call),
        "GetResourcePolicy" => keeping::get_policy(cloud, call),
        "DeleteResourcePolicy" => keeping::delete_policy(cloud, call),
        other => Err(AwsError::not_simulated("secretsmanager", other)),
    }
}

/// The resource policy of a secret, by its ARN.
pub fn resource_policy<'a>(cloud: &'a Cloud, arn: &str) -> Option<&'a str> {
    cloud.secretsmanager.find(arn, cloud.now())?.policy.as_deref()
}
