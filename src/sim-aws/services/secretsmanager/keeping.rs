//! Secrets as such: describing, listing, deleting, tags, resource policies.

use std::time::Duration;

use serde_json::{Value, json};

use super::{PAGES, state::Secret, view, words};
use crate::{AwsError, Call, Cloud, input, moment, services::iam::policy::grammar};

pub fn describe(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    Ok(view::secret(cloud, words::any(cloud, call)?, "VersionIdsToStages"))
}

pub fn list(cloud: &Cloud, call: &Call) -> Value {
    let planned = input::flag(&call.input, "IncludePlannedDeletion").unwrap_or(false);
    let now = cloud.now();
    let filters = input::list(&call.input, "Filters");
    let wanted = |secret: &&Secret| {
        (planned || secret.deleted.is_none())
            && secret.deleted.is_none_or(|(_, gone)| now < gone)
            && filters.iter().all(|filter| passes(secret, filter))
    };
    let mut secrets = cloud.secretsmanager.secrets.values().filter(wanted).collect::<Vec<_>>();
    secrets.sort_by_key(|secret| secret.created);
    if input::text(&call.input, "SortOrder") != Some("asc") {
        secrets.reverse();
    }
    let views = secrets.into_iter().map(|secret| view::secret(cloud, secret, "SecretVersionsToStages")).collect();
    PAGES.answer(&call.input, "SecretList", views)
}

/// A value with a `!` in front means all others; the rest are beginnings of words (reference of ListSecrets).
fn passes(secret: &Secret, filter: &Value) -> bool {
    let fields = match input::text(filter, "Key").unwrap_or("") {
        "name" => vec![secret.name.clone()],
        "description" => secret.description.iter().cloned().collect(),
        "tag-key" => secret.tags.keys().cloned().collect(),
        "tag-value" => secret.tags.values().cloned().collect(),
        _ => {
            let tags = secret.tags.iter().flat_map(|(key, value)| [key.clone(), value.clone()]);
            [secret.name.clone()].into_iter().chain(secret.description.clone()).chain(tags).collect()
        }
    };
    let has = |wish: &str| fields.iter().any(|field| field.to_lowercase().starts_with(&wish.to_lowercase()));
    input::texts(filter, "Values").into_iter().any(|value| match value.strip_prefix('!') {
        Some(wish) => !has(wish),
        None => has(value),
    })
}

/// After seven to thirty days, thirty unless told, or at once.
pub fn delete(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let force = input::flag(&call.input, "ForceDeleteWithoutRecovery").unwrap_or(false);
    let days = input::integer(&call.input, "RecoveryWindowInDays");
    if force && days.is_some() {
        let sentence = "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.";
        return Err(AwsError::new("InvalidParameterException", sentence));
    }
    let days = u64::try_from(days.unwrap_or(30)).ok().filter(|days| (7..=30).contains(days)).ok_or_else(|| {
        let sentence = "RecoveryWindowInDays value must be between 7 and 30 days (inclusive).";
        AwsError::new("InvalidParameterException", sentence)
    })?;
    let now = cloud.now();
    let gone = if force { now } else { now + Duration::from_secs(days * 86_400) };
    let name = if force { words::any(cloud, call)? } else { words::living(cloud, call)? }.name.clone();
    let secrets = &mut cloud.secretsmanager.secrets;
    let answer = secrets.get_mut(&name).map(|secret| {
        secret.deleted = Some((now, gone));
        json!({"ARN": secret.arn, "Name": secret.name})
    });
    if force {
        secrets.remove(&name);
    }
    let mut answer = answer.unwrap_or_default();
    answer["DeletionDate"] = moment::of(cloud, gone);
    Ok(answer)
}

pub fn restore(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let name = words::any(cloud, call)?.name.clone();
    let Some(secret) = cloud.secretsmanager.secrets.get_mut(&name) else { return Ok(json!({})) };
    secret.deleted = None;
    Ok(json!({"ARN": secret.arn, "Name": secret.name}))
}

/// TagResource and UntagResource.
pub fn change_tags(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let more = view::tags(&call.input);
    let secret = words::living_mut(cloud, call)?;
    secret.tags.extend(more);
    for key in input::texts(&call.input, "TagKeys") {
        secret.tags.remove(key);
    }
    Ok(json!({}))
}

pub fn put_policy(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let policy = input::required(call, "ResourcePolicy")?;
    grammar::check(policy, grammar::Kind::Resource).map_err(|why| {
        AwsError::new(
            "MalformedPolicyDocumentException",
            format!("This resource policy contains a syntax error: {why}"),
        )
    })?;
    let secret = words::living_mut(cloud, call)?;
    secret.policy = Some(policy.to_owned());
    Ok(json!({"ARN": secret.arn, "Name": secret.name}))
}

pub fn get_policy(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let secret = words::living(cloud, call)?;
    let mut answer = json!({"ARN": secret.arn, "Name": secret.name});
    if let Some(policy) = &secret.policy {
        answer["ResourcePolicy"] = json!(policy);
    }
    Ok(answer)
}

pub fn delete_policy(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let secret = words::living_mut(cloud, call)?;
    secret.policy = None;
    Ok(json!({"ARN": secret.arn, "Name": secret.name}))
}
