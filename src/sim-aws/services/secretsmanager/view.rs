//! How answers show secrets.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::state::{Secret, Version};
use crate::{Cloud, input, moment};

/// What PutSecretValue answers.
pub fn written(secret: &Secret, version: &Version) -> Value {
    json!({"ARN": secret.arn, "Name": secret.name, "VersionId": version.id, "VersionStages": version.stages})
}

/// `Tags` of a request.
pub fn tags(request: &Value) -> BTreeMap<String, String> {
    let pair =
        |tag: &Value| Some((input::text(tag, "Key")?.to_owned(), input::text(tag, "Value").unwrap_or("").to_owned()));
    input::list(request, "Tags").iter().filter_map(pair).collect()
}

/// A secret without its values; `stages` is what the member with versions and stages is called here.
pub fn secret(cloud: &Cloud, secret: &Secret, stages: &str) -> Value {
    let mut view = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            view.insert(name.to_owned(), value);
        }
    };
    put("ARN", Some(json!(secret.arn)));
    put("Name", Some(json!(secret.name)));
    put("Description", secret.description.as_ref().map(|it| json!(it)));
    put("KmsKeyId", secret.kms_key.as_ref().map(|it| json!(it)));
    put("CreatedDate", Some(moment::of(cloud, secret.created)));
    put("LastChangedDate", Some(moment::of(cloud, secret.changed)));
    put("LastAccessedDate", secret.accessed.map(|at| moment::of(cloud, at)));
    put("DeletedDate", secret.deleted.map(|(at, _)| moment::of(cloud, at)));
    let tags = secret.tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect::<Vec<_>>();
    put("Tags", (!tags.is_empty()).then(|| json!(tags)));
    let staged = secret.versions.iter().filter(|version| !version.stages.is_empty());
    let staged = staged.map(|version| (version.id.clone(), json!(version.stages))).collect::<Map<_, _>>();
    put(stages, (!staged.is_empty()).then_some(Value::Object(staged)));
    Value::Object(view)
}
