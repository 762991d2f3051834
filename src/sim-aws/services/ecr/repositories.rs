//! Repositories: making them, their settings, policies and tags.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    state::{Mutability, Repository},
    words::{self, repository, repository_mut},
};
use crate::{
    AwsError, Call, Cloud, input, moment,
    services::{iam::policy::grammar, page::Paging},
};

pub fn create(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let name = input::required(call, "repositoryName")?;
    if !is_name(name) {
        let rule = "(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*";
        return Err(words::invalid("repositoryName", &format!("must satisfy regular expression '{rule}'")));
    }
    let account = cloud.config.account.clone();
    if cloud.ecr.repositories.contains_key(name) {
        let sentence = format!("The repository with name '{name}' already exists in the registry with id '{account}'");
        return Err(AwsError::new("RepositoryAlreadyExistsException", sentence));
    }
    let region = &cloud.config.region;
    let encryption = call.input.get("encryptionConfiguration");
    let text = |member: &str| encryption.and_then(|it| input::text(it, member)).map(str::to_owned);
    let repository = Repository {
        name: name.to_owned(),
        arn: arn(cloud, name),
        uri: format!("{account}.dkr.ecr.{region}.amazonaws.com/{name}"),
        created: cloud.now(),
        mutability: mutability(&call.input)?,
        scans_on_push: scans(&call.input),
        encryption: (text("encryptionType").unwrap_or_else(|| "AES256".to_owned()), text("kmsKey")),
        tags: tags(&call.input),
        policy: None,
        lifecycle: None,
        images: Vec::new(),
    };
    let view = view(cloud, &repository);
    cloud.ecr.repositories.insert(name.to_owned(), repository);
    Ok(json!({"repository": view}))
}

pub fn arn(cloud: &Cloud, name: &str) -> String {
    format!("arn:aws:ecr:{}:{}:repository/{name}", cloud.config.region, cloud.config.account)
}

fn is_name(name: &str) -> bool {
    let word =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    (2..=256).contains(&name.len()) && name.split('/').all(|part| part.split(['.', '_', '-']).all(word))
}

fn scans(request: &Value) -> bool {
    let configuration = request.get("imageScanningConfiguration");
    configuration.and_then(|it| input::flag(it, "scanOnPush")).unwrap_or(false)
}

fn mutability(request: &Value) -> Result<Mutability, AwsError> {
    let value = input::text(request, "imageTagMutability").unwrap_or("MUTABLE");
    let filters = input::list(request, "imageTagMutabilityExclusionFilters");
    let exclusions = filters.iter().filter_map(|it| input::text(it, "filter")).map(str::to_owned).collect::<Vec<_>>();
    match value {
        "MUTABLE" | "IMMUTABLE" if exclusions.is_empty() => {}
        "MUTABLE_WITH_EXCLUSION" | "IMMUTABLE_WITH_EXCLUSION" if !exclusions.is_empty() => {}
        "MUTABLE" | "IMMUTABLE" | "MUTABLE_WITH_EXCLUSION" | "IMMUTABLE_WITH_EXCLUSION" => {
            let why = "exclusion filters must be given with, and only with, a value that ends in _WITH_EXCLUSION";
            return Err(words::invalid("imageTagMutabilityExclusionFilters", why));
        }
        _ => {
            let why = "Member must satisfy enum value set: [MUTABLE, IMMUTABLE, MUTABLE_WITH_EXCLUSION, IMMUTABLE_WITH_EXCLUSION]";
            return Err(words::invalid("imageTagMutability", why));
        }
    }
    Ok(Mutability { value: value.to_owned(), exclusions })
}

fn exclusions(mutability: &Mutability) -> Option<Value> {
    let filter = |filter: &String| json!({"filterType": "WILDCARD", "filter": filter});
    (!mutability.exclusions.is_empty()).then(|| mutability.exclusions.iter().map(filter).collect())
}

fn view(cloud: &Cloud, repository: &Repository) -> Value {
    let mut view = json!({
        "repositoryArn": repository.arn, "registryId": cloud.config.account, "repositoryName": repository.name,
        "repositoryUri": repository.uri, "createdAt": moment::of(cloud, repository.created),
        "imageTagMutability": repository.mutability.value,
        "imageScanningConfiguration": {"scanOnPush": repository.scans_on_push},
        "encryptionConfiguration": {"encryptionType": repository.encryption.0},
    });
    if let Some(key) = &repository.encryption.1 {
        view["encryptionConfiguration"]["kmsKey"] = json!(key);
    }
    if let Some(filters) = exclusions(&repository.mutability) {
        view["imageTagMutabilityExclusionFilters"] = filters;
    }
    view
}

pub fn describe(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let names = input::texts(&call.input, "repositoryNames");
    let registry = words::registry(cloud, &call.input);
    if names.is_empty() {
        let all = cloud.ecr.repositories.values().filter(|_| registry == cloud.config.account);
        return Ok(Paging::lower(100).answer(&call.input, "repositories", all.map(|it| view(cloud, it)).collect()));
    }
    let find = |name: &&str| {
        let known = cloud.ecr.repositories.get(*name).filter(|_| registry == cloud.config.account);
        known.map(|it| view(cloud, it)).ok_or_else(|| words::no_repository(name, registry))
    };
    Ok(json!({"repositories": names.iter().map(find).collect::<Result<Vec<_>, _>>()?}))
}

pub fn delete(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let found = repository(cloud, call)?;
    if !found.images.is_empty() && input::flag(&call.input, "force") != Some(true) {
        let sentence = format!(
            "The repository with name '{}' in registry with id '{}' cannot be deleted because it still contains images",
            found.name, cloud.config.account
        );
        return Err(AwsError::new("RepositoryNotEmptyException", sentence));
    }
    let (name, view) = (found.name.clone(), view(cloud, found));
    cloud.ecr.repositories.remove(&name);
    Ok(json!({"repository": view}))
}

pub fn put_mutability(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    input::required(call, "imageTagMutability")?;
    let wish = mutability(&call.input)?;
    let registry = cloud.config.account.clone();
    let repository = repository_mut(cloud, call)?;
    repository.mutability = wish;
    let mut answer = json!({
        "registryId": registry, "repositoryName": repository.name, "imageTagMutability": repository.mutability.value,
    });
    if let Some(filters) = exclusions(&repository.mutability) {
        answer["imageTagMutabilityExclusionFilters"] = filters;
    }
    Ok(answer)
}

pub fn put_scanning(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let scans = scans(&call.input);
    let registry = cloud.config.account.clone();
    let repository = repository_mut(cloud, call)?;
    repository.scans_on_push = scans;
    Ok(json!({
        "registryId": registry, "repositoryName": repository.name, "imageScanningConfiguration": {"scanOnPush": scans},
    }))
}

/// Set-, Get- and DeleteRepositoryPolicy.
pub fn policy(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let registry = cloud.config.account.clone();
    let found = repository_mut(cloud, call)?;
    let none = || {
        let sentence = format!(
            "Repository policy does not exist for the repository with name '{}' in the registry with id '{registry}'",
            found.name
        );
        AwsError::new("RepositoryPolicyNotFoundException", sentence)
    };
    let text = match call.operation.as_str() {
        "SetRepositoryPolicy" => {
            let text = input::required(call, "policyText")?;
            grammar::check(text, grammar::Kind::Resource)
                .map_err(|_| words::invalid("PolicyText", "Invalid repository policy provided"))?;
            found.policy = Some(text.to_owned());
            text.to_owned()
        }
        _ => found.policy.clone().ok_or_else(none)?,
    };
    if call.operation == "DeleteRepositoryPolicy" {
        found.policy = None;
    }
    Ok(json!({"registryId": registry, "repositoryName": found.name, "policyText": text}))
}

/// Put-, Get- and DeleteLifecyclePolicy. The document is kept; that images expire is not simulated.
pub fn lifecycle(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let registry = cloud.config.account.clone();
    let now = cloud.now();
    let found = repository_mut(cloud, call)?;
    let name = found.name.clone();
    if call.operation == "PutLifecyclePolicy" {
        let text = input::required(call, "lifecyclePolicyText")?;
        let rules = serde_json::from_str::<Value>(text).ok().map(|it| !input::list(&it, "rules").is_empty());
        if rules != Some(true) {
            return Err(words::invalid("LifecyclePolicyText", "Lifecycle policy validation failure"));
        }
        found.lifecycle = Some((text.to_owned(), now));
        return Ok(json!({"registryId": registry, "repositoryName": name, "lifecyclePolicyText": text}));
    }
    let (text, evaluated) = found.lifecycle.clone().ok_or_else(|| {
        let sentence = format!(
            "Lifecycle policy does not exist for the repository with name '{name}' in the registry with id '{registry}'"
        );
        AwsError::new("LifecyclePolicyNotFoundException", sentence)
    })?;
    if call.operation == "DeleteLifecyclePolicy" {
        found.lifecycle = None;
    }
    Ok(json!({
        "registryId": registry, "repositoryName": name, "lifecyclePolicyText": text,
        "lastEvaluatedAt": moment::of(cloud, evaluated),
    }))
}

/// TagResource, UntagResource, ListTagsForResource.
pub fn tagging(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let wanted = input::required(call, "resourceArn")?;
    let account = cloud.config.account.clone();
    let found = cloud.ecr.repositories.values_mut().find(|repository| repository.arn == wanted);
    let found = found.ok_or_else(|| {
        words::no_repository(wanted.split_once("repository/").map_or(wanted, |(_, name)| name), &account)
    })?;
    match call.operation.as_str() {
        "TagResource" => found.tags.extend(tags(&call.input)),
        "UntagResource" => {
            for key in input::texts(&call.input, "tagKeys") {
                found.tags.remove(key);
            }
        }
        _ => {
            let tags = found.tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect::<Vec<_>>();
            return Ok(json!({"tags": tags}));
        }
    }
    Ok(json!({}))
}

fn tags(request: &Value) -> BTreeMap<String, String> {
    let pair =
        |tag: &Value| Some((input::text(tag, "Key")?.to_owned(), input::text(tag, "Value").unwrap_or("").to_owned()));
    input::list(request, "tags").iter().filter_map(pair).collect()
}
