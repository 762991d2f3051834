//! Tags, and the resources that carry them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::find::{definition, invalid};
use crate::{
    AwsError, Call, Cloud,
    input::{list, required, text, texts},
};

/// As requests bring them: `[{key, value}]`.
pub(super) fn read(input: &Value) -> BTreeMap<String, String> {
    let pair = |tag: &Value| Some((text(tag, "key")?.to_owned(), text(tag, "value").unwrap_or_default().to_owned()));
    list(input, "tags").iter().filter_map(pair).collect()
}

/// As answers bring them.
pub(super) fn write(tags: &BTreeMap<String, String>) -> Value {
    tags.iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
}

/// The tags of whatever has an ARN.
fn of<'a>(cloud: &'a mut Cloud, arn: &str) -> Option<&'a mut BTreeMap<String, String>> {
    let rest = arn.splitn(6, ':').nth(5)?;
    let (kind, name) = rest.split_once('/')?;
    match kind {
        "cluster" => cloud.ecs.clusters.get_mut(name).map(|it| &mut it.tags),
        "service" => cloud.ecs.services.get_mut(arn).map(|it| &mut it.tags),
        "task" => cloud.tasks.get_mut(name.rsplit('/').next()?).map(|it| &mut it.tags),
        "container-instance" => cloud.ecs.instances.get_mut(arn).map(|it| &mut it.tags),
        "capacity-provider" => cloud.ecs.providers.get_mut(name).map(|it| &mut it.tags),
        "task-definition" => {
            let (family, revision) = definition(&cloud.ecs, name).map(|it| (it.family.clone(), it.revision))?;
            let at = usize::try_from(revision).ok()?.checked_sub(1)?;
            cloud.ecs.families.get_mut(&family)?.get_mut(at).map(|it| &mut it.tags)
        }
        _ => None,
    }
}

fn missing(arn: &str) -> AwsError {
    match arn.starts_with("arn:") {
        true => AwsError::new(
            "ResourceNotFoundException",
            "The specified resource was not found. Specify a valid ARN and try again.",
        ),
        false => invalid("Invalid identifier: Identifier is for null. Your account is not available."),
    }
}

pub(super) fn tag(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let arn = required(call, "resourceArn")?;
    let new = read(&call.input);
    of(cloud, arn).ok_or_else(|| missing(arn))?.extend(new);
    Ok(json!({}))
}

pub(super) fn untag(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let arn = required(call, "resourceArn")?;
    let tags = of(cloud, arn).ok_or_else(|| missing(arn))?;
    for key in texts(&call.input, "tagKeys") {
        tags.remove(key);
    }
    Ok(json!({}))
}

pub(super) fn list_of(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let arn = required(call, "resourceArn")?;
    let tags = of(cloud, arn).ok_or_else(|| missing(arn))?;
    Ok(json!({"tags": write(tags)}))
}
