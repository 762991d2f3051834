//! Log groups and streams.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use super::{
    Group, Stream,
    words::{self, group, group_mut},
};
use crate::{AwsError, Call, Cloud, input, services::page::Paging};

/// The days that PutRetentionPolicy knows (its reference).
const RETENTION: &[i64] =
    &[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1_096, 1_827, 2_192, 2_557, 2_922, 3_288, 3_653];

pub fn create(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let name = words::name(call, "logGroupName")?;
    if cloud.logs.groups.contains_key(name) {
        return Err(AwsError::new("ResourceAlreadyExistsException", "The specified log group already exists"));
    }
    let group = Group {
        name: name.to_owned(),
        created: cloud.now(),
        retention_days: None,
        kms_key: input::text(&call.input, "kmsKeyId").map(str::to_owned),
        class: input::text(&call.input, "logGroupClass").unwrap_or("STANDARD").to_owned(),
        tags: tags(&call.input),
        streams: BTreeMap::new(),
    };
    cloud.logs.groups.insert(name.to_owned(), group);
    Ok(json!({}))
}

pub fn delete(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let name = words::name(call, "logGroupName")?;
    cloud.logs.groups.remove(name).ok_or_else(words::no_group)?;
    Ok(json!({}))
}

pub fn describe(cloud: &Cloud, call: &Call) -> Value {
    let prefix = input::text(&call.input, "logGroupNamePrefix").unwrap_or("");
    let part = input::text(&call.input, "logGroupNamePattern").unwrap_or("");
    let class = input::text(&call.input, "logGroupClass");
    let wanted = |group: &&Group| {
        group.name.starts_with(prefix) && group.name.contains(part) && class.is_none_or(|class| class == group.class)
    };
    let groups = cloud.logs.groups.values().filter(wanted).map(|group| view(cloud, group)).collect();
    PAGES.answer(&call.input, "logGroups", groups)
}

/// The size is called `limit` here.
const PAGES: Paging = Paging { size: "limit", token: "nextToken", next: "nextToken", most: 50, truncated: None };

fn view(cloud: &Cloud, group: &Group) -> Value {
    let arn = words::arn(cloud, &group.name);
    // 26 bytes of overhead an event, as billing counts (CloudWatch Logs quotas).
    let events = group.streams.values().flat_map(|stream| &stream.events);
    let bytes = events.map(|event| event.message.len() + 26).sum::<usize>();
    let mut view = json!({
        "logGroupName": group.name, "creationTime": words::millis(cloud, group.created), "metricFilterCount": 0,
        "arn": format!("{arn}:*"), "logGroupArn": arn, "storedBytes": bytes, "logGroupClass": group.class,
    });
    if let Some(days) = group.retention_days {
        view["retentionInDays"] = json!(days);
    }
    if let Some(key) = &group.kms_key {
        view["kmsKeyId"] = json!(key);
    }
    view
}

pub fn put_retention(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    group(cloud, words::name(call, "logGroupName")?)?;
    let days = input::required_integer(call, "retentionInDays")?;
    let known = u32::try_from(days).ok().filter(|_| RETENTION.contains(&days));
    let known = known.ok_or_else(|| {
        let list = RETENTION.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let what = format!(
            "Value '{days}' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: [{list}]"
        );
        input::invalid("logs", &what)
    })?;
    group_mut(cloud, words::name(call, "logGroupName")?)?.retention_days = Some(known);
    Ok(json!({}))
}

pub fn delete_retention(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    group_mut(cloud, words::name(call, "logGroupName")?)?.retention_days = None;
    Ok(json!({}))
}

/// AssociateKmsKey and DisassociateKmsKey.
pub fn set_key(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let name = words::group_name(call)?;
    let key = match call.operation.as_str() {
        "AssociateKmsKey" => Some(input::required(call, "kmsKeyId")?.to_owned()),
        _ => None,
    };
    group_mut(cloud, name)?.kms_key = key;
    Ok(json!({}))
}

/// TagResource, TagLogGroup.
pub fn tag(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let more = tags(&call.input);
    group_mut(cloud, words::group_name(call)?)?.tags.extend(more);
    Ok(json!({}))
}

/// UntagResource, UntagLogGroup.
pub fn untag(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let tags = &mut group_mut(cloud, words::group_name(call)?)?.tags;
    for key in input::texts(&call.input, "tagKeys").into_iter().chain(input::texts(&call.input, "tags")) {
        tags.remove(key);
    }
    Ok(json!({}))
}

/// ListTagsForResource, ListTagsLogGroup.
pub fn list_tags(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    Ok(json!({"tags": group(cloud, words::group_name(call)?)?.tags}))
}

fn tags(request: &Value) -> BTreeMap<String, String> {
    let pairs = input::object(request, "tags").into_iter().flatten();
    pairs.map(|(key, value)| (key.clone(), value.as_str().unwrap_or("").to_owned())).collect()
}

pub fn create_stream(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let name = input::required(call, "logStreamName")?;
    if name.len() > 512 || name.contains([':', '*']) {
        let what = format!(
            "Value '{name}' at 'logStreamName' failed to satisfy constraint: Member must satisfy regular expression pattern: [^:*]*"
        );
        return Err(input::invalid("logs", &what));
    }
    let now = cloud.now();
    let group = group_mut(cloud, words::name(call, "logGroupName")?)?;
    if group.streams.contains_key(name) {
        return Err(AwsError::new("ResourceAlreadyExistsException", "The specified log stream already exists"));
    }
    let stream = Stream { name: name.to_owned(), created: now, events: VecDeque::new(), last_ingestion: None };
    group.streams.insert(name.to_owned(), stream);
    Ok(json!({}))
}

pub fn delete_stream(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let name = input::required(call, "logStreamName")?;
    let group = group_mut(cloud, words::name(call, "logGroupName")?)?;
    group.streams.remove(name).ok_or_else(words::no_stream)?;
    Ok(json!({}))
}

pub fn describe_streams(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let group = group(cloud, words::group_name(call)?)?;
    let prefix = input::text(&call.input, "logStreamNamePrefix").unwrap_or("");
    let by_time = input::text(&call.input, "orderBy") == Some("LastEventTime");
    if by_time && !prefix.is_empty() {
        return Err(words::invalid("Cannot order by LastEventTime with a logStreamNamePrefix."));
    }
    let mut streams = group.streams.values().filter(|stream| stream.name.starts_with(prefix)).collect::<Vec<_>>();
    if by_time {
        streams.sort_by_key(|stream| stream.events.back().map(|event| event.at));
    }
    if input::flag(&call.input, "descending") == Some(true) {
        streams.reverse();
    }
    let view = |stream: &&Stream| {
        let arn = format!("{}:log-stream:{}", words::arn(cloud, &group.name), stream.name);
        let mut view = json!({
            "logStreamName": stream.name, "creationTime": words::millis(cloud, stream.created), "arn": arn, "storedBytes": 0,
        });
        if let (Some(first), Some(last)) = (stream.events.front(), stream.events.back()) {
            view["firstEventTimestamp"] = json!(words::date(cloud, first.at));
            view["lastEventTimestamp"] = json!(words::date(cloud, last.at));
        }
        if let Some(at) = stream.last_ingestion {
            view["lastIngestionTime"] = json!(words::millis(cloud, at));
            view["uploadSequenceToken"] = json!(words::token(&stream.name));
        }
        view
    };
    Ok(PAGES.answer(&call.input, "logStreams", streams.iter().map(view).collect()))
}
