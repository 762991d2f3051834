//! Tags.

use serde_json::{Value, json};

use super::state::not_found;
use crate::{AwsError, Cloud, input};

/// Adds or overwrites tags.
pub(super) fn add(cloud: &mut Cloud, arn: &str, tags: &[Value]) {
    for tag in tags {
        if let Some(key) = input::text(tag, "Key") {
            let value = input::text(tag, "Value").unwrap_or_default().to_owned();
            cloud.elbv2.tags.entry(arn.to_owned()).or_default().insert(key.to_owned(), value);
        }
    }
}

/// The resources that a request names; all must exist.
fn named(cloud: &Cloud, request: &Value) -> Result<Vec<String>, AwsError> {
    let state = &cloud.elbv2;
    let arns = input::texts(request, "ResourceArns");
    for arn in &arns {
        let (kind, is_there) = match arn.splitn(6, ':').last().and_then(|it| it.split('/').next()) {
            Some("loadbalancer") => ("LoadBalancer", state.balancers.contains_key(*arn)),
            Some("targetgroup") => ("TargetGroup", state.groups.contains_key(*arn)),
            Some("listener") => ("Listener", state.listeners.contains_key(*arn)),
            Some("listener-rule") => ("Rule", state.rules.contains_key(*arn)),
            _ => return Err(AwsError::new("ValidationError", format!("'{arn}' is not a valid ARN"))),
        };
        if !is_there {
            return Err(not_found(kind));
        }
    }
    Ok(arns.into_iter().map(str::to_owned).collect())
}

/// `AddTags`.
pub(super) fn add_tags(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    for arn in named(cloud, request)? {
        add(cloud, &arn, input::list(request, "Tags"));
    }
    Ok(json!({}))
}

/// `RemoveTags`.
pub(super) fn remove(cloud: &mut Cloud, request: &Value) -> Result<Value, AwsError> {
    let keys = input::texts(request, "TagKeys");
    for arn in named(cloud, request)? {
        if let Some(tags) = cloud.elbv2.tags.get_mut(&arn) {
            tags.retain(|key, _| !keys.contains(&key.as_str()));
        }
    }
    Ok(json!({}))
}

/// `DescribeTags`.
pub(super) fn describe(cloud: &Cloud, request: &Value) -> Result<Value, AwsError> {
    let views: Vec<Value> = named(cloud, request)?
        .into_iter()
        .map(|arn| {
            let tags = cloud.elbv2.tags.get(&arn).into_iter().flatten();
            let tags: Vec<Value> = tags.map(|(key, value)| json!({"Key": key, "Value": value})).collect();
            json!({"ResourceArn": arn, "Tags": tags})
        })
        .collect();
    Ok(json!({"TagDescriptions": views}))
}
