//! Amazon ECR: repositories, tags and digests, platforms, scan results.

mod images;
pub mod manifest;
mod repositories;
mod state;
#[cfg(test)]
mod tests;
mod words;

use serde_json::Value;

pub use self::state::{Image, Mutability, Repository, State};
use super::iam::Need;
use crate::{AwsError, Call, Cloud, input};

/// What a request needs before it is looked at. A login token is of the whole registry and of no resource (service authorization
/// reference, "Amazon Elastic Container Registry").
pub fn needs(cloud: &Cloud, operation: &str, request: &Value) -> Vec<Need> {
    let action = format!("ecr:{operation}");
    let named = input::text(request, "repositoryName").into_iter().chain(input::texts(request, "repositoryNames"));
    let mut resources = named.map(|name| repositories::arn(cloud, name)).collect::<Vec<_>>();
    resources.extend(input::text(request, "resourceArn").map(str::to_owned));
    if resources.is_empty() {
        let registry_wide = operation != "DescribeRepositories";
        resources.push(if registry_wide { "*".to_owned() } else { repositories::arn(cloud, "*") });
    }
    let tags = |arn: &str| {
        let repository = cloud.ecr.repositories.values().find(|repository| repository.arn == arn);
        repository.into_iter().flat_map(|repository| &repository.tags)
    };
    let need = |arn: String| {
        let need = Need::new(action.clone(), arn.clone());
        tags(&arn).fold(need, |need, (key, value)| {
            need.with(&format!("aws:ResourceTag/{key}"), value).with(&format!("ecr:ResourceTag/{key}"), value)
        })
    };
    resources.into_iter().map(need).collect()
}

/// Answers one request.
///
/// # Errors
/// The service refuses, or the operation is not simulated.
pub fn call(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    match call.operation.as_str() {
        "CreateRepository" => repositories::create(cloud, call),
        "DescribeRepositories" => repositories::describe(cloud, call),
        "DeleteRepository" => repositories::delete(cloud, call),
        "PutImageTagMutability" => repositories::put_mutability(cloud, call),
        "PutImageScanningConfiguration" => repositories::put_scanning(cloud, call),
        "SetRepositoryPolicy" | "GetRepositoryPolicy" | "DeleteRepositoryPolicy" => repositories::policy(cloud, call),
        "PutLifecyclePolicy" | "GetLifecyclePolicy" | "DeleteLifecyclePolicy" => repositories::lifecycle(cloud, call),
        "TagResource" | "UntagResource" | "ListTagsForResource" => repositories::tagging(cloud, call),
        "PutImage" => images::put(cloud, call),
        "BatchGetImage" => images::batch_get(cloud, call),
        "BatchDeleteImage" => images::batch_delete(cloud, call),
        "ListImages" => images::list(cloud, call),
        "DescribeImages" => images::describe(cloud, call),
        "StartImageScan" | "DescribeImageScanFindings" => images::scan(cloud, call),
        "GetAuthorizationToken" => Ok(images::token(cloud)),
        "GetDownloadUrlForLayer" => images::download_url(cloud, call),
        "BatchCheckLayerAvailability" => images::check_layers(cloud, call),
        other => Err(AwsError::not_simulated("ecr", other)),
    }
}

/// The policy of a repository, by its ARN.
pub fn resource_policy<'a>(cloud: &'a Cloud, arn: &str) -> Option<&'a str> {
    let name = arn.split_once(":repository/")?.1;
    cloud.ecr.repositories.get(name)?.policy.as_deref()
}
