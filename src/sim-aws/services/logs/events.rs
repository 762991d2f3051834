//! Writing and reading events.

use serde_json::{Value, json};

use super::{
    Group, LogEvent, Stream, pattern,
    words::{self, group, group_mut},
};
use crate::{AwsError, Call, Cloud, input};

/// Events older or newer than this are rejected (reference of PutLogEvents).
const OLDEST_MS: i64 = 14 * 86_400_000;
const NEWEST_MS: i64 = 2 * 3_600_000;
/// Events in one answer, and in one request.
const MOST: usize = 10_000;
/// Bytes of one event.
const LONGEST: usize = 1_048_576;

pub fn put(cloud: &mut Cloud, call: &Call) -> Result<Value, AwsError> {
    let group_name = words::name(call, "logGroupName")?;
    let stream_name = input::required(call, "logStreamName")?;
    let stream = group(cloud, group_name)?.streams.get(stream_name).ok_or_else(words::no_stream)?;
    let token = words::token(&stream.name);
    let entries = input::required_list(call, "logEvents")?;
    if entries.len() > MOST {
        return Err(words::invalid("The number of log events in the batch exceeds 10000."));
    }
    let (now, begin) = (cloud.now(), words::date(cloud, 0));
    let today = words::millis(cloud, now);
    let mut events = Vec::with_capacity(entries.len());
    let (mut last, mut too_old, mut too_new) = (i64::MIN, None, None);
    for (index, entry) in entries.iter().enumerate() {
        let time = input::integer(entry, "timestamp").ok_or_else(|| input::missing("logs", "timestamp"))?;
        let message = input::text(entry, "message").filter(|it| !it.is_empty());
        let message = message.ok_or_else(|| words::invalid("Log event message must not be empty."))?;
        if message.len() > LONGEST {
            return Err(words::invalid(&format!(
                "Log event too large: {} bytes exceeds limit of {LONGEST}",
                message.len()
            )));
        }
        if time < last {
            return Err(words::invalid("Log events in a single PutLogEvents request must be in chronological order."));
        }
        last = time;
        if time < today.saturating_sub(OLDEST_MS) {
            too_old = Some(index + 1);
        } else if time > today.saturating_add(NEWEST_MS) {
            too_new = too_new.or(Some(index));
        } else {
            events.push((time.saturating_sub(begin), message.to_owned()));
        }
    }
    let mut number = cloud.logs.written;
    if let Some(stream) = group_mut(cloud, group_name)?.streams.get_mut(stream_name) {
        for (at, message) in events {
            number += 1;
            stream.put(LogEvent { at, ingested: now, number, message });
        }
        stream.last_ingestion = Some(now);
    }
    cloud.logs.written = number;
    let mut answer = json!({"nextSequenceToken": token});
    if let Some(index) = too_old {
        answer["rejectedLogEventsInfo"]["tooOldLogEventEndIndex"] = json!(index);
    }
    if let Some(index) = too_new {
        answer["rejectedLogEventsInfo"]["tooNewLogEventStartIndex"] = json!(index);
    }
    Ok(answer)
}

/// A time of a request, in the state's own counting.
fn bound(cloud: &Cloud, request: &Value, member: &str) -> Option<i64> {
    input::integer(request, member).map(|time| time.saturating_sub(words::date(cloud, 0)))
}

/// From the group's retention on.
fn expired(cloud: &Cloud, group: &Group) -> i64 {
    let now = i64::try_from(cloud.now().0).unwrap_or(i64::MAX);
    group.retention_days.map_or(i64::MIN, |days| now.saturating_sub(i64::from(days) * 86_400_000))
}

/// One stream, forwards or backwards. The token is the number of the event that the next page begins after or before, so what is
/// written meanwhile comes once; a page at the end gives back the token it was asked with.
pub fn get(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let group = group(cloud, words::group_name(call)?)?;
    let name = input::required(call, "logStreamName")?;
    let stream = group.streams.get(name).ok_or_else(words::no_stream)?;
    let from = bound(cloud, &call.input, "startTime").unwrap_or(i64::MIN).max(expired(cloud, group));
    let upto = bound(cloud, &call.input, "endTime").unwrap_or(i64::MAX);
    let events = stream.events.iter().filter(|event| event.at >= from && event.at < upto).collect::<Vec<_>>();
    let limit = limit(&call.input);
    let place = |token: &str| {
        let (at, number) = token.split_once('/')?;
        let key = (at.parse::<i64>().ok()?, number.parse::<u64>().ok()?);
        Some(events.partition_point(|event| (event.at, event.number) < key))
    };
    let token = input::text(&call.input, "nextToken");
    let bad = || words::invalid("The specified nextToken is invalid.");
    let (start, end) = match token.map(|token| token.split_at_checked(2)) {
        Some(Some(("f/", rest))) => {
            let start = place(rest).ok_or_else(bad)?;
            (start, start.saturating_add(limit).min(events.len()))
        }
        Some(Some(("b/", rest))) => {
            let end = place(rest).ok_or_else(bad)?;
            (end.saturating_sub(limit), end)
        }
        Some(_) => return Err(bad()),
        None if input::flag(&call.input, "startFromHead") == Some(true) => (0, limit.min(events.len())),
        None => (events.len().saturating_sub(limit), events.len()),
    };
    let page = events.get(start..end).unwrap_or_default();
    let view = |event: &&LogEvent| {
        json!({
            "timestamp": words::date(cloud, event.at), "message": event.message,
            "ingestionTime": words::millis(cloud, event.ingested),
        })
    };
    let (first, last) = match (page.first(), page.last()) {
        (Some(first), Some(last)) => ((first.at, first.number), (last.at, last.number.saturating_add(1))),
        _ => {
            let same = token.map_or_else(|| "0/0".to_owned(), |token| token.chars().skip(2).collect());
            return Ok(json!({
                "events": [], "nextForwardToken": format!("f/{same}"), "nextBackwardToken": format!("b/{same}"),
            }));
        }
    };
    Ok(json!({
        "events": page.iter().map(view).collect::<Vec<_>>(),
        "nextForwardToken": format!("f/{}/{}", last.0, last.1),
        "nextBackwardToken": format!("b/{}/{}", first.0, first.1),
    }))
}

fn limit(request: &Value) -> usize {
    let wish = input::integer(request, "limit").and_then(|limit| usize::try_from(limit).ok());
    wish.filter(|limit| *limit > 0).unwrap_or(MOST).min(MOST)
}

/// All streams of a group, or some of them, by time: what `aws logs tail` asks.
pub fn filter(cloud: &Cloud, call: &Call) -> Result<Value, AwsError> {
    let group = group(cloud, words::group_name(call)?)?;
    let names = input::texts(&call.input, "logStreamNames");
    let prefix = input::text(&call.input, "logStreamNamePrefix");
    if !names.is_empty() && prefix.is_some() {
        return Err(words::invalid("logStreamNamePrefix and logStreamNames cannot be used together."));
    }
    if names.iter().any(|name| !group.streams.contains_key(*name)) {
        return Err(words::no_stream());
    }
    let pattern = pattern::Pattern::read(input::text(&call.input, "filterPattern").unwrap_or(""))
        .ok_or_else(|| words::invalid("Invalid filter pattern"))?;
    let from = bound(cloud, &call.input, "startTime").unwrap_or(i64::MIN).max(expired(cloud, group));
    let upto = bound(cloud, &call.input, "endTime").unwrap_or(i64::MAX);
    let wanted = |stream: &&Stream| {
        (names.is_empty() || names.contains(&stream.name.as_str()))
            && prefix.is_none_or(|prefix| stream.name.starts_with(prefix))
    };
    let mut found = Vec::new();
    for stream in group.streams.values().filter(wanted) {
        found.extend(stream.events.iter().map(|event| (&stream.name, event)));
    }
    found.retain(|(_, event)| event.at >= from && event.at <= upto && pattern.matches(&event.message));
    found.sort_by_key(|(_, event)| (event.at, event.number));
    let after = match input::text(&call.input, "nextToken") {
        Some(token) => Some(token.parse::<u64>().map_err(|_| words::invalid("The specified nextToken is invalid."))?),
        None => None,
    };
    let start =
        after.map_or(0, |number| found.iter().position(|(_, event)| event.number == number).map_or(0, |at| at + 1));
    let limit = limit(&call.input);
    let page = found.iter().skip(start).take(limit).collect::<Vec<_>>();
    let view = |(stream, event): &&(&String, &LogEvent)| {
        json!({
            "logStreamName": stream, "timestamp": words::date(cloud, event.at), "message": event.message,
            "ingestionTime": words::millis(cloud, event.ingested), "eventId": format!("{:056}", event.number),
        })
    };
    let mut answer = json!({"events": page.iter().map(view).collect::<Vec<_>>(), "searchedLogStreams": []});
    if let Some((_, last)) = page.last().filter(|_| start + page.len() < found.len()) {
        answer["nextToken"] = json!(last.number.to_string());
    }
    Ok(answer)
}
